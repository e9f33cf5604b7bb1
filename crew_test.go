package aio_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// insideCalls are the two places in a call from which it may wait for itself.
var insideCalls = map[string]func(ctx context.Context, wait func(context.Context) error) error{
	"in the call": func(ctx context.Context, wait func(context.Context) error) error { return wait(ctx) },
	"in a task of a loop that it runs": func(ctx context.Context, wait func(context.Context) error) error {
		_, err := aio.Run(ctx, aio.Do(wait))
		return err
	},
}

// What only the caller's own worker could run is not waited for; it runs when the caller has returned.
func TestInExecutor_awaitedBehindItself(t *testing.T) {
	for name, newExecutor := range map[string]func() aio.Executor{
		"Thread":                 func() aio.Executor { return aio.NewThread() },
		"a Pool with one worker": func() aio.Executor { return aio.NewPool(aio.PoolConfig{Workers: 1, Queue: 8}) },
	} {
		for where, inside := range insideCalls {
			t.Run(name+", "+where, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ex := newExecutor()
					l := start(t)
					var late *aio.Future[int]
					on(t, l, func(ctx context.Context) error {
						_, err := aio.InExecutor(ctx, ex, func(ctx context.Context) (int, error) {
							return 0, inside(ctx, func(context.Context) error {
								late = aio.InExecutor(l.Context(), ex, func(context.Context) (int, error) { return 7, nil })
								limited, cancel := context.WithTimeout(context.Background(), time.Hour) // or it would hang without an end
								defer cancel()
								if _, err := late.Await(limited); err != aio.ErrWouldDeadlock {
									t.Errorf("awaiting a call that begins when this one has returned: %v", err)
								}
								return nil
							})
						}).Await(ctx)
						return err
					})
					if v, err := late.Await(t.Context()); v != 7 || err != nil {
						t.Errorf("the call came to %d, %v", v, err)
					}
					if err := ex.Close(); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// With a second worker the same is no deadlock, nor is it from another executor.
func TestInExecutor_awaitedBesideItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		two, one := aio.NewPool(aio.PoolConfig{Workers: 2}), aio.NewPool(aio.PoolConfig{Workers: 1})
		for _, ex := range []aio.Executor{two, one} {
			v, err := aio.InExecutor(t.Context(), two, func(ctx context.Context) (int, error) {
				return aio.InExecutor(ctx, ex, func(context.Context) (int, error) { return 7, nil }).Await(ctx)
			}).Await(t.Context())
			if v != 7 || err != nil {
				t.Errorf("a call in a call: %d, %v", v, err)
			}
		}
		if err := errors.Join(two.Close(), one.Close()); err != nil {
			t.Error(err)
		}
	})
}

// A pool that one of its own calls closes is closed, but not waited for.
func TestPool_closeInItsCall(t *testing.T) {
	for where, inside := range insideCalls {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := aio.NewPool(aio.PoolConfig{Workers: 3})
				_, err := aio.InExecutor(t.Context(), p, aio.Do(func(ctx context.Context) error {
					return inside(ctx, func(ctx context.Context) error {
						if err := p.Close(); err != aio.ErrWouldDeadlock {
							t.Errorf("Close in a call of the pool: %v", err)
						}
						if err := p.Submit(context.Background(), func() {}); err != aio.ErrClosed {
							t.Errorf("Submit after it: %v", err)
						}
						return nil
					})
				})).Await(t.Context())
				if err := errors.Join(err, p.Close()); err != nil {
					t.Error(err)
				}
				if s := p.Stats(); s != (aio.PoolStats{Done: 1}) {
					t.Errorf("in the end %+v", s)
				}
			})
		})
	}
}

// The only worker gets no room from others.
func TestPool_noRoomInItsOnlyCall(t *testing.T) {
	for where, inside := range insideCalls {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := aio.NewPool(aio.PoolConfig{Workers: 1, Queue: 1})
				ran := false
				_, err := aio.InExecutor(t.Context(), p, aio.Do(func(ctx context.Context) error {
					return inside(ctx, func(context.Context) error {
						limited, cancel := context.WithTimeout(context.Background(), time.Hour)
						defer cancel()
						if err := p.Submit(limited, func() { ran = true }); err != nil {
							t.Errorf("Submit with room: %v", err)
						}
						if err := p.Submit(limited, func() { t.Error("it was refused, and runs") }); err != aio.ErrWouldDeadlock {
							t.Errorf("Submit without room: %v", err)
						}
						return nil
					})
				})).Await(t.Context())
				if err := errors.Join(err, p.Close()); err != nil || !ran {
					t.Errorf("the call that was accepted ran: %t; %v", ran, err)
				}
			})
		})
	}
}
