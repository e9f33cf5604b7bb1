package aio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Each hazard of coroutines on iter.Pull (docs/adr/0001) and what we do about it.

//go:noinline
func explode(value any) { panic(value) }

func TestHazard_panicInTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			task := aio.Go(ctx, func(ctx context.Context) (int, error) {
				if err := aio.Yield(ctx); err != nil { // not in its first step
					return 0, err
				}
				explode(io.ErrUnexpectedEOF)
				return 1, nil
			})
			_, err := task.Await(ctx)
			var p *aio.PanicError
			if !errors.As(err, &p) {
				t.Fatalf("got %v, want a *PanicError", err)
			}
			if p.Value != io.ErrUnexpectedEOF || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("Value is %v, want what was panicked with, also for errors.Is", p.Value)
			}
			if !bytes.Contains(p.Stack, []byte("aio_test.explode(")) {
				t.Errorf("the stack does not name the function that panicked:\n%s", p.Stack)
			}
			if task.State() != aio.Finished {
				t.Errorf("the task is %v, want finished", task.State())
			}
			if v, err := aio.Go(ctx, value(3)).Await(ctx); v != 3 || err != nil { // takes the same coroutine
				t.Errorf("the next task gave %v, %v", v, err)
			}
			return nil
		})
	})
}

func TestHazard_panicOfMain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cleaned := false
		defer func() {
			p, ok := recover().(*aio.PanicError)
			if !ok || p.Value != "boom" || !bytes.Contains(p.Stack, []byte("aio_test.explode(")) {
				t.Errorf("Run panicked with %v, want main's *PanicError", p)
			}
			if !cleaned {
				t.Error("Run panicked before its loop had closed")
			}
		}()
		run(t, func(ctx context.Context) error {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				defer func() { cleaned = true }()
				return new(aio.Event).Wait(ctx)
			}))
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			explode("boom")
			return nil
		})
		t.Error("Run returned")
	})
}

func TestHazard_goexitInTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a coroutine left behind would fail the bubble
		run(t, func(ctx context.Context) error {
			deferred := 0
			for name, exit := range map[string]func(){
				"Goexit":  runtime.Goexit,
				"FailNow": new(testing.T).FailNow,
			} {
				_, err := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					defer func() {
						if err := aio.Sleep(ctx, time.Second); err == nil { // a deferred call may await
							deferred++
						}
					}()
					exit()
					return nil
				})).Await(ctx)
				if err != aio.ErrGoexit {
					t.Errorf("%s: got %v, want ErrGoexit", name, err)
				}
			}
			if deferred != 2 {
				t.Errorf("%d of 2 deferred calls ran to their ends", deferred)
			}
			return nil
		})
	})
}

func TestHazard_goexitOfMain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := aio.Run(t.Context(), aio.Do(func(context.Context) error { runtime.Goexit(); return nil }), complains(t))
		if err != aio.ErrGoexit {
			t.Errorf("Run: %v, want ErrGoexit", err)
		}
	})
}

// The goroutine of Run can't be kept from ending; but first it runs the loop to its end.
func TestHazard_goexitInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		seen := newReports()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			defer tr.add("goroutine-ends")
			_, _ = aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
				l, _ := aio.LoopOf(ctx)
				l.CallSoon(runtime.Goexit)
				l.CallSoon(func() { tr.add("next-callback") })
				err := aio.Sleep(ctx, time.Second)
				tr.add("main-ends")
				return err
			}), seen.option())
			tr.add("Run-returned")
		}()
		<-ended
		tr.check(t, "next-callback main-ends goroutine-ends")
		if got := seen.all(); len(got) != 1 || got[0].Err != aio.ErrGoexit || got[0].Task.ID != 0 {
			t.Errorf("Unhandled was told %v, want ErrGoexit of no task", got)
		}

		l := aio.Start(seen.option())
		l.CallSoon(runtime.Goexit)
		turn(t, l)
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// Another goroutine goes on with the loop, as often as it takes: none pays for those before it.
func TestHazard_goexitInCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := aio.Start(seen.option())
		var q aio.Queue[int]
		waits := aio.Submit(l.Context(), l, q.Get) // one and the same task all the time
		const n = 1000
		var first, last int
		done := make(chan struct{})
		var callback func()
		left := n
		callback = func() {
			var pcs [2 * n]uintptr
			last = runtime.Callers(0, pcs[:])
			if left == n {
				first = last
			}
			if left--; left > 0 {
				l.CallSoon(callback)
			} else {
				_ = q.TryPut(1)
				close(done)
			}
			runtime.Goexit()
		}
		l.CallSoon(callback)
		<-done
		if last > first {
			t.Errorf("after %d callbacks that went the stack has %d frames, at first %d", n, last, first)
		}
		if v, err := waits.Await(context.Background()); v != 1 || err != nil {
			t.Errorf("the task gave %v, %v", v, err)
		}
		on(t, l, func(ctx context.Context) error { // where the loop is now it is known
			l.CallSoon(func() {
				if aio.InTask() || aio.Sleep(ctx, 1) != aio.ErrWouldDeadlock || l.Close() != aio.ErrWouldDeadlock {
					t.Error("the loop does not know its goroutine")
				}
			})
			return aio.Yield(context.Background())
		})
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if got := seen.all(); len(got) != n || got[n-1].Err != aio.ErrGoexit {
			t.Errorf("Unhandled was told of %d, want %d times ErrGoexit", len(got), n)
		}
	})
}

func TestHazard_panicInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := start(t, seen.option())
		l.CallSoon(func() { explode("soon") })
		l.CallLater(time.Second, func() { explode("later") })
		aio.Submit(l.Context(), l, value(1)).OnDone(l.Context(), func(int, error) { explode("done") })
		time.Sleep(2 * time.Second)
		turn(t, l)
		got := seen.all()
		if len(got) != 3 {
			t.Fatalf("%d failures were reported, want 3: %v", len(got), got)
		}
		for i, want := range []string{"soon", "done", "later"} {
			var p *aio.PanicError
			if !errors.As(got[i].Err, &p) || p.Value != want || !bytes.Contains(p.Stack, []byte("aio_test.explode(")) {
				t.Errorf("failure %d is %v, want the panic %q with its stack", i, got[i].Err, want)
			}
		}
	})
}

// A goroutine that was handed a task's ctx must block, and never run on in the task's place.
func TestHazard_strayGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			l, _ := aio.LoopOf(ctx)
			baton := 0 // -race sees who touches it without holding the loop
			var q aio.Queue[string]
			answer := aio.NewPromise[error]()
			go func() {
				answer.Resolve(func() error {
					if aio.InTask() {
						return errors.New("a plain goroutine says that it is a task")
					}
					if got, ok := aio.LoopOf(ctx); !ok || got != l {
						return errors.New("the ctx has lost its loop")
					}
					if err := aio.Sleep(ctx, time.Second); err != nil {
						return err
					}
					if err := aio.Yield(ctx); err != nil {
						return err
					}
					if v, err := q.Get(ctx); v != "item" || err != nil {
						return fmt.Errorf("Get: %q, %w", v, err)
					}
					v, err := aio.Go(ctx, func(context.Context) (int, error) { baton++; return baton, nil }).Await(ctx)
					if v < 1 {
						return fmt.Errorf("Await: %v, %w", v, err)
					}
					return err
				}())
			}()
			for range 3 { // suspended and running while the other waits
				baton++
				if err := aio.Sleep(ctx, time.Second); err != nil {
					return err
				}
				if !aio.InTask() {
					return errors.New("the task has become another goroutine")
				}
			}
			if err := q.Put(ctx, "item"); err != nil {
				return err
			}
			err, err2 := answer.Await(ctx)
			return errors.Join(err, err2)
		})
	})
}

func TestHazard_contextOfAnotherLoopsTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := start(t)
		var foreign context.Context
		wake := aio.NewPromise[int]()
		keeper := aio.Submit(context.Background(), other, func(ctx context.Context) (int, error) {
			foreign = ctx
			return wake.Await(ctx)
		})
		turn(t, other)
		run(t, func(ctx context.Context) error {
			mine, _ := aio.LoopOf(ctx)
			for _, c := range []context.Context{foreign, context.Background(), context.WithoutCancel(foreign), other.Context()} {
				others := 0
				neighbour := aio.Go(ctx, func(ctx context.Context) (int, error) { others++; return others, nil })
				if err := aio.Sleep(c, time.Second); err != nil { // if this blocked the loop, the neighbour could not have run
					return err
				}
				if others != 1 || neighbour.State() != aio.Finished {
					return errors.New("awaiting under another loop's ctx blocked this loop")
				}
			}
			// Go under a foreign ctx is that loop's task; to await it under that ctx suspends this one.
			v, err := aio.Go(foreign, func(ctx context.Context) (int, error) {
				if l, _ := aio.LoopOf(ctx); l != other || l == mine {
					return 0, errors.New("the task runs on the wrong loop")
				}
				return 5, aio.Sleep(ctx, time.Second)
			}).Await(foreign)
			if v != 5 || err != nil {
				return fmt.Errorf("got %v, %w", v, err)
			}
			// The end of the foreign ctx ends a wait under it.
			w := aio.Go(ctx, aio.Do(func(context.Context) error { return new(aio.Event).Wait(foreign) }))
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			keeper.Cancel(io.ErrClosedPipe)
			if _, err := w.Await(ctx); !errors.Is(err, io.ErrClosedPipe) || !errors.Is(err, context.Canceled) {
				return fmt.Errorf("the wait ended with %w", err)
			}
			return nil
		})
		if _, err := keeper.Await(context.Background()); !errors.Is(err, aio.ErrCancelled) {
			t.Errorf("the other loop's task ended with %v", err)
		}
	})
}

// A task's iterator runs on a third goroutine: what it awaits could never end, because the loop waits for the iterator.
func TestHazard_awaitInsideIterPull(t *testing.T) {
	pull := func(wait func() error) error { // calls wait on the goroutine of an iterator
		next, stop := iter.Pull(func(yield func(error) bool) { yield(wait()) })
		defer stop()
		err, _ := next()
		return err
	}
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			for depth, in := range []func(func() error) error{
				pull,
				func(wait func() error) error { return pull(func() error { return pull(wait) }) },
			} {
				if err := in(func() error { _, err := aio.NewPromise[int]().Await(ctx); return err }); err != aio.ErrWouldDeadlock {
					t.Errorf("depth %d: Await: %v, want ErrWouldDeadlock", depth+1, err)
				}
				if err := in(func() error { return new(aio.Event).Wait(ctx) }); err != aio.ErrWouldDeadlock {
					t.Errorf("depth %d: Wait: %v, want ErrWouldDeadlock", depth+1, err)
				}
				if err := in(func() error { return aio.Sleep(ctx, time.Second) }); err != aio.ErrWouldDeadlock {
					t.Errorf("depth %d: Sleep: %v, want ErrWouldDeadlock", depth+1, err)
				}
				if err := in(func() error { _, err := aio.Go(ctx, value(1)).Await(ctx); return err }); err != aio.ErrWouldDeadlock {
					t.Errorf("depth %d: Await of a task: %v, want ErrWouldDeadlock", depth+1, err)
				}
			}
			done := aio.NewPromise[int]()
			done.Resolve(1)
			return pull(func() error { _, err := done.Await(ctx); return err }) // nothing to wait for
		})

		l := start(t)
		synctest.Wait() // l has nothing to do
		run(t, func(context.Context) error {
			for name, ctx := range map[string]context.Context{"another loop's": l.Context(), "no loop's": context.Background()} {
				if err := pull(func() error { return new(aio.Event).Wait(ctx) }); err != aio.ErrWouldDeadlock {
					t.Errorf("under %s ctx: %v, want ErrWouldDeadlock", name, err)
				}
			}
			return nil
		})
		inCallback := make(chan error, 1)
		l.CallSoon(func() { inCallback <- pull(func() error { return new(aio.Event).Wait(l.Context()) }) })
		if err := <-inCallback; err != aio.ErrWouldDeadlock {
			t.Errorf("in a callback: %v, want ErrWouldDeadlock", err)
		}
		if err := pull(func() error { // no loop waits for this one
			_, err := aio.Submit(l.Context(), l, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Second) })).Await(l.Context())
			return err
		}); err != nil {
			t.Errorf("in a plain goroutine: %v", err)
		}
	})
}
