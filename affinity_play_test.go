package aio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio"
)

// scenario is what the main task of a loop with a thread of its own does, in all the ways in which code gets to run there.
type scenario struct {
	name   string
	places []string // all that it passes
	play   func(a *affinity, h host, ctx context.Context) error
}

var scenarios = []scenario{
	{"waits", []string{"before a wait", "after Yield", "after Sleep", "after a queue", "after a lock", "after an await", "after a barrier", "a child"}, playWaits},
	{"chain", []string{"in the chain", "below the chain"}, playChain},
	{"callbacks", []string{"CallSoon", "CallSoon from outside", "CallLater", "CallAt", "OnDone", "OnDone from outside", "after Goexit", "after a panic", "main", "Unhandled"}, playCallbacks},
	{"leaving", []string{"in Blocking", "in a pool", "on a Thread", "back", "back from a panic"}, playLeaving},
	{"ends", []string{"cancelled", "its clean-up", "panics", "its defer", "goes", "after them", "Unhandled"}, playEnds},
	{"given functions", []string{"Poll", "Cond.WaitFor", "less", "AsCompleted", "Queue.All", "WithGroup", "ForEach", "Shield", "Eager", "Is"}, playFunctions},
	{"from outside", []string{"Submit", "Submit, later"}, playOutside},
	{"closing", []string{"when it closes", "clean-up that waits", "clean-up cut off"}, playClosing},
}

// tasks runs n of them and waits for all.
func tasks(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	return aio.WithGroup(ctx, func(ctx context.Context) error {
		for i := range n {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error { return fn(ctx, i) }))
		}
		return nil
	})
}

// playWaits waits for everything in many tasks, so that each is resumed by the loop and by other tasks.
func playWaits(a *affinity, _ host, ctx context.Context) error {
	const n = 12
	q, b := aio.NewQueue[int](1), aio.NewBarrier(n)
	var m aio.Mutex
	return tasks(ctx, n, func(ctx context.Context, i int) error {
		for round := range 4 {
			a.here("before a wait")
			err := aio.Yield(ctx)
			a.here("after Yield")
			err = errors.Join(err, aio.Sleep(ctx, time.Duration(i%3)*time.Millisecond))
			a.here("after Sleep")
			if (i+round)%2 == 0 {
				err = errors.Join(err, q.Put(ctx, i))
			} else if _, got := q.Get(ctx); got != nil {
				err = errors.Join(err, got)
			}
			a.here("after a queue")
			err = errors.Join(err, m.Lock(ctx), aio.Yield(ctx))
			a.here("after a lock")
			m.Unlock()
			_, awaited := aio.Go(ctx, aio.Do(func(ctx context.Context) error { a.here("a child"); return aio.Yield(ctx) })).Await(ctx)
			a.here("after an await")
			_, met := b.Wait(ctx)
			a.here("after a barrier")
			if err := errors.Join(err, awaited, met); err != nil {
				return err
			}
		}
		return nil
	})
}

// playChain looks from tasks that other tasks, which wait, have resumed or started on their own stacks, and sees that these do.
func playChain(a *affinity, h host, ctx context.Context) error {
	driven := false
	err := tasks(ctx, 8, func(ctx context.Context, i int) error {
		for range 4 {
			a.here("in the chain")
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			_, err := aio.Go(ctx, aio.Do(func(context.Context) error {
				a.here("below the chain")
				driven = driven || strings.Contains(allStacks(), "aio.(*worker).drive(")
				return nil
			})).Await(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if driven != h.drives {
		return fmt.Errorf("waiting tasks ran the loop: %v, want %v", driven, h.drives)
	}
	return err
}

func allStacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

func playCallbacks(a *affinity, _ host, ctx context.Context) error {
	l, _ := aio.LoopOf(ctx)
	in, late := aio.NewPromise[int](), aio.NewPromise[int]()
	aio.Go(ctx, value(1)).OnDone(ctx, func(int, error) { a.here("OnDone") })
	in.OnDone(ctx, func(int, error) { a.here("OnDone") })
	late.OnDone(ctx, func(int, error) { a.here("OnDone from outside") })
	l.CallSoon(func() { a.here("CallSoon"); in.Resolve(1) })
	l.CallLater(time.Millisecond, func() { a.here("CallLater") })
	l.CallAt(l.Now().Add(2*time.Millisecond), func() { a.here("CallAt") })
	_, err := aio.Blocking(ctx, aio.Do(func(context.Context) error {
		l.CallSoon(func() { a.here("CallSoon from outside") })
		late.Resolve(1)
		return nil
	}))
	if err != nil {
		return err
	}
	for range 3 {
		l.CallSoon(runtime.Goexit)
		l.CallSoon(func() { a.here("after Goexit") })
		l.CallSoon(func() { panic("in a callback") })
		l.CallSoon(func() { a.here("after a panic") })
		if err := aio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		a.here("main")
	}
	return nil
}

func playLeaving(a *affinity, _ host, ctx context.Context) error {
	pool, th := aio.NewPool(aio.PoolConfig{Workers: 2}), aio.NewThread()
	err := tasks(ctx, 6, func(ctx context.Context, i int) error {
		for range 3 {
			_, err := aio.Blocking(ctx, aio.Do(func(context.Context) error { a.away("in Blocking"); return nil }))
			a.here("back")
			_, pooled := aio.InExecutor(ctx, pool, aio.Do(func(context.Context) error { a.away("in a pool"); return nil })).Await(ctx)
			a.here("back")
			_, threaded := aio.InExecutor(ctx, th, aio.Do(func(context.Context) error { a.away("on a Thread"); return nil })).Await(ctx)
			a.here("back")
			_, panicked := aio.Blocking(ctx, aio.Do(func(context.Context) error { panic("in Blocking") }))
			a.here("back from a panic")
			if panicked == nil {
				return errors.New("a panic in Blocking is no error")
			}
			if err := errors.Join(err, pooled, threaded); err != nil {
				return err
			}
		}
		return nil
	})
	err = errors.Join(err, pool.Close(), th.Close())
	a.here("back")
	return err
}

// playEnds ends tasks in all ways, with others around them that go on.
func playEnds(a *affinity, _ host, ctx context.Context) error {
	var ended []*aio.Task[struct{}]
	start := func(ctx context.Context, fn func(ctx context.Context) error) {
		ended = append(ended, aio.Go(ctx, aio.Do(fn)))
	}
	round := func() error {
		cancelled, cancel := context.WithCancel(ctx)
		defer cancel()
		start(cancelled, func(ctx context.Context) error {
			err := aio.Sleep(ctx, time.Hour)
			a.here("cancelled")
			_ = aio.Sleep(context.WithoutCancel(ctx), time.Millisecond)
			a.here("its clean-up")
			return err
		})
		start(ctx, func(ctx context.Context) error {
			defer a.here("its defer")
			_ = aio.Yield(ctx)
			a.here("panics")
			panic("in a task")
		})
		start(ctx, func(ctx context.Context) error {
			defer a.here("its defer")
			_ = aio.Yield(ctx)
			a.here("goes")
			runtime.Goexit()
			return nil
		})
		start(ctx, func(context.Context) error { return errors.New("a failure nobody takes") })
		if err := aio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		cancel()
		if _, _, err := aio.Wait(ctx, aio.AllDone, ended...); err != nil {
			return err
		}
		a.here("after them")
		return nil
	}
	return errors.Join(round(), round(), round())
}

// placedError says where errors.Is asks it.
type placedError struct{ a *affinity }

func (e placedError) Error() string { return "placed" }
func (e placedError) Is(error) bool { e.a.here("Is"); return false }

func playFunctions(a *affinity, _ host, ctx context.Context) error {
	pass := func(place string) func(context.Context) error {
		return func(ctx context.Context) error {
			a.here(place)
			err := aio.Yield(ctx)
			a.here(place)
			return err
		}
	}
	return tasks(ctx, 4, func(ctx context.Context, _ int) error {
		tries := 0
		_, err := aio.Poll(ctx, time.Millisecond, func() (int, bool, error) { a.here("Poll"); tries++; return 0, tries > 2, nil })
		var m aio.Mutex
		c, ok := aio.NewCond(&m), false
		waiting := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			if err := m.Lock(ctx); err != nil {
				return err
			}
			defer m.Unlock()
			return c.WaitFor(ctx, func() bool { a.here("Cond.WaitFor"); return ok })
		}))
		err = errors.Join(err, aio.Yield(ctx), m.Lock(ctx))
		ok = true
		c.Broadcast()
		m.Unlock()
		q := aio.NewPriorityQueue(0, func(x, y int) bool { a.here("less"); return x < y })
		for i := range 3 {
			err = errors.Join(err, q.Put(ctx, i))
		}
		q.Close()
		for range q.All(ctx) {
			a.here("Queue.All")
		}
		for t := range aio.AsCompleted(ctx, waiting, aio.Go(ctx, aio.Do(aio.Yield))) {
			a.here("AsCompleted")
			_, failed := t.Result()
			err = errors.Join(err, failed)
		}
		_, shielded := aio.Shield(ctx, aio.Do(pass("Shield")))
		_, eager := aio.Go(ctx, aio.Do(pass("Eager")), aio.Eager()).Await(ctx)
		stopped := aio.Go(ctx, func(ctx context.Context) (int, error) { _ = aio.Sleep(ctx, time.Hour); return 0, placedError{a} })
		err = errors.Join(err, aio.Yield(ctx))
		stopped.Cancel(nil)
		_, _ = stopped.Await(ctx)
		return errors.Join(err, shielded, eager, aio.WithGroup(ctx, pass("WithGroup")),
			aio.ForEach(ctx, 2, slices.Values([]int{1, 2, 3}), func(ctx context.Context, _ int) error { return pass("ForEach")(ctx) }))
	})
}

// playOutside has goroutines and a loop elsewhere hand tasks over, some under a context whose code is a user's.
func playOutside(a *affinity, _ host, ctx context.Context) error {
	l, _ := aio.LoopOf(ctx)
	fn := aio.Do(func(ctx context.Context) error {
		a.here("Submit")
		err := aio.Sleep(ctx, time.Millisecond)
		a.here("Submit, later")
		return err
	})
	_, err := aio.Blocking(ctx, aio.Do(func(ctx context.Context) error {
		submitted := make(chan *aio.Task[struct{}])
		const n = 20
		for i := range n {
			go func() {
				under := context.WithoutCancel(ctx)
				if i%2 == 0 {
					under = asking{under, func() {}}
				}
				submitted <- aio.Submit(under, l, fn)
			}()
		}
		var all error
		for range n {
			_, err := (<-submitted).Await(ctx)
			all = errors.Join(all, err)
		}
		other := aio.Start()
		_, err := aio.Submit(context.Background(), other, aio.Do(func(ctx context.Context) error {
			_, err := aio.Submit(ctx, l, fn).Await(ctx)
			return err
		})).Await(ctx)
		return errors.Join(all, err, other.Close())
	}))
	return err
}

// playClosing leaves tasks behind that only the loop's Close ends, at once, after clean-up, or by force.
func playClosing(a *affinity, _ host, ctx context.Context) error {
	l, _ := aio.LoopOf(ctx)
	for range 4 {
		aio.Submit(l.Context(), l, aio.Do(func(ctx context.Context) error {
			defer a.here("when it closes")
			return aio.Sleep(ctx, time.Hour)
		}))
		aio.Submit(l.Context(), l, aio.Do(func(ctx context.Context) error {
			err := aio.Sleep(ctx, time.Hour)
			_ = aio.Sleep(context.WithoutCancel(ctx), 10*time.Millisecond)
			a.here("clean-up that waits")
			return err
		}))
		aio.Submit(l.Context(), l, aio.Do(func(ctx context.Context) error {
			defer a.here("clean-up cut off")
			for {
				_ = aio.Sleep(context.WithoutCancel(ctx), time.Hour)
			}
		}))
	}
	return aio.Yield(ctx)
}
