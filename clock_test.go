package aio_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// All that a loop does with time goes by the clock it was given.
func TestWithClock_now(t *testing.T) {
	clock := aiotest.NewManualClock(time.Time{})
	l := start(t, aio.WithClock(clock))
	began := clock.Now()
	late := false
	l.CallAt(began.Add(3*time.Hour), func() { late = true })
	clock.Advance(2 * time.Hour)
	if now := l.Now(); !now.Equal(began.Add(2*time.Hour)) || !now.Equal(aio.Now(l.Context())) || !now.Equal(clock.Now()) {
		t.Errorf("l.Now is %v, aio.Now %v, the clock's %v", now, aio.Now(l.Context()), clock.Now())
	}
	timeout, cancel := aio.WithTimeout(l.Context(), time.Hour)
	defer cancel()
	if deadline, ok := timeout.Deadline(); !ok || !deadline.Equal(began.Add(3*time.Hour)) {
		t.Errorf("Deadline is %v, %v", deadline, ok)
	}
	if clock.Advance(time.Hour - 1); late || timeout.Err() != nil {
		t.Error("an hour less a nanosecond, and what is due in an hour was called")
	}
	if clock.Advance(1); !late || timeout.Err() != context.DeadlineExceeded {
		t.Errorf("after an hour: called is %v, the timeout's error %v", late, timeout.Err())
	}
}

// nil is the machine's clock.
func TestWithClock_nil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			began := time.Now()
			defer func() {
				if took := time.Since(began); took != time.Hour || !aio.Now(ctx).Equal(time.Now()) {
					t.Errorf("an hour took %v", took)
				}
			}()
			return aio.Sleep(ctx, time.Hour)
		}, aio.WithClock(nil))
	})
}

// What is handed to a loop while it waits for its clock wakes it, from wherever it comes.
func TestWithClock_posts(t *testing.T) {
	clock := aiotest.NewClock(time.Time{})
	l := start(t, aio.WithClock(clock))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				turn(t, l)
				if err := aio.Sleep(l.Context(), time.Second); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// A loop that owns its thread can go by a clock, too.
func TestWithClock_onThread(t *testing.T) {
	aiotest.Run(t, func(ctx context.Context) error {
		began := aio.Now(ctx)
		if err := aio.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		if took := aio.Now(ctx).Sub(began); took != time.Hour {
			t.Errorf("an hour took %v", took)
		}
		return nil
	}, aio.OnThread())
}

// The grace period of Close passes on the loop's clock.
func TestWithClock_grace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := aiotest.NewManualClock(time.Time{})
		l := start(t, aio.WithClock(clock), aio.WithGrace(time.Minute))
		stubborn := aio.Submit(t.Context(), l, aio.Do(func(ctx context.Context) error {
			return aio.Sleep(context.WithoutCancel(ctx), time.Hour)
		}))
		clock.Advance(0)
		began := time.Now()
		go func() {
			synctest.Wait()
			clock.Advance(time.Minute - 1)
			if stubborn.State() != aio.Pending {
				t.Error("the task was ended before the grace period was over")
			}
			clock.Advance(1)
		}()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("Close took %v of real time", took)
		}
		if stubborn.State() != aio.Cancelled {
			t.Error("the grace period has passed, and a task lives")
		}
	})
}

// On a clock that does not move it passes in real time: Close never hangs.
func TestWithClock_graceOnAStoppedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := aiotest.NewManualClock(time.Time{})
		l := start(t, aio.WithClock(clock), aio.WithGrace(time.Minute))
		stubborn := aio.Submit(t.Context(), l, aio.Do(func(ctx context.Context) error {
			return aio.Sleep(context.WithoutCancel(ctx), time.Hour)
		}))
		clock.Advance(0)
		began := time.Now()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("Close took %v of real time", took)
		}
		if stubborn.State() != aio.Cancelled || !clock.Now().Equal(aiotest.Epoch) {
			t.Errorf("the task is %v, the clock shows %v", stubborn.State(), clock.Now())
		}
	})
}

// A call that never ends holds the clock, so for it the grace period passes in real time; once it
// has been abandoned it holds up nobody else.
func TestWithClock_graceWithACallOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := aiotest.NewClock(time.Time{})
		l := start(t, aio.WithClock(clock), aio.WithGrace(time.Minute))
		other := start(t, aio.WithClock(clock))
		release := make(chan struct{})
		aio.Submit(t.Context(), l, aio.Do(func(ctx context.Context) error {
			_, err := aio.Blocking(ctx, aio.Do(func(context.Context) error { <-release; return nil }))
			return err
		}))
		synctest.Wait()
		sleeper := aio.Submit(t.Context(), other, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Hour) }))
		synctest.Wait()
		if sleeper.State() != aio.Pending {
			t.Error("the clock jumped while a call was out")
		}
		began := time.Now()
		var stuck *aio.StuckError
		if err := l.Close(); !errors.As(err, &stuck) || stuck.Calls != 1 {
			t.Errorf("Close: %v", err)
		}
		if took := time.Since(began); took < time.Minute || took > 2*time.Minute {
			t.Errorf("Close took %v of real time, the grace period is a minute", took)
		}
		<-l.Done()
		synctest.Wait()
		if _, err := sleeper.Result(); err != nil {
			t.Errorf("the sleeper: %v; an abandoned call holds the clock for ever", err)
		}
		close(release)
	})
}

// On virtual time nobody waits for the garbage collector: a failure that nobody took is reported at
// Close.
func TestWithClock_unhandled(t *testing.T) {
	seen := newReports()
	l := aio.Start(aio.WithClock(aiotest.NewClock(time.Time{})), seen.option())
	aio.Submit(t.Context(), l, aio.Do(func(context.Context) error { return errCause }), aio.Named("lost"))
	turn(t, l)
	for range 3 {
		runtime.GC()
	}
	turn(t, l)
	if got := seen.all(); len(got) != 0 {
		t.Errorf("reported before Close: %v", got)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got := seen.all(); len(got) != 1 || got[0].Err != errCause || got[0].Task.Name != "lost" {
		t.Errorf("Unhandled was told %v", got)
	}
}

// When the loop has closed, what is left of a WithTimeout passes in real time.
func TestWithClock_timeoutOutlivesTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := aiotest.NewManualClock(time.Time{})
		l := start(t, aio.WithClock(clock))
		before, cancel := aio.WithTimeout(context.WithoutCancel(l.Context()), time.Hour)
		defer cancel()
		clock.Advance(time.Minute)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		after, cancel := aio.WithTimeout(context.WithoutCancel(l.Context()), time.Minute)
		defer cancel()
		began := time.Now()
		for _, c := range []struct {
			ctx  context.Context
			want time.Duration
		}{{after, time.Minute}, {before, 59 * time.Minute}} {
			<-c.ctx.Done()
			if took := time.Since(began); took != c.want || c.ctx.Err() != context.DeadlineExceeded {
				t.Errorf("%v after %v, want it after %v", c.ctx.Err(), took, c.want)
			}
		}
	})
}

// A task goes by the clock of its own loop, whatever context it sleeps under.
func TestWithClock_twoClocks(t *testing.T) {
	still := aiotest.NewManualClock(time.Time{})
	other := start(t, aio.WithClock(still))
	aiotest.Run(t, func(ctx context.Context) error {
		if err := aio.Sleep(other.Context(), time.Hour); err != nil {
			return err
		}
		if took := aio.Now(ctx).Sub(aiotest.Epoch); took != time.Hour {
			t.Errorf("took %v", took)
		}
		return nil
	})
}

// A clock need not be comparable.
func TestWithClock_uncomparable(t *testing.T) {
	clock := struct {
		aio.Clock
		_ []int
	}{Clock: aiotest.NewClock(time.Time{})}
	aiotest.Run(t, func(ctx context.Context) error { return aio.Sleep(ctx, time.Hour) }, aio.WithClock(clock))
}
