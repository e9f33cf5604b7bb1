//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aio_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// What a task has written, and another descriptor of the same loop has to read, takes no virtual time:
// none of these round trips has a limit of an hour come first. Every other one is answered after a virtual
// minute, for which the loop parks, and is written to while its helper waits.
func TestReadable_virtualRoundTrips(t *testing.T) {
	const trips = 300
	roundTrips := func(ctx context.Context) error {
		a, b := pair(t)
		began := aio.Now(ctx)
		server := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			for i := range trips {
				if err := aio.Readable(ctx, b); err != nil {
					return err
				}
				text := get(t, b, 9)
				if i%2 == 1 {
					if err := aio.Sleep(ctx, time.Minute); err != nil {
						return err
					}
				}
				put(t, b, text)
			}
			return nil
		}))
		for i := range trips {
			soon, cancel := aio.WithTimeout(ctx, time.Hour)
			put(t, a, "?")
			err := aio.Readable(soon, a)
			cancel()
			if err != nil {
				return fmt.Errorf("round trip %d of %d: %w", i, trips, err)
			}
			if got := get(t, a, 9); got != "?" {
				t.Errorf("read %q", got)
			}
		}
		if took := aio.Now(ctx).Sub(began); took != trips/2*time.Minute {
			t.Errorf("%d round trips took %v, want %v", trips, took, trips/2*time.Minute)
		}
		_, err := server.Await(ctx)
		return err
	}
	t.Run("Run", func(t *testing.T) { aiotest.Run(t, roundTrips) })
	t.Run("thread", func(t *testing.T) {
		l := aio.Start(aio.WithClock(aiotest.NewClock(time.Time{})), aio.OnThread())
		defer l.Close()
		on(t, l, roundTrips)
	})
	t.Run("bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { aiotest.Run(t, roundTrips) })
	})
}

// The same with a callback.
func TestAddReader_virtualRoundTrips(t *testing.T) {
	aiotest.Run(t, func(ctx context.Context) error {
		const trips = 300
		r, w := pipe(t)
		l, _ := aio.LoopOf(ctx)
		came := aio.NewQueue[string](0)
		adds(t, l, r, func() { _ = came.TryPut(get(t, r, 9)) })
		defer l.RemoveReader(r)
		began := aio.Now(ctx)
		for i := range trips {
			soon, cancel := aio.WithTimeout(ctx, time.Hour)
			put(t, w, "x")
			_, err := came.Get(soon)
			cancel()
			if err != nil {
				return fmt.Errorf("%d of %d: %w", i, trips, err)
			}
		}
		if took := aio.Now(ctx).Sub(began); took != 0 {
			t.Errorf("%d took %v, want none", trips, took)
		}
		return nil
	})
}
