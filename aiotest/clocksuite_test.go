package aiotest_test

import (
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

func TestClock_conforms(t *testing.T) {
	aiotest.TestClock(t, func() aio.Clock { return aiotest.NewClock(time.Time{}) })
}

// A clock that runs by itself conforms, too.
func TestClock_conformsFast(t *testing.T) {
	aiotest.TestClock(t, func() aio.Clock { return fast{time.Now()} })
}

// fast runs a thousand times as fast as the machine's clock.
type fast struct{ began time.Time }

func (f fast) Now() time.Time { return f.began.Add(1000 * time.Since(f.began)) }
func (fast) Hold()            {}
func (fast) Release()         {}

func (f fast) Wait(wake <-chan struct{}, until time.Time) {
	var due <-chan time.Time // of a wait without limit: never
	if !until.IsZero() {
		d := until.Sub(f.Now())
		if d <= 0 {
			return
		}
		due = time.After(d/1000 + 1)
	}
	select {
	case <-wake:
	case <-due:
	}
}
