package aiotest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Epoch is the time at which a [Clock] starts that is given the zero time. It is far ahead: a
// library that compares a context's Deadline with time.Now is to see one that has not passed.
var Epoch = time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)

// Clock is virtual time for one loop or several: it stands still while anybody holds it (a loop that
// has something to do, a call on an executor, whoever called Hold), and then jumps to the next
// deadline. See [aio.Clock] for its methods' contract. All of them may be called from any goroutine;
// Wait and Advance block.
//
// Who waits for the same point in time goes on one after the other, in the order in which they came
// to wait, each when the one before it has nothing more to do: so equal deadlines on several loops
// have an order, too.
//
// What the clock does not see is goroutines that are neither a loop's nor in a call on an executor,
// and that do not hold it: while such a one is on its way to hand something to a loop, time may
// jump.
type Clock struct {
	manual  bool       // immutable
	advance sync.Mutex // one Advance at a time

	mu    sync.Mutex
	now   time.Time // guarded by mu
	holds int       // guarded by mu
	waits []*wait   // guarded by mu; in the order in which they began
}

var _ aio.Clock = (*Clock)(nil)

// wait is somebody in Wait.
type wait struct {
	wake  <-chan struct{}
	until time.Time     // zero: none
	last  bool          // of those that wait for the same time
	due   chan struct{} // closed when time has come to until
}

// NewClock returns a clock that shows start, or [Epoch] for the zero time. From any goroutine; it
// does not suspend.
func NewClock(start time.Time) *Clock {
	if start.IsZero() {
		start = Epoch
	}
	return &Clock{now: start.Round(0)}
}

// NewManualClock is NewClock, of a clock that moves only in Advance. From any goroutine; it does not
// suspend.
func NewManualClock(start time.Time) *Clock {
	c := NewClock(start)
	c.manual, c.holds = true, 1
	return c
}

// Now implements [aio.Clock].
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Hold implements [aio.Clock]. In a test it keeps time from passing between the starts of what is
// to start at the same time.
func (c *Clock) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holds++
}

// Release implements [aio.Clock].
func (c *Clock) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holds == 0 {
		panic("aiotest: Release of a Clock that nobody holds")
	}
	c.holds--
	c.step()
}

// Wait implements [aio.Clock].
func (c *Clock) Wait(wake <-chan struct{}, until time.Time) { c.wait(&wait{wake: wake, until: until}) }

// Advance lets d pass, from deadline to deadline, and returns when that time has come and there is
// nothing left to do at it. It waits for what holds the clock, calls on executors included, and
// blocks: it is for a test's own goroutine, which must not hold the clock. In a task or a callback
// it panics: that holds the clock itself; Sleep is what a task calls.
func (c *Clock) Advance(d time.Duration) {
	if aio.InTask() || aio.Yield(context.Background()) != nil {
		panic("aiotest: Advance in a task or a callback, which hold the clock themselves; what a task calls is aio.Sleep")
	}
	c.advance.Lock()
	defer c.advance.Unlock()
	if !c.manual {
		c.Hold()
		defer c.Release()
	}
	c.wait(&wait{until: c.Now().Add(d), last: true})
}

func (c *Clock) wait(w *wait) {
	if !c.enter(w) {
		return
	}
	select {
	case <-w.due: // step has taken it out
		return
	case <-w.wake:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.waits, w); i >= 0 {
		c.waits = slices.Delete(c.waits, i, i+1)
		c.holds++
	}
}

// enter begins a wait; it reports false if there is nothing to wait for.
func (c *Clock) enter(w *wait) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.woken() || w.timed() && !w.until.After(c.now) && !w.last {
		return false
	}
	if c.holds == 0 {
		panic("aiotest: Wait by somebody who does not hold the Clock: Hold it first")
	}
	w.due = make(chan struct{})
	c.waits = append(c.waits, w)
	c.holds--
	c.step()
	return true
}

// step has the next one go on if nobody holds the clock. Called with mu held.
func (c *Clock) step() {
	if c.holds > 0 {
		return
	}
	next := -1
	for i, w := range c.waits {
		if w.woken() {
			return // it is about to go on
		}
		if w.timed() && (next < 0 || w.before(c.waits[next])) {
			next = i
		}
	}
	if next < 0 {
		return
	}
	w := c.waits[next]
	if w.until.After(c.now) {
		c.now = w.until
	}
	c.waits = slices.Delete(c.waits, next, next+1)
	c.holds++
	close(w.due)
}

func (w *wait) timed() bool { return !w.until.IsZero() }

func (w *wait) woken() bool {
	select {
	case <-w.wake:
		return true
	default:
		return false
	}
}

// before reports whether w goes on before v, which came before it.
func (w *wait) before(v *wait) bool {
	return w.until.Before(v.until) || v.last && !w.last && w.until.Equal(v.until)
}
