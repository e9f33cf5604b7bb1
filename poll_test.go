package aio_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

func TestPoll(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		use := func(ctx context.Context) error {
			begin := aio.Now(ctx)
			var at []time.Duration
			v, err := aio.Poll(ctx, time.Second, func() (int, bool, error) {
				at = append(at, aio.Now(ctx).Sub(begin))
				return len(at), len(at) == 4, nil
			})
			if v != 4 || err != nil {
				t.Errorf("got %d, %v", v, err)
			}
			for i, d := range at {
				if d != time.Duration(i)*time.Second {
					t.Errorf("call %d came after %v", i, d)
				}
			}
			v, err = aio.Poll(ctx, time.Second, func() (int, bool, error) { return 7, false, errCause })
			if v != 7 || err != errCause {
				t.Errorf("got %d, %v, want what the call returned", v, err)
			}
			ctx, cancel := context.WithTimeoutCause(ctx, 2500*time.Millisecond, errCause)
			defer cancel()
			calls := 0
			try := func() (int, bool, error) { calls++; return 7, false, nil }
			v, err = aio.Poll(ctx, time.Second, try)
			checkErr(t, "Poll", err, context.DeadlineExceeded, errCause)
			if v != 0 || calls != 3 {
				t.Errorf("got %d after %d calls, want 3", v, calls)
			}
			_, err = aio.Poll(ctx, time.Second, try)
			checkErr(t, "Poll", err, context.DeadlineExceeded, errCause)
			if calls != 3 {
				t.Error("try was called under a ctx that has ended")
			}
			return nil
		}
		finish(t, a(use), b(use))
	})
}

// Without a time between the calls others run, and time stands.
func TestPoll_yields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			n, calls := 0, 0
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for range 5 {
					n++
					_ = aio.Yield(ctx)
				}
				return nil
			}))
			begin := aio.Now(ctx)
			_, err := aio.Poll(ctx, 0, func() (int, bool, error) { calls++; return 0, n == 5, nil })
			if calls != 6 || !aio.Now(ctx).Equal(begin) {
				t.Errorf("it took %d calls and %v, want 6 and nothing", calls, aio.Now(ctx).Sub(begin))
			}
			return err
		})
	})
}

func TestPoll_needsAFunction(t *testing.T) {
	panics(t, "Poll needs a function", func() { _, _ = aio.Poll[int](t.Context(), 0, nil) })
}

// A panic of the call is that of whoever polls.
func TestPoll_panic(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var p *aio.PanicError
		_, err := aio.Go(ctx, func(ctx context.Context) (int, error) {
			return aio.Poll(ctx, 0, func() (int, bool, error) { panic("boom") })
		}).Await(ctx)
		if !errors.As(err, &p) || p.Value != "boom" {
			t.Errorf("got %v", err)
		}
		return nil
	})
}
