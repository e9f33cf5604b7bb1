package aiotest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// retry is what the examples test: it calls try until that succeeds, and doubles the pause from call to call.
func retry(ctx context.Context, pause time.Duration, try func() error) error {
	for {
		if try() == nil {
			return nil
		}
		if err := aio.Sleep(ctx, pause); err != nil {
			return err
		}
		pause *= 2
	}
}

// A test of an hour of retries, which takes no time.
func ExampleRun() {
	testRetry := func(t *testing.T) {
		aiotest.Run(t, func(ctx context.Context) error {
			began, left := aio.Now(ctx), 4
			err := retry(ctx, 4*time.Minute, func() error {
				if left--; left >= 0 {
					return errors.New("not yet")
				}
				return nil
			})
			if took := aio.Now(ctx).Sub(began); took != time.Hour {
				t.Errorf("four retries took %v", took)
			}
			return err
		})
	}
	_ = testRetry
}

// Several loops share a clock, and the test's goroutine keeps it where it is until both have begun.
func ExampleNewClock() {
	clock := aiotest.NewClock(time.Time{})
	clock.Hold()
	server, client := aio.Start(aio.WithClock(clock)), aio.Start(aio.WithClock(clock))
	var work aio.Queue[string]
	served := aio.Submit(context.Background(), server, func(ctx context.Context) (string, error) { return work.Get(ctx) })
	aio.Submit(context.Background(), client, aio.Do(func(ctx context.Context) error {
		if err := aio.Sleep(ctx, 24*time.Hour); err != nil {
			return err
		}
		return work.Put(ctx, "the next day")
	}))
	clock.Release()

	got, err := served.Await(context.Background())
	fmt.Println(got, err, clock.Now().Sub(aiotest.Epoch))
	fmt.Println(client.Close(), server.Close())
	// Output:
	// the next day <nil> 24h0m0s
	// <nil> <nil>
}

// A clock that is moved by hand: after each step everything is quiet, and can be looked at.
func ExampleNewManualClock() {
	clock := aiotest.NewManualClock(time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC))
	loop := aio.Start(aio.WithClock(clock))
	ticks := 0
	aio.Submit(context.Background(), loop, aio.Do(func(ctx context.Context) error {
		for {
			if err := aio.Sleep(ctx, 10*time.Second); err != nil {
				return err
			}
			ticks++
		}
	}))
	for range 3 {
		clock.Advance(15 * time.Second)
		fmt.Println(clock.Now().Format(time.TimeOnly), ticks)
	}
	fmt.Println(loop.Close())
	// Output:
	// 12:00:15 1
	// 12:00:30 3
	// 12:00:45 4
	// <nil>
}
