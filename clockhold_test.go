package aio_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// Who holds a virtual clock. In each case a task sleeps for an hour, so that the clock has where to
// jump to when it must not.

// elapsed is how far the loop's clock has come.
func elapsed(ctx context.Context) time.Duration { return aio.Now(ctx).Sub(aiotest.Epoch) }

// distracted is a main function beside which a task sleeps.
func distracted(main func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		aio.Go(ctx, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Hour) }))
		return main(ctx)
	}
}

func TestClockHold_callThatWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		aiotest.Run(t, distracted(func(ctx context.Context) error {
			out := make(chan struct{})
			go func() {
				synctest.Wait() // the loop is parked
				if d := elapsed(ctx); d != 0 {
					t.Errorf("the clock jumped %v while a call was out", d)
				}
				close(out)
			}()
			_, err := aio.Blocking(ctx, aio.Do(func(context.Context) error { <-out; return nil }))
			if d := elapsed(ctx); d != 0 {
				t.Errorf("the clock jumped %v before the call's result was taken", d)
			}
			return err
		}))
	})
}

// A call that is handed to the loop by a plain goroutine, while the loop is parked, counts at once.
func TestClockHold_callFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := aiotest.NewClock(time.Time{})
		clock.Hold()
		l := start(t, aio.WithClock(clock))
		sleeper := aio.Submit(t.Context(), l, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Hour) }))
		synctest.Wait()
		pool := aio.NewPool(aio.PoolConfig{})
		out := make(chan struct{})
		f := aio.InExecutor(l.Context(), pool, aio.Do(func(context.Context) error { <-out; return nil }))
		clock.Release()
		synctest.Wait()
		if sleeper.State() != aio.Pending {
			t.Error("the clock jumped while a call was out")
		}
		close(out)
		if _, err := f.Await(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := sleeper.Await(t.Context()); err != nil {
			t.Error(err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A call that waits for something of aio's does not hold the clock: it may be waiting for time to pass.
func TestClockHold_callThatWaits(t *testing.T) {
	inASecond := func(ctx context.Context) *aio.Task[struct{}] {
		return aio.Go(ctx, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Second) }))
	}
	ways := map[string]func(ctx context.Context) error{
		"Sleep": func(ctx context.Context) error { return aio.Sleep(ctx, time.Second) },
		"Sleep under a foreign context": func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			return aio.Sleep(ctx, time.Second)
		},
		"Await": func(ctx context.Context) error { _, err := inASecond(ctx).Await(ctx); return err },
		"Await without a loop": func(ctx context.Context) error {
			_, err := inASecond(ctx).Await(context.Background())
			return err
		},
		"Gather": func(ctx context.Context) error { _, err := aio.Gather(ctx, inASecond(ctx), inASecond(ctx)); return err },
		"Wait":   func(ctx context.Context) error { _, _, err := aio.Wait(ctx, aio.AllDone, inASecond(ctx)); return err },
		"WithGroup": func(ctx context.Context) error {
			return aio.WithGroup(ctx, func(ctx context.Context) error { inASecond(ctx); return nil })
		},
		"Queue": func(ctx context.Context) error {
			q := aio.NewQueue[int](0)
			l, _ := aio.LoopOf(ctx)
			l.CallLater(time.Second, func() { _ = q.TryPut(1) })
			_, err := q.Get(ctx)
			return err
		},
		"a timeout": func(ctx context.Context) error {
			ctx, cancel := aio.WithTimeout(ctx, time.Second)
			defer cancel()
			if err := new(aio.Event).Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				return errors.Join(errors.New("the wait should have ended by its deadline"), err)
			}
			return nil
		},
		"a foreign context that ends": func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			l, _ := aio.LoopOf(ctx)
			l.CallLater(time.Second, cancel)
			if err := new(aio.Event).Wait(ctx); !errors.Is(err, context.Canceled) {
				return errors.Join(errors.New("the wait should have been cancelled"), err)
			}
			return nil
		},
		"Blocking": func(ctx context.Context) error {
			_, err := aio.Blocking(ctx, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Second) }))
			return err
		},
		"an inline executor": func(ctx context.Context) error {
			_, err := aio.InExecutor(ctx, new(inline), aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Second) })).Await(ctx)
			return err
		},
	}
	for name, wait := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				aiotest.Run(t, distracted(func(ctx context.Context) error {
					_, err := aio.Blocking(ctx, aio.Do(func(ctx context.Context) error {
						err := wait(ctx)
						synctest.Wait() // the loop is parked: now the call works again, and holds the clock
						if d := elapsed(ctx); d != time.Second {
							t.Errorf("a call that waits for a second took %v", d)
						}
						return err
					}))
					return err
				}))
			})
		})
	}
}

// A call whose wait is ended by somebody else works again from then on.
func TestClockHold_waitEndedFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := aiotest.NewManualClock(time.Time{})
		l := start(t, aio.WithClock(clock))
		ctx, cancel := context.WithCancel(t.Context())
		out := make(chan struct{})
		task := aio.Submit(t.Context(), l, aio.Do(func(taskCtx context.Context) error {
			_, err := aio.Blocking(taskCtx, aio.Do(func(context.Context) error {
				err := new(aio.Event).Wait(ctx)
				<-out
				if !errors.Is(err, context.Canceled) {
					return errors.Join(errors.New("the wait should have been cancelled"), err)
				}
				return nil
			}))
			return err
		}))
		clock.Advance(time.Hour) // the call waits, which holds nothing
		cancel()
		synctest.Wait()
		go func() {
			synctest.Wait()
			if d := clock.Now().Sub(aiotest.Epoch); d != time.Hour {
				t.Errorf("the clock went on to %v while the call worked", d)
			}
			close(out)
		}()
		clock.Advance(time.Hour)
		if _, err := task.Result(); err != nil {
			t.Error(err)
		}
	})
}

// In a task, too: then it is the task that works, and waits.
func TestClockHold_inlineInTask(t *testing.T) {
	aiotest.Run(t, distracted(func(ctx context.Context) error {
		_, err := aio.InExecutor(ctx, new(inline), aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Second) })).Await(ctx)
		if d := elapsed(ctx); d != time.Second {
			t.Errorf("took %v", d)
		}
		return err
	}))
}

// A loop that runs within a call, on the same clock.
func TestClockHold_runInACall(t *testing.T) {
	clock := aiotest.NewClock(time.Time{})
	aiotest.Run(t, distracted(func(ctx context.Context) error {
		_, err := aio.Blocking(ctx, aio.Do(func(ctx context.Context) error {
			_, err := aio.Run(ctx, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Second) }), aio.WithClock(clock))
			return err
		}))
		if d := elapsed(ctx); d != time.Second {
			t.Errorf("took %v", d)
		}
		return err
	}), aio.WithClock(clock))
}

// Four calls of two seconds in a pool of two take four seconds, to the nanosecond, although something
// happens all the time.
func TestClockHold_fullPool(t *testing.T) {
	for range 8 {
		aiotest.Run(t, func(ctx context.Context) error {
			pool := aio.NewPool(aio.PoolConfig{Workers: 2})
			stop := make(chan struct{})
			defer close(stop)
			go func() { // keeps the workers from being free at once
				for {
					select {
					case <-stop:
						return
					default:
						pool.Stats()
					}
				}
			}()
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for {
					if err := aio.Sleep(ctx, 20*time.Millisecond); err != nil {
						return err
					}
				}
			}))
			err := aio.ForEach(ctx, 4, slices.Values(make([]int, 4)), func(ctx context.Context, _ int) error {
				_, err := aio.InExecutor(ctx, pool, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, 2*time.Second) })).Await(ctx)
				return err
			})
			if d := elapsed(ctx); d != 4*time.Second {
				t.Errorf("took %v", d)
			}
			return errors.Join(err, pool.Close())
		})
	}
}

// The end of a context that is not aio's is seen before time passes, although only a goroutine would bring the news.
func TestClockHold_foreignEnds(t *testing.T) {
	cancelled := func(err error) error {
		if !errors.Is(err, context.Canceled) {
			return errors.Join(errors.New("should have been cancelled"), err)
		}
		return nil
	}
	ways := map[string]func(ctx context.Context) error{
		"a wait under it":  func(ctx context.Context) error { return cancelled(new(aio.Event).Wait(ctx)) },
		"a sleep under it": func(ctx context.Context) error { return cancelled(aio.Sleep(ctx, time.Minute)) },
		"a task under it": func(ctx context.Context) error {
			task := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return new(aio.Event).Wait(ctx) }))
			_, err := task.Await(context.WithoutCancel(ctx))
			return cancelled(err)
		},
		"a timeout under it": func(ctx context.Context) error {
			ctx, stop := aio.WithTimeout(ctx, time.Minute)
			defer stop()
			return cancelled(new(aio.Event).Wait(ctx))
		},
		"Wait for it": func(ctx context.Context) error {
			_, _, err := aio.Wait(context.WithoutCancel(ctx), aio.AllDone, ctx)
			return err
		},
		"Wait for something else": func(ctx context.Context) error {
			_, _, err := aio.Wait(context.WithoutCancel(ctx), aio.AllDone, doneOnly{ctx.Done()})
			return err
		},
	}
	for name, wait := range ways {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				aiotest.Run(t, distracted(func(ctx context.Context) error {
					foreign, cancel := context.WithCancel(ctx)
					defer cancel()
					waiting := aio.Go(ctx, aio.Do(func(context.Context) error { return wait(foreign) }))
					for range 5 {
						if err := aio.Yield(ctx); err != nil {
							return err
						}
					}
					cancel()
					_, err := waiting.Await(ctx)
					if d := elapsed(ctx); d != 0 {
						t.Errorf("the clock jumped %v before the news was there", d)
					}
					return err
				}))
			}
		})
	}
}

type doneOnly struct{ c <-chan struct{} }

func (d doneOnly) Done() <-chan struct{} { return d.c }

// A task that waits for one of another loop: while either has something to do, time stands still.
func TestClockHold_acrossLoops(t *testing.T) {
	clock := aiotest.NewClock(time.Time{})
	server := start(t, aio.WithClock(clock))
	aiotest.Run(t, distracted(func(ctx context.Context) error {
		for i := range 500 {
			task := aio.Submit(ctx, server, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Millisecond) }))
			if _, err := task.Await(ctx); err != nil {
				return err
			}
			if d := elapsed(ctx); d != time.Duration(i+1)*time.Millisecond {
				t.Fatalf("round trip %d ended at %v", i+1, d)
			}
		}
		return nil
	}), aio.WithClock(clock))
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

// The end of a foreign context, brought about by one loop, is seen by another before time passes.
func TestClockHold_foreignEndAcrossLoops(t *testing.T) {
	for range 50 {
		clock := aiotest.NewClock(time.Time{})
		clock.Hold()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		server := start(t, aio.WithClock(clock))
		served := aio.Submit(ctx, server, func(ctx context.Context) (time.Time, error) {
			err := new(aio.Event).Wait(ctx)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the wait ended with %v", err)
			}
			return aio.Now(ctx), nil
		})
		aiotest.Run(t, distracted(func(ctx context.Context) error {
			clock.Release()
			if err := aio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			cancel()
			return aio.Sleep(ctx, time.Minute)
		}), aio.WithClock(clock))
		if at, err := served.Await(t.Context()); err != nil || at.Sub(aiotest.Epoch) != time.Second {
			t.Errorf("the news came at %v, want it after a second: %v", at, err)
		}
	}
}
