package aiotest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Fast is a clock that runs a thousand times as fast as the machine's: a day takes a minute and a half. It runs
// by itself, whatever the loops do, so Hold and Release do nothing. A test of it is one call:
//
//	aiotest.TestClock(t, func() aio.Clock { return Fast{time.Now()} })
type Fast struct{ began time.Time }

func (f Fast) Now() time.Time { return f.began.Add(1000 * time.Since(f.began)) }
func (Fast) Hold()            {}
func (Fast) Release()         {}

func (f Fast) Wait(wake <-chan struct{}, until time.Time) {
	var due <-chan time.Time // without an until: never
	if !until.IsZero() {
		d := until.Sub(f.Now())
		if d <= 0 {
			return
		}
		due = time.After(d/1000 + 1) // rounded up
	}
	select {
	case <-wake:
	case <-due:
	}
}

// A clock of one's own, and a loop that goes by it.
func ExampleTestClock() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		return aio.Sleep(ctx, time.Millisecond) // a microsecond
	}), aio.WithClock(Fast{time.Now()}))
	fmt.Println(err)
	// Output: <nil>
}
