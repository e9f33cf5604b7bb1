package aio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// What ends when a call is about to wait, or has just returned: no time passes before it is known.

// lingering is a clock on which whoever lets go of it is slow to go on.
type lingering struct{ *aiotest.Clock }

func (c lingering) Release() {
	c.Clock.Release()
	for range 200 {
		runtime.Gosched()
	}
}

// onLingering runs main, beside which a task sleeps for an hour.
func onLingering(t *testing.T, main func(ctx context.Context) error) {
	t.Helper()
	run(t, distracted(main), aio.WithClock(lingering{aiotest.NewClock(time.Time{})}))
}

func TestClockEnd_deadlineInCall(t *testing.T) {
	for range 50 {
		onLingering(t, func(ctx context.Context) error {
			_, err := aio.Blocking(ctx, aio.Do(func(ctx context.Context) error {
				ctx, stop := aio.WithTimeout(ctx, time.Second)
				defer stop()
				return new(aio.Event).Wait(ctx)
			}))
			if d := elapsed(ctx); d != time.Second {
				return fmt.Errorf("a wait of one second took %v", d)
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("the wait should have ended by its deadline, not with %v", err)
			}
			return nil
		})
	}
}

// A call ends something that is not aio's and returns, or goes on to wait.
func TestClockEnd_foreignInCall(t *testing.T) {
	ways := map[string]func(ctx, foreign context.Context) error{
		"a sleep under it": func(_, foreign context.Context) error { return aio.Sleep(foreign, time.Minute) },
		"a task under it": func(ctx, foreign context.Context) error {
			l, _ := aio.LoopOf(ctx)
			_, err := aio.Submit(foreign, l, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Minute) })).Await(ctx)
			return err
		},
		"Wait for it": func(ctx, foreign context.Context) error {
			_, _, err := aio.Wait(ctx, aio.AllDone, doneOnly{foreign.Done()})
			return errors.Join(err, foreign.Err())
		},
	}
	for name, wait := range ways {
		for _, goesOn := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, the call goes on %t", name, goesOn), func(t *testing.T) {
				for range 50 {
					onLingering(t, func(ctx context.Context) error {
						foreign, cancel := context.WithCancel(context.Background())
						defer cancel()
						pool := aio.NewPool(aio.PoolConfig{})
						var event aio.Event
						l, _ := aio.LoopOf(ctx)
						l.CallLater(time.Second, event.Set)
						call := aio.InExecutor(ctx, pool, aio.Do(func(ctx context.Context) error {
							cancel()
							if goesOn {
								return event.Wait(ctx)
							}
							return nil
						}))
						err := wait(ctx, foreign)
						if d := elapsed(ctx); d != 0 {
							t.Errorf("the clock jumped %v before the news was there", d)
						}
						if !errors.Is(err, context.Canceled) {
							t.Errorf("the wait ended with %v", err)
						}
						_, err = call.Await(ctx)
						return errors.Join(err, pool.Close())
					})
				}
			})
		}
	}
}

// A hook, when a loop ends, ends what another loop on the clock waits for.
func TestClockEnd_foreignAtTheEndOfALoop(t *testing.T) {
	for range 50 {
		clock := lingering{aiotest.NewClock(time.Time{})}
		clock.Hold()
		foreign, cancel := context.WithCancel(t.Context())
		defer cancel()
		other := start(t, aio.WithClock(clock))
		sleeper := aio.Submit(t.Context(), other, func(ctx context.Context) (time.Duration, error) {
			err := aio.Sleep(foreign, time.Hour)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the sleep ended with %v", err)
			}
			return elapsed(ctx), nil
		})
		_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
			clock.Release()
			aio.Go(ctx, fails(errCause))
			return aio.Yield(ctx)
		}), aio.WithClock(clock), aio.WithHooks(aio.Hooks{Unhandled: func(aio.Failure) { cancel() }}))
		if err != nil {
			t.Error(err)
		}
		if d, err := sleeper.Await(t.Context()); d != 0 || err != nil {
			t.Errorf("the clock jumped %v before the news was there: %v", d, err)
		}
	}
}
