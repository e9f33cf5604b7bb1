package aio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// Calls that wait in the queue of a Pool or Thread hold a virtual clock only while a worker works.

// queueing are executors that run one call at a time.
var queueing = map[string]func() aio.Executor{
	"Pool":   func() aio.Executor { return aio.NewPool(aio.PoolConfig{Workers: 1, Queue: -1}) },
	"Thread": func() aio.Executor { return aio.NewThread() },
}

// eachQueueing runs test in a bubble, where time that stands still for ever is a deadlock.
func eachQueueing(t *testing.T, test func(t *testing.T, ex aio.Executor)) {
	for name, executor := range queueing {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ex := executor()
				test(t, ex)
				if err := ex.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// sleepOneSecond is a call that waits; a second of the loop's time passes.
var sleepOneSecond = aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Second) })

func TestClockLine_behindOneThatSleeps(t *testing.T) {
	eachQueueing(t, func(t *testing.T, ex aio.Executor) {
		aiotest.Run(t, distracted(func(ctx context.Context) error {
			calls := make([]*aio.Future[struct{}], 5)
			for i := range calls {
				calls[i] = aio.InExecutor(ctx, ex, sleepOneSecond)
			}
			for i, c := range calls {
				if _, err := c.Await(ctx); err != nil {
					return err
				}
				if d := elapsed(ctx); d != time.Duration(i+1)*time.Second {
					t.Errorf("call %d was over after %v", i, d)
				}
			}
			return nil
		}))
	})
}

// A bare Submit's call is not the loop's, but that it waits is seen as well.
func TestClockLine_behindABareOneThatSleeps(t *testing.T) {
	eachQueueing(t, func(t *testing.T, ex aio.Executor) {
		aiotest.Run(t, distracted(func(ctx context.Context) error {
			if err := ex.Submit(ctx, func() { _ = aio.Sleep(ctx, time.Second) }); err != nil {
				return err
			}
			if err := aio.Sleep(ctx, time.Millisecond); err != nil { // a bare call holds nothing: let it begin
				return err
			}
			synctest.Wait()
			_, err := aio.InExecutor(ctx, ex, sleepOneSecond).Await(ctx)
			if d := elapsed(ctx); d < 2*time.Second || d > 2*time.Second+time.Millisecond {
				t.Errorf("it took %v", d)
			}
			return err
		}))
	})
}

// Calls that go, panic and are cancelled.
func TestClockLine_allKinds(t *testing.T) {
	eachQueueing(t, func(t *testing.T, ex aio.Executor) {
		seen := newReports()
		aiotest.Run(t, distracted(func(ctx context.Context) error {
			for i := range 20 {
				f := aio.InExecutor(ctx, ex, aio.Do(func(ctx context.Context) error {
					if i%3 == 0 {
						if err := aio.Sleep(ctx, time.Second); err != nil {
							return err
						}
					}
					switch {
					case i%2 == 0:
						runtime.Goexit()
					case i%5 == 0:
						panic("call")
					}
					return nil
				}))
				f.OnDone(ctx, func(struct{}, error) {})
				if i%4 == 0 {
					f.Cancel(nil)
				}
			}
			_, err := aio.InExecutor(ctx, ex, sleepOneSecond).Await(ctx)
			if d := elapsed(ctx); d != 6*time.Second { // 3, 6, 9, 15, 18 and the last
				t.Errorf("it took %v", d)
			}
			return err
		}), seen.option())
		if got := seen.all(); len(got) != 3 || got[0].Err != aio.ErrGoexit { // 4, 8, 16: cancelled before
			t.Errorf("late failures: %v", got)
		}
	})
}

// A worker that works, if only for itself, has the calls behind it hold the clock.
func TestClockLine_behindOneThatWorks(t *testing.T) {
	eachQueueing(t, func(t *testing.T, ex aio.Executor) {
		out := make(chan struct{})
		if err := ex.Submit(context.Background(), func() { <-out }); err != nil {
			t.Fatal(err)
		}
		aiotest.Run(t, distracted(func(ctx context.Context) error {
			go func() {
				synctest.Wait()
				if d := elapsed(ctx); d != 0 {
					t.Errorf("the clock jumped %v while a call waited in line", d)
				}
				close(out)
			}()
			_, err := aio.InExecutor(ctx, ex, aio.Do(func(context.Context) error { return nil })).Await(ctx)
			if d := elapsed(ctx); d != 0 {
				t.Errorf("the clock jumped %v before the call was over", d)
			}
			return err
		}))
	})
}

// Of two workers one works: the calls in line hold the clock until it waits, too.
func TestClockLine_twoWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		aiotest.Run(t, distracted(func(ctx context.Context) error {
			pool := aio.NewPool(aio.PoolConfig{Workers: 2, Queue: -1})
			out := make(chan struct{})
			sleeps := aio.InExecutor(ctx, pool, sleepOneSecond)
			if err := pool.Submit(ctx, func() { <-out; _ = aio.Sleep(ctx, 2*time.Second) }); err != nil {
				return err
			}
			last := aio.InExecutor(ctx, pool, sleepOneSecond)
			go func() {
				synctest.Wait()
				if d := elapsed(ctx); d != 0 {
					t.Errorf("the clock jumped %v while a worker worked", d)
				}
				close(out)
			}()
			_, err := sleeps.Await(ctx)
			if d := elapsed(ctx); d != time.Second {
				t.Errorf("the first was over after %v", d)
			}
			_, lastErr := last.Await(ctx)
			if d := elapsed(ctx); d != 2*time.Second {
				t.Errorf("the last was over after %v", d)
			}
			return errors.Join(err, lastErr, pool.Close())
		}))
	})
}

// Whoever waits for room goes on before time passes, and so does whoever waits for Close.
func TestClockLine_roomAndClose(t *testing.T) {
	full := map[string]func() (ex aio.Executor, room int){
		"Pool":   func() (aio.Executor, int) { return aio.NewPool(aio.PoolConfig{Workers: 1, Queue: 1}), 1 },
		"Thread": func() (aio.Executor, int) { return aio.NewThread(), 1024 },
	}
	for name, executor := range full {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				onLingering(t, func(ctx context.Context) error {
					ex, room := executor()
					first := aio.InExecutor(ctx, ex, sleepOneSecond)
					if err := aio.Sleep(ctx, time.Millisecond); err != nil { // it has left the queue
						return err
					}
					for range room {
						if err := ex.Submit(ctx, func() {}); err != nil {
							return err
						}
					}
					if err := ex.Submit(ctx, func() {}); err != nil { // waits until the first is over
						return err
					}
					if d := elapsed(ctx); d != time.Second {
						return fmt.Errorf("there was room after %v", d)
					}
					if _, err := first.Await(ctx); err != nil {
						return err
					}
					return ex.Close()
				})
			}
		})
	}
}

// Nobody works while an executor that has nothing to do is closed, but who waits for it goes on at once.
func TestClockLine_closeIdle(t *testing.T) {
	for name, executor := range queueing {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				onLingering(t, func(ctx context.Context) error {
					ex := executor()
					if _, err := aio.InExecutor(ctx, ex, sleepOneSecond).Await(ctx); err != nil {
						return err
					}
					err := ex.Close()
					if d := elapsed(ctx); d != time.Second {
						t.Errorf("closed after %v", d)
					}
					return err
				})
			}
		})
	}
}
