package aio_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// Contexts whose methods panic, or end the goroutine that asks them.

// trap is a context of the method named, which springs at the n-th call. It can end: Done is not nil.
type trap struct {
	context.Context
	method string
	at     int32
	spring func()
	calls  *atomic.Int32
}

func newTrap(parent context.Context, method string, at int32, spring func()) trap {
	return trap{parent, method, at, spring, new(atomic.Int32)}
}

func (c trap) asked(method string) {
	if method == c.method && c.calls.Add(1) == c.at {
		c.spring()
	}
}

// arm has the next call spring it.
func (c trap) arm() { c.calls.Store(c.at - 1) }

func (c trap) sprung() bool { return c.calls.Load() >= c.at }

func (c trap) Done() <-chan struct{} { c.asked("Done"); return c.Context.Done() }
func (c trap) Err() error            { c.asked("Err"); return c.Context.Err() }
func (c trap) Value(key any) any     { c.asked("Value"); return c.Context.Value(key) }

var bothHows = []string{"panic", "Goexit"}

var springs = map[string]func(){"panic": func() { explode(io.ErrNoProgress) }, "Goexit": runtime.Goexit}

// eachTrap calls fn, in a bubble, for each way in which a context can go wrong, as long as fn says that it asked the context so often.
func eachTrap(t *testing.T, hows []string, fn func(t *testing.T, mk func(parent context.Context) trap) (sprung bool)) {
	for _, how := range hows {
		spring := springs[how]
		for _, method := range []string{"Done", "Err", "Value"} {
			for at := int32(1); at < 100; at++ {
				sprung := false
				synctest.Test(t, func(t *testing.T) {
					var c trap
					sprung = fn(t, func(parent context.Context) trap {
						c = newTrap(parent, method, at, spring)
						return c
					})
				})
				if t.Failed() {
					t.Fatalf("%s at call %d of %s", how, at, method)
				}
				if !sprung {
					break
				}
			}
		}
	}
}

// aside runs fn in a goroutine that may panic and go.
func aside(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		fn()
	}()
	<-done
}

// A task whose context goes wrong while it is started was never there, or ends: the loop can close, and a group its member.
func TestGo_underAContextThatPanics(t *testing.T) {
	eachTrap(t, bothHows, func(t *testing.T, mk func(context.Context) trap) bool {
		l := aio.Start(newReports().option())
		defer l.Close()
		base, cancel := context.WithCancel(context.Background())
		defer cancel()
		var c trap
		aside(func() {
			c = mk(base)
			_, _ = aio.Submit(c, l, value(1)).Await(context.Background())
		})
		if n := len(l.Tasks()); n > 0 {
			t.Errorf("%d tasks are left", n)
		}
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		return c.sprung()
	})
}

func TestGo_inAGroupUnderAContextThatPanics(t *testing.T) {
	eachTrap(t, bothHows, func(t *testing.T, mk func(context.Context) trap) bool {
		var c trap
		_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
			_, err := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				return aio.WithGroup(ctx, func(ctx context.Context) error {
					c = mk(ctx)
					aio.Go(c, value(1))
					return nil
				})
			})).Await(ctx)
			var p *aio.PanicError
			if err != nil && err != aio.ErrGoexit && !errors.As(err, &p) {
				t.Errorf("the group: %v", err)
			}
			return nil
		}), newReports().option())
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		return c.sprung()
	})
}

// A context that goes wrong while somebody waits under it ends that wait and no other: not a later one of the same task, and nobody else's.
func TestWait_underAContextThatPanics(t *testing.T) {
	for name, k := range map[string]struct {
		wait func(ctx context.Context, of *waited) error
		ends bool // the context ends, too
	}{
		"Get":              {func(ctx context.Context, of *waited) error { _, err := of.queue.Get(ctx); return err }, false},
		"Get that ends":    {func(ctx context.Context, of *waited) error { _, err := of.queue.Get(ctx); return err }, true},
		"Await":            {func(ctx context.Context, of *waited) error { _, err := of.promise.Await(ctx); return err }, false},
		"Acquire":          {func(ctx context.Context, of *waited) error { return of.room.Acquire(ctx) }, false},
		"Sleep":            {func(ctx context.Context, of *waited) error { return aio.Sleep(ctx, time.Second) }, false},
		"Sleep that ends":  {func(ctx context.Context, of *waited) error { return aio.Sleep(ctx, time.Second) }, true},
		"Lock":             {func(ctx context.Context, of *waited) error { return of.lock(ctx) }, false},
		"Lock that ends":   {func(ctx context.Context, of *waited) error { return of.lock(ctx) }, true},
		"Gather that ends": {func(ctx context.Context, of *waited) error { _, err := aio.Gather(ctx, of.promise); return err }, true},
	} {
		for _, by := range []string{"task", "own context", "goroutine"} {
			t.Run(name+" by "+by, func(t *testing.T) {
				hows := bothHows
				if strings.HasPrefix(name, "Lock") {
					hows = hows[:1] // who goes while it queues for a mutex keeps the place, as who goes holding it keeps the mutex
				}
				eachTrap(t, hows, func(t *testing.T, mk func(context.Context) trap) bool {
					return breakWait(t, mk, by, k.ends, k.wait)
				})
			})
		}
	}
}

// waited is what is waited for, all granted by grant.
type waited struct {
	queue   aio.Queue[int]
	promise *aio.Promise[int]
	room    *aio.Semaphore
	mutex   aio.Mutex
}

func (w *waited) lock(ctx context.Context) error {
	err := w.mutex.Lock(ctx)
	if err == nil {
		w.mutex.Unlock()
	}
	return err
}

func (w *waited) grant() {
	_ = w.queue.TryPut(1)
	w.promise.Resolve(1)
	w.room.Release()
	w.mutex.Unlock()
}

func breakWait(t *testing.T, mk func(context.Context) trap, by string, ends bool, wait func(context.Context, *waited) error) bool {
	of := &waited{promise: aio.NewPromise[int](), room: aio.NewSemaphore(0)}
	of.mutex.TryLock()
	base, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := mk(base)
	slept := aio.NewPromise[time.Duration]()
	l := aio.Start(newReports().option())
	defer l.Close()
	on(t, l, func(ctx context.Context) error {
		victim := func(ctx, own context.Context) {
			d := time.Minute // if it went
			defer func() { slept.Resolve(d) }()
			func() {
				defer func() { _ = recover() }()
				_ = wait(ctx, of)
			}()
			from := time.Now()
			_ = aio.Sleep(own, time.Minute)
			d = time.Since(from)
		}
		switch by {
		case "task":
			aio.Go(ctx, aio.Do(func(ctx context.Context) error { victim(c, ctx); return nil })).OnDone(ctx, func(struct{}, error) {})
		case "own context":
			aside(func() {
				aio.Submit(c, l, aio.Do(func(ctx context.Context) error { victim(ctx, context.Background()); return nil })).OnDone(ctx, func(struct{}, error) { slept.Resolve(time.Minute) })
			})
			if c.sprung() {
				slept.Resolve(time.Minute)
			}
		case "goroutine":
			go victim(c, ctx)
		}
		if err := aio.Sleep(ctx, time.Second/2); err != nil {
			return err
		}
		if ends {
			cancel()
		}
		other := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return wait(ctx, of) }))
		if err := aio.Sleep(ctx, 5*time.Second); err != nil {
			return err
		}
		of.grant()
		_ = of.queue.TryPut(2) // both wait
		of.room.Release()
		ctx, stop := aio.WithTimeout(ctx, time.Second)
		defer stop()
		if _, err := other.Await(ctx); err != nil {
			t.Errorf("who waits for the same: %v", err)
		}
		return nil
	})
	if d, _ := slept.Await(context.Background()); d != time.Minute {
		t.Errorf("the next wait, of a minute, took %v", d)
	}
	return c.sprung()
}

// A context may go wrong only when it is asked again: when the task is to begin, and when it lets go of the context.
func TestTask_contextPanicsLater(t *testing.T) {
	for how, spring := range springs {
		t.Run("as it begins/"+how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := newReports()
				l := aio.Start(seen.option())
				base, cancel := context.WithCancel(context.Background())
				defer cancel()
				c := newTrap(base, "Err", 100, spring)
				blocked := make(chan struct{})
				l.CallSoon(func() { <-blocked })
				task := aio.Submit(c, l, value(1))
				c.arm()
				close(blocked)
				_, err := task.Await(context.Background())
				var p *aio.PanicError
				if err != aio.ErrGoexit && !(errors.As(err, &p) && p.Value == io.ErrNoProgress) || (err == aio.ErrGoexit) != (how == "Goexit") {
					t.Errorf("got %v", err)
				}
				if v, err := aio.Submit(context.Background(), l, value(2)).Await(context.Background()); v != 2 || err != nil {
					t.Errorf("the next task gave %v, %v", v, err)
				}
				if err := l.Close(); err != nil || len(seen.all()) > 0 {
					t.Errorf("Close: %v; told %v", err, seen.all())
				}
			})
		})
		t.Run("as it ends/"+how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := newReports()
				l := aio.Start(seen.option())
				base, cancel := context.WithCancel(context.Background())
				defer cancel()
				c := newTrap(base, "Value", 100, spring)
				on(t, l, func(ctx context.Context) error { // drives the loop while it waits, and so may be the one who ends the other
					task := aio.Submit(c, l, func(ctx context.Context) (int, error) {
						err := aio.Yield(context.Background())
						c.arm()
						return 1, err
					})
					for range 5 {
						if err := aio.Yield(ctx); err != nil {
							return err
						}
					}
					if v, err := task.Result(); v != 1 || err != nil {
						t.Errorf("the task gave %v, %v", v, err)
					}
					return nil
				})
				if err := l.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
				var p *aio.PanicError
				got := seen.all()
				if len(got) != 1 || got[0].Task.ID == 0 || got[0].Err != aio.ErrGoexit && !errors.As(got[0].Err, &p) {
					t.Errorf("told %v, want how the task's context went wrong", got)
				}
			})
		})
	}
}

// Who is given nil instead of a context says so, and nothing has happened.
func TestNilContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		p := aio.NewPromise[int]()
		var none context.Context
		thread := aio.NewThread()
		defer thread.Close()
		var q aio.Queue[int]
		var e aio.Event
		var m aio.Mutex
		m.TryLock()
		calls := map[string]func(){
			"Run":           func() { _, _ = aio.Run(none, value(1)) },
			"Go":            func() { aio.Go(none, value(1)) },
			"Submit":        func() { aio.Submit(none, l, value(1)) },
			"Gather":        func() { _, _ = aio.Gather(none, p) },
			"GatherAll":     func() { _, _ = aio.GatherAll(none, p) },
			"Wait":          func() { _, _, _ = aio.Wait(none, aio.AllDone, p) },
			"AsCompleted":   func() { aio.AsCompleted(none, p) },
			"Shield":        func() { _, _ = aio.Shield(none, value(1)) },
			"WithGroup":     func() { _ = aio.WithGroup(none, func(context.Context) error { return nil }) },
			"WithTimeout":   func() { aio.WithTimeout(none, time.Second) },
			"Sleep":         func() { _ = aio.Sleep(none, time.Second) },
			"Yield":         func() { _ = aio.Yield(none) },
			"Blocking":      func() { _, _ = aio.Blocking(none, value(1)) },
			"InExecutor":    func() { aio.InExecutor(none, thread, value(1)) },
			"LoopOf":        func() { aio.LoopOf(none) },
			"Future.Await":  func() { _, _ = p.Await(none) },
			"Future.OnDone": func() { p.OnDone(none, func(int, error) {}) },
			"Queue.Get":     func() { _, _ = q.Get(none) },
			"Queue.All":     func() { q.All(none) },
			"Event.Wait":    func() { _ = e.Wait(none) },
			"Mutex.Lock":    func() { _ = m.Lock(none) },
			"Loop.Shutdown": func() { _ = l.Shutdown(none) },
		}
		for name, call := range calls {
			panics(t, "aio: "+name+" needs a context, got nil", call)
			on(t, l, func(context.Context) error {
				if name != "Loop.Shutdown" { // ErrWouldDeadlock, whatever ctx is
					panics(t, "aio: "+name+" needs a context, got nil", call)
				}
				return nil
			})
		}
		if n := len(l.Tasks()); n > 0 {
			t.Errorf("%d tasks were counted", n)
		}
	})
}

func TestRun_contextPanicsOnAClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := aiotest.NewClock(time.Time{})
		//lint:ignore SA1012 that is the test
		aside(func() { _, _ = aio.Run(nil, value(1), aio.WithClock(c)) })
		aside(func() {
			_, _ = aio.Run(newTrap(context.Background(), "Done", 1, springs["panic"]), value(1), aio.WithClock(c))
		})
		run(t, func(ctx context.Context) error { return aio.Sleep(ctx, time.Hour) }, aio.WithClock(c)) // while somebody held it, no time would pass
	})
}
