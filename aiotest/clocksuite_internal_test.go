package aiotest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Each promise of the suite, and a way to break it that its case must find.
var brokenClocks = []struct {
	promise string
	how     fault
}{
	{"now never goes back", goesBack},
	{"until", tooEarly},
	{"until has passed", neverInThePast},
	{"wake", deafToWake},
	{"wake", deafWithoutUntil},
	{"wake was closed", jumpsFirst},
	{"hold", ignoresHolds},
	{"holds are counted", oneHoldOnly},
	{"waiting is no hold", holdsWhileWaiting},
	{"hold again after until", letsGoAtUntil},
	{"hold again after wake", letsGoAtWake},
	{"on its way", ignoresWoken},
	{"in order", firstComeFirst},
	{"no wake is lost", sometimesDeaf},
	{"a loop on it", deafToWake},
	{"loops share it", deafWithoutUntil},
}

func TestClockPromises_canBeBroken(t *testing.T) {
	for _, c := range brokenClocks {
		t.Run(fmt.Sprintf("%s/%s", c.promise, c.how), func(t *testing.T) {
			i := slices.IndexFunc(clockPromises, func(p promise[aio.Clock]) bool { return p.name == c.promise })
			if i < 0 {
				t.Fatal("no such promise")
			}
			synctest.Test(t, func(t *testing.T) {
				clock := &brokenClock{how: c.how, now: Epoch, quit: make(chan struct{})}
				seen := &recorder{TB: t}
				<-inBackground(func() { clockPromises[i].run(seen, clock) }).done
				close(clock.quit) // so that what hangs ends
				<-time.After(aeon)
				if !seen.Failed() {
					t.Error("the case found nothing")
				}
				if want := "the promise: " + clockPromises[i].text; !strings.Contains(seen.text, want) {
					t.Errorf("it was told %q, which lacks %q", seen.text, want)
				}
				t.Log(seen.text)
			})
		})
	}
	for _, p := range clockPromises {
		if !slices.ContainsFunc(brokenClocks, func(c struct {
			promise string
			how     fault
		}) bool {
			return c.promise == p.name
		}) {
			t.Errorf("nothing shows that the case %q can fail", p.name)
		}
	}
}

// Without a fault the clock keeps them all: it is the fault that each case finds.
func TestClockPromises_kept(t *testing.T) {
	TestClock(t, func() aio.Clock { return &brokenClock{now: Epoch} })
}

type fault string

const (
	goesBack          fault = "goes back now and then"
	tooEarly          fault = "wakes a nanosecond early"
	neverInThePast    fault = "takes a time that has passed for one in an hour"
	deafToWake        fault = "does not look at wake while it waits for a time"
	deafWithoutUntil  fault = "does not look at wake unless it waits for a time"
	jumpsFirst        fault = "looks at wake only after it has jumped"
	ignoresHolds      fault = "jumps while it is held"
	oneHoldOnly       fault = "knows only whether it is held"
	holdsWhileWaiting fault = "takes one in Wait for a holder"
	letsGoAtUntil     fault = "does not hold again after until"
	letsGoAtWake      fault = "does not hold again after wake"
	ignoresWoken      fault = "jumps past one that was woken"
	firstComeFirst    fault = "takes deadlines as they come"
	sometimesDeaf     fault = "loses one wake in ten"
)

// brokenClock is another clock that jumps, simpler than Clock, with a fault.
type brokenClock struct {
	how  fault
	quit chan struct{} // ends all waits

	mu     sync.Mutex
	now    time.Time
	asked  int
	holds  int
	waiter []*wait
}

func (b *brokenClock) Now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked++; b.how == goesBack && b.asked%5 == 0 {
		return b.now.Add(-time.Second)
	}
	return b.now
}

func (b *brokenClock) Hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holds++; b.how == oneHoldOnly {
		b.holds = 1
	}
}

func (b *brokenClock) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release()
}

func (b *brokenClock) release() {
	b.holds = max(b.holds-1, 0)
	if b.holds > 0 && b.how != ignoresHolds {
		return
	}
	var next *wait
	for _, w := range b.waiter {
		if w.woken() && b.how != ignoresWoken {
			return
		}
		if w.timed() && (next == nil || w.before(next) && b.how != firstComeFirst) {
			next = w
		}
	}
	if next != nil {
		b.goOn(next)
	}
}

func (b *brokenClock) goOn(w *wait) {
	to := w.until
	if b.how == tooEarly {
		to = to.Add(-1)
	}
	if to.After(b.now) {
		b.now = to
	}
	b.leave(w, letsGoAtUntil)
	close(w.due)
}

func (b *brokenClock) leave(w *wait, unless fault) {
	b.waiter = slices.DeleteFunc(b.waiter, func(v *wait) bool { return v == w })
	if b.how != unless && b.how != holdsWhileWaiting {
		b.holds++
	}
}

func (b *brokenClock) Wait(wake <-chan struct{}, until time.Time) {
	w := &wait{wake: wake, until: until, due: make(chan struct{})}
	b.mu.Lock()
	if b.how == neverInThePast && w.timed() && !until.After(b.now) {
		w.until = b.now.Add(time.Hour)
	}
	b.asked++
	if b.how == deafToWake && w.timed() || b.how == deafWithoutUntil && !w.timed() || b.how == sometimesDeaf && b.asked%10 == 0 {
		w.wake = nil
	}
	if b.how != jumpsFirst && w.woken() || w.timed() && !w.until.After(b.now) {
		b.mu.Unlock()
		return
	}
	b.waiter = append(b.waiter, w)
	switch b.how {
	case holdsWhileWaiting:
	case jumpsFirst:
		w.wake = nil
		b.release()
		w.wake = wake
	default:
		b.release()
	}
	b.mu.Unlock()
	select {
	case <-w.due:
		return
	case <-w.wake:
	case <-b.quit:
		select { // a loop that is not woken asks again and again
		case <-wake:
		case <-time.After(time.Second):
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if slices.Contains(b.waiter, w) {
		b.leave(w, letsGoAtWake)
	}
	if !w.woken() && w.until.After(b.now) {
		b.now = w.until // likewise
	}
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	mu     sync.Mutex
	failed bool
	text   string
}

func (r *recorder) Helper() {}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text += fmt.Sprintf(format, args...) + "\n"
}

func (r *recorder) Errorf(format string, args ...any) {
	r.Logf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}
