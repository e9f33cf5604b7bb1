//go:build unix

package procpool_test

import (
	"context"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
	"github.com/seed8b1f0744/aio/procpool"
)

// A virtual clock stands still while a call is out: also while its worker is started, while it waits
// for one, and wherever the wait is.
func TestPool_holdsTheClock(t *testing.T) {
	call := callOf(pid, 0)
	waysToCall := map[string]func(ctx context.Context, p *procpool.Pool) error{
		"In": func(ctx context.Context, p *procpool.Pool) error {
			_, err := pid.In(ctx, p, 0).Await(ctx)
			return err
		},
		"Execute": func(ctx context.Context, p *procpool.Pool) error {
			_, err := p.Execute(ctx, call)
			return err
		},
		"In in Blocking": func(ctx context.Context, p *procpool.Pool) error {
			_, err := aio.Blocking(ctx, func(ctx context.Context) (int, error) { return pid.In(ctx, p, 0).Await(ctx) })
			return err
		},
		"Execute in Blocking": func(ctx context.Context, p *procpool.Pool) error {
			_, err := aio.Blocking(ctx, func(ctx context.Context) ([]byte, error) { return p.Execute(ctx, call) })
			return err
		},
	}
	for way, callIt := range waysToCall {
		t.Run(way, func(t *testing.T) {
			p := pool(t, procpool.Config{Workers: 1})
			aiotest.Run(t, func(ctx context.Context) error {
				began := aio.Now(ctx)
				for range 2 { // a worker is started, and then is there
					limited, stop := aio.WithTimeout(ctx, time.Second)
					defer stop()
					err := aio.WithGroup(limited, func(ctx context.Context) error {
						for range 3 { // of which two wait for a worker
							aio.Go(ctx, aio.Do(func(ctx context.Context) error { return callIt(ctx, p) }))
						}
						return nil
					})
					if err != nil {
						return err
					}
				}
				if passed := aio.Now(ctx).Sub(began); passed != 0 {
					t.Errorf("%v passed", passed)
				}
				return nil
			})
		})
	}
}
