package aiotest_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// A clock shows what it was given, without the machine's time in it, and the Epoch for nothing.
func TestNewClock(t *testing.T) {
	start := time.Now()
	for _, c := range []*aiotest.Clock{aiotest.NewClock(start), aiotest.NewManualClock(start)} {
		if got := c.Now(); got != start.Round(0) {
			t.Errorf("given %v it shows %v", start, got)
		}
	}
	for _, c := range []*aiotest.Clock{aiotest.NewClock(time.Time{}), aiotest.NewManualClock(time.Time{})} {
		if got := c.Now(); !got.Equal(aiotest.Epoch) {
			t.Errorf("given nothing it shows %v", got)
		}
	}
}

// Advance of a clock that moves by itself stops it, when that time has come and what is due then has been done.
func TestClock_advance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := aiotest.NewClock(time.Time{})
		clock.Hold() // until Advance: it would jump to what the loop waits for
		l := aio.Start(aio.WithClock(clock))
		var called atomic.Int64
		for range 3 {
			l.CallLater(time.Hour, func() { called.Add(1) })
			l.CallLater(time.Hour+1, func() { called.Add(10) })
		}
		synctest.Wait()
		over := make(chan time.Time)
		go func() { clock.Advance(time.Hour); over <- clock.Now() }()
		synctest.Wait()
		select {
		case <-over:
			t.Error("Advance did not wait for who holds the clock")
		default:
		}
		clock.Release()
		if now := <-over; now.Before(aiotest.Epoch.Add(time.Hour)) || called.Load()%10 != 3 {
			t.Errorf("after an hour it is %v, %d of 3 callbacks were called", now, called.Load()%10)
		}
		synctest.Wait()
		if n := called.Load(); n != 33 {
			t.Errorf("then it goes on by itself: %d", n)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		clock.Hold()
		clock.Release() // Advance holds it no more
	})
}

// Of several who Advance at once each gets its time: one after the other.
func TestManualClock_advanceTwice(t *testing.T) {
	clock := aiotest.NewManualClock(time.Time{})
	clock.Hold() // until both are in Advance, if they can be
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { clock.Advance(time.Hour) })
	}
	for range 1000 {
		runtime.Gosched()
	}
	clock.Release()
	both.Wait()
	if now := clock.Now(); !now.Equal(aiotest.Epoch.Add(2 * time.Hour)) {
		t.Errorf("two hours were asked for, it is %v", now)
	}
}
