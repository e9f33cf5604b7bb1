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
	aiotest.TestClock(t, func() aio.Clock { return Fast{time.Now()} })
}
