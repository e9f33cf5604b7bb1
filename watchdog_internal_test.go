package aio

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStopwatch(t *testing.T) {
	const limit = 100 * time.Millisecond
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for name, c := range map[string]struct {
		reads      [][3]int // due, read, ran so far
		held, gone int
	}{
		"on time":                         {[][3]int{{10, 10}, {20, 21}, {31, 31}}, 31, 0},
		"a little late counts":            {[][3]int{{10, 35}, {45, 70}}, 70, 0},
		"late does not count":             {[][3]int{{10, 36}, {46, 96}}, 20, 0},
		"stopped":                         {[][3]int{{10, 10, 10}, {20, 5020, 25}, {5030, 5030, 30}}, 35, 4995},
		"due before the step was looked":  {[][3]int{{-4000, 5}, {15, 15}}, 15, 0},
		"late because the step computes":  {[][3]int{{10, 40, 40}, {50, 90, 90}}, 90, 0},
		"that, on a slow machine":         {[][3]int{{10, 60, 30}, {70, 120, 60}}, 60, 0}, // 20 + 20 of 50 + 50
		"that, and stopped":               {[][3]int{{10, 1040, 40}}, 40, 1000},
		"one of many processors computes": {[][3]int{{10, 60, 7}}, 10, 0},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			s := stopwatch{from: start, last: start}
			var held time.Duration
			for _, r := range c.reads {
				held = s.read(start.Add(ms(r[1])), start.Add(ms(r[0])), limit, ms(r[2]))
			}
			if held != ms(c.held) || s.gone != ms(c.gone) {
				t.Errorf("held %v, gone %v; want %v, %v", held, s.gone, ms(c.held), ms(c.gone))
			}
		})
	}
}

// A program may be stopped between a look at the clock and the setting of the timer, too.
func TestWatchdog_stoppedBeforeTheTimerIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Start(WithSlowStep(100 * time.Millisecond))
		synctest.Wait()
		d := &l.watch
		func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			looked := time.Now()
			time.Sleep(5 * time.Second)
			d.ask(looked)
			time.Sleep(d.period())
			if held := d.held.read(time.Now(), d.due, d.limit, 0); held != d.period() {
				t.Errorf("a step of %v was held for %v", d.period(), held)
			}
		}()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// In virtual time a tick would be a stop on the way; in real time it would keep a processor awake.
func TestWatchdog_sleepsWhileTheLoopIsParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Start(WithSlowStep(100 * time.Millisecond))
		for _, bubbled := range []bool{true, false} { // false: as outside of bubbles, where the next tick finds out
			l.watch.mu.Lock()
			l.watch.bubbled, l.watch.precise = bubbled, bubbled
			l.watch.mu.Unlock()
			l.CallSoon(func() {})
			if bubbled {
				synctest.Wait()
			} else {
				time.Sleep(time.Second)
			}
			armed := true
			func() {
				l.watch.mu.Lock()
				defer l.watch.mu.Unlock()
				armed = l.watch.timer.Stop()
			}()
			if !l.watch.asleep.Load() || armed {
				t.Errorf("bubbled %v: the loop is parked, and the watchdog asleep is %v, its timer armed %v", bubbled, l.watch.asleep.Load(), armed)
			}
			time.Sleep(time.Hour)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Between dumps there is a pause, and among too many goroutines there is none.
func TestWatchdog_looksSeldom(t *testing.T) {
	l := newLoop(nil)
	d := &l.watch
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.told, d.dumped, d.dumping = &toldStep{}, now, 30*time.Millisecond
	if h := d.findHolder(now.Add(599 * time.Millisecond)); !strings.HasPrefix(string(h.stack), "aio: no stack: the last look took 30ms, the next is taken 1ms from now") {
		t.Errorf("599 ms after a look of 30 ms: %q", h.stack)
	}
	if h := d.findHolder(now.Add(601 * time.Millisecond)); strings.Contains(string(h.stack), "no stack") || d.dumped == now {
		t.Errorf("601 ms after a look of 30 ms: %q", h.stack)
	}
}

func TestFirstUserLine(t *testing.T) {
	std := stdFolder()
	for name, c := range map[string]struct{ stack, want string }{
		"waits": {"goroutine 7 [chan receive]:\nsync.(*Mutex).Lock(...)\n\t" + std + "sync/mutex.go:46\nmain.(*server).handle(0xc000, {0x1, 0x2})\n\t/src/x/server.go:12 +0x1d\n", "/src/x/server.go:12 main.(*server).handle"},
		"in aio": {"goroutine 7 [runnable]:\ngithub.com/seed8b1f0744/aio.(*Loop).protect(0x1)\n\t/src/aio/loop.go:3 +0x1\ngithub.com/seed8b1f0744/aio/internal/timerq.(*Queue[...]).Pop(0x1)\n\t/src/aio/internal/timerq/timerq.go:3 +0x1\n" +
			"created by github.com/seed8b1f0744/other.Start in goroutine 1\n\t/src/other/main.go:4 +0x1\n", ""},
		"empty": {"", ""},
	} {
		if got := firstUserLine([]byte(c.stack)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// What the watchdog costs while nothing is slow: nothing, next to the same without it.
func BenchmarkStep(b *testing.B) {
	for name, opts := range map[string][]Option{"watched": nil, "unwatched": {WithSlowStep(0)}} {
		b.Run(name, func(b *testing.B) {
			_, err := Run(context.Background(), Do(func(ctx context.Context) error {
				l, _ := LoopOf(ctx)
				fn := func() {}
				b.ReportAllocs()
				for b.Loop() {
					for range 1000 {
						l.CallSoon(fn)
					}
					if err := Yield(ctx); err != nil {
						return err
					}
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/1000, "ns/step")
				return nil
			}), opts...)
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

// What nobody asked for: 100 ms, but not in a bubble, where each step that waits would be slow.
func TestWatchdog_default(t *testing.T) {
	if got := newLoop(nil).watch.limit; got != 100*time.Millisecond {
		t.Errorf("by default the limit is %v", got)
	}
	if !newLoop([]Option{WithDebug()}).watch.precise || newLoop(nil).watch.precise {
		t.Error("slow steps are timed exactly in debug mode, and only there")
	}
	synctest.Test(t, func(t *testing.T) {
		if got := newLoop(nil).watch.limit; got != 0 {
			t.Errorf("by default the limit in a bubble is %v", got)
		}
	})
}

// A step that was interrupted by a stop of the machine is looked at anew, and what the stop took is not told of.
func TestWatchdog_stopDoesNotCount(t *testing.T) {
	var took []time.Duration
	l := newLoop([]Option{WithHooks(Hooks{SlowStep: func(s SlowStep) { took = append(took, s.Took) }})})
	d := &l.watch
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.began, d.due = now.Add(-time.Hour), now.Add(-defaultSlowStep)
	if d.ask(now); !d.began.Equal(now.Add(-time.Hour)) {
		t.Error("a tick that is a little late counts as a stop")
	}
	d.due = now.Add(-defaultSlowStep - 1)
	if d.ask(now); !d.began.Equal(now) {
		t.Error("what was before a stop counts")
	}
	d.timer.Stop()
	d.told = &toldStep{began: now, gone: 5 * time.Second, ended: now.Add(8 * time.Second)}
	d.tellEnd()
	if len(took) != 1 || took[0] != 3*time.Second || d.told != nil {
		t.Errorf("a step of 8 s, in which the machine was away for 5, is said to have taken %v", took)
	}
}

// An address may begin like another one, and a goroutine is known by the whole.
func TestGoroutineWith(t *testing.T) {
	w := new(worker)
	at := fmt.Sprintf("%p", w)
	dump := "goroutine 1 [running]:\naio.(*worker).body(" + at + "0)\n\t/x.go:1\n\ngoroutine 2 [coroutine]:\naio.(*worker).body(" + at + ", 0x1)\n\t/x.go:1\n\ngoroutine 3 [running]:\n"
	if got := string(goroutineWith([]byte(dump), "aio.(*worker).body", w)); !strings.HasPrefix(got, "goroutine 2 ") || strings.Contains(got, "goroutine 3") {
		t.Errorf("found %q", got)
	}
	if got := goroutineWith([]byte(dump), "aio.(*worker).body", new(worker)); got != nil {
		t.Errorf("found %q", got)
	}
}

// Built with -trimpath, files begin with their import path.
func TestIsOurs_trimmed(t *testing.T) {
	defer func(was func() string) { stdFolder = was }(stdFolder)
	stdFolder = func() string { return "" }
	for _, c := range []struct {
		function, file string
		want           bool
	}{
		{"sync.(*Mutex).Lock", "sync/mutex.go", true},
		{"github.com/seed8b1f0744/aio.(*Loop).protect", "github.com/seed8b1f0744/aio/loop.go", true},
		{"github.com/seed8b1f0744/aio/internal/coro.(*Coro).Resume", "github.com/seed8b1f0744/aio/internal/coro/coro.go", true},
		{"github.com/seed8b1f0744/aio/aiotest.Run", "github.com/seed8b1f0744/aio/aiotest/run.go", false},
		{"main.main", "server/main.go", false},
		{"example.com/server.handle", "example.com/server/handle.go", false},
	} {
		if got := isOurs(c.function, c.file); got != c.want {
			t.Errorf("isOurs(%s, %s) = %v", c.function, c.file, got)
		}
	}
}
