package aio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

func TestHazard_runInTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			ran := false
			inner := func() error {
				_, err := aio.Run(ctx, aio.Do(func(context.Context) error { ran = true; return nil }))
				return err
			}
			if err := inner(); err != aio.ErrWouldDeadlock || ran {
				t.Errorf("in a task: %v, want ErrWouldDeadlock (main ran: %v)", err, ran)
			}
			in := aio.NewPromise[error]()
			l, _ := aio.LoopOf(ctx)
			l.CallSoon(func() { in.Resolve(inner()) })
			if err, _ := in.Await(ctx); err != aio.ErrWouldDeadlock || ran {
				t.Errorf("in a callback: %v, want ErrWouldDeadlock (main ran: %v)", err, ran)
			}
			elsewhere := aio.NewPromise[error]()
			go func() { elsewhere.Resolve(inner()) }()
			if err, _ := elsewhere.Await(ctx); err != nil || !ran {
				t.Errorf("in a goroutine that a task started: %v (main ran: %v)", err, ran)
			}
			return nil
		})
	})
}

func TestHazard_taskAwaitsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			var self *aio.Task[int]
			self = aio.Go(ctx, func(ctx context.Context) (int, error) {
				if v, err := self.Await(ctx); err != aio.ErrWouldDeadlock {
					return v, fmt.Errorf("awaiting itself: %w", err)
				}
				return 4, nil
			})
			_, err := self.Await(ctx)
			return err
		})
	})
}

// In a callback or a hook nothing could end the wait, whatever the ctx.
func TestHazard_waitOutsideTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l *aio.Loop
		places := 0
		check := func(where string) {
			places++
			for _, ctx := range []context.Context{l.Context(), context.Background()} {
				for name, wait := range waits() {
					if err := wait(ctx); err != aio.ErrWouldDeadlock {
						t.Errorf("%s in %s: %v, want ErrWouldDeadlock", name, where, err)
					}
				}
				if err := aio.Yield(ctx); err != aio.ErrWouldDeadlock {
					t.Errorf("Yield in %s: %v, want ErrWouldDeadlock", where, err)
				}
				if _, err := aio.Blocking(ctx, value(1)); err != aio.ErrWouldDeadlock {
					t.Errorf("Blocking in %s: %v, want ErrWouldDeadlock", where, err)
				}
			}
		}
		l = aio.Start(aio.WithHooks(aio.Hooks{
			TaskStarted:  func(aio.TaskInfo) { check("TaskStarted") },
			TaskFinished: func(aio.TaskInfo, error) { check("TaskFinished") },
			Unhandled:    func(aio.Failure) { check("Unhandled") },
		}))
		on(t, l, func(context.Context) error { return nil })
		l.CallSoon(func() { explode("for Unhandled") })
		l.CallSoon(func() { check("a callback") })
		l.CallLater(time.Second, func() { check("a timer") })
		time.Sleep(2 * time.Second)
		if err := l.Close(); err != nil || places != 5 {
			t.Errorf("Close: %v; %d of 5 places were tried", err, places)
		}
	})
}

// A coroutine that is dropped is never collected. So a closing loop runs every task to its end, clean-up that awaits included;
// the bubble fails if one is left.
func TestHazard_closedWithSuspendedTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		var m aio.Mutex
		cleaned := 0
		for range 100 {
			aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
				defer func() {
					ctx := context.WithoutCancel(ctx)
					if err := m.Lock(ctx); err != nil {
						t.Errorf("Lock in clean-up: %v", err)
						return
					}
					defer m.Unlock()
					if err := aio.Sleep(ctx, time.Millisecond); err != nil {
						t.Errorf("Sleep in clean-up: %v", err)
					}
					cleaned++
				}()
				_, err := aio.NewPromise[int]().Await(ctx)
				return err
			}))
		}
		turn(t, l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if cleaned != 100 {
			t.Errorf("%d of 100 tasks cleaned up", cleaned)
		}
	})
}

// Tasks of one loop share plain variables; -race must agree, also with what other goroutines do in between.
func TestHazard_noRaceBetweenTasks(t *testing.T) {
	l := start(t)
	shared := map[int]int{}
	var ts []*aio.Task[struct{}]
	for i := range 50 {
		ts = append(ts, aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			for range 20 {
				n := shared[i%5]
				shared[i%5] = n + 1
				if err := aio.Yield(ctx); err != nil {
					return err
				}
				if _, err := aio.Blocking(ctx, value(1)); err != nil {
					return err
				}
			}
			return nil
		})))
	}
	if _, err := aio.Gather(context.Background(), ts...); err != nil {
		t.Fatal(err)
	}
	on(t, l, func(context.Context) error {
		for i := range 5 {
			if shared[i] != 200 {
				return fmt.Errorf("counter %d is %d, want 200", i, shared[i])
			}
		}
		return nil
	})
}

// LockOSThread may not be held across an await (a fatal error of the runtime, golang/go#65889); between two awaits it may.
func TestHazard_lockedThreadBetweenAwaits(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for range 10 {
			runtime.LockOSThread()
			runtime.UnlockOSThread()
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// To wake by running the other at once would nest: last in, first out, and deeper with each. Through the ready queue it is a flat row.
func TestHazard_wakingDoesNotNest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			const n = 2000
			links := make([]*aio.Promise[int], n+1)
			for i := range links {
				links[i] = aio.NewPromise[int]()
			}
			var order []int
			for i := range n {
				aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					_, err := links[i].Await(ctx)
					links[i+1].Resolve(i) // would nest n deep
					order = append(order, i)
					return err
				}))
			}
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			links[0].Resolve(0)
			_, err := links[n].Await(ctx)
			if !slices.IsSorted(order) || len(order) != n {
				return errors.Join(err, errors.New("the tasks did not go on in the order they were woken"))
			}
			return err
		})
	})
}
