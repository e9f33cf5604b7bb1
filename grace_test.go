package aio_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// After the grace period a loop no longer waits for what does not end. In bubbles, so that no time passes.

// A task that ignores its cancellation is ended at its next wait; its deferred calls run.
func TestGrace_taskThatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, aio.WithGrace(3*time.Second))
		var tr trace
		stubborn := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			defer tr.add("deferred")
			for {
				_ = new(aio.Event).Wait(context.WithoutCancel(ctx)) // would wait for ever
				tr.add("resumed")
			}
		}), aio.Named("stubborn"))
		busy := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			for {
				_ = aio.Sleep(context.WithoutCancel(ctx), time.Second) // under ctx it would spin, and time in the bubble stand still
			}
		}))
		synctest.Wait()
		began := time.Now()
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v, want nil: nothing was left", err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("Close took %v, the grace period is 3s", took)
		}
		tr.check(t, "resumed deferred")
		for _, task := range []*aio.Task[struct{}]{stubborn, busy} {
			if _, err := task.Result(); err == nil || err == aio.ErrPending {
				t.Errorf("a task that was ended has the outcome %v", err)
			}
		}
	})
}

// A call that never ends is abandoned, and counted.
func TestGrace_callThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		pool := aio.NewPool(aio.PoolConfig{})
		seen := newReports()
		l := aio.Start(aio.WithGrace(time.Second), seen.option())
		task := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			_, err := aio.Blocking(ctx, func(context.Context) (int, error) { <-release; return 0, errCause })
			return err
		}))
		aio.InExecutor(l.Context(), pool, func(context.Context) (int, error) { <-release; return 0, nil })
		synctest.Wait()
		began := time.Now()
		err := l.Close()
		var stuck *aio.StuckError
		if !errors.As(err, &stuck) || stuck.Calls != 2 || len(stuck.Tasks) != 0 {
			t.Fatalf("Close: %v, want a *StuckError of two calls", err)
		}
		if took := time.Since(began); took < time.Second || took > 2*time.Second {
			t.Errorf("Close took %v, the grace period is 1s", took)
		}
		if again := l.Close(); !errors.As(again, &stuck) {
			t.Errorf("Close again: %v", again)
		}
		_, err = task.Result()
		checkErr(t, "the caller", err, aio.ErrCancelled)
		close(release)
		synctest.Wait()
		if got := seen.all(); len(got) != 1 || got[0].Err != errCause {
			t.Errorf("the late error: Unhandled was told %v", got)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A step that never ends can't be helped; Close names it and returns.
func TestGrace_stepThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := aio.Start(aio.WithGrace(time.Second), complains(t))
		var q aio.Queue[int]
		aio.Submit(context.Background(), l, q.Get, aio.Named("consumer"))
		release := make(chan struct{})
		aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { <-release; return nil }), aio.Named("hog"))
		aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { return nil }), aio.Named("behind"))
		synctest.Wait()
		err := l.Close()
		var stuck *aio.StuckError
		if !errors.As(err, &stuck) {
			t.Fatalf("Close: %v, want a *StuckError", err)
		}
		if !slices.ContainsFunc(stuck.Tasks, func(i aio.TaskInfo) bool { return i.Name == "hog" }) {
			t.Errorf("%v does not name the task that holds the loop", err)
		}
		if text := err.Error(); !strings.Contains(text, `task "hog" (running)`) || !strings.Contains(text, `task "consumer" (waiting: queue get)`) {
			t.Errorf("%q does not say who holds the loop and what the others wait for", text)
		}
		close(release)
		<-l.Done() // what was abandoned ends by itself after all
	})
}

// A step that holds the loop when Close is called delays the grace period; meanwhile Close waits.
func TestGrace_beginsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, aio.WithGrace(time.Minute))
		stubborn := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			return aio.Sleep(context.WithoutCancel(ctx), time.Hour)
		}))
		aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { time.Sleep(10 * time.Second); return nil }))
		synctest.Wait()
		began := time.Now()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 70*time.Second || stubborn.State() != aio.Cancelled {
			t.Errorf("Close took %v, and the task is %v", took, stubborn.State())
		}
	})
}

func TestGrace_callbackThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := aio.Start(aio.WithGrace(time.Second), complains(t))
		release := make(chan struct{})
		l.CallSoon(func() { <-release })
		synctest.Wait()
		var stuck *aio.StuckError
		if err := l.Close(); !errors.As(err, &stuck) || len(stuck.Tasks) != 0 {
			t.Errorf("Close: %v, want a *StuckError without tasks", err)
		}
		close(release)
		<-l.Done()
	})
}

func TestGrace_none(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, aio.WithGrace(0))
		began := time.Now()
		cancelled := false
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			err := new(aio.Event).Wait(ctx)
			cancelled = err != nil
			return err
		}))
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			return aio.Sleep(context.WithoutCancel(ctx), time.Hour)
		}))
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			_ = new(aio.Event).Wait(ctx)
			for {
				_ = aio.Sleep(ctx, time.Second) // returns at once, which starves nobody
			}
		}))
		synctest.Wait()
		if err := l.Close(); err != nil || !cancelled {
			t.Errorf("Close: %v; the waiting task was told: %v", err, cancelled)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("Close took %v without a grace period", took)
		}
	})
}

// The default is five seconds.
func TestGrace_default(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error { return aio.Sleep(context.WithoutCancel(ctx), time.Hour) }))
		synctest.Wait()
		began := time.Now()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("Close took %v, want 5s", took)
		}
	})
}

// Run closes its loop by the same rules.
func TestGrace_run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				_, err := aio.Blocking(ctx, func(context.Context) (int, error) { <-release; return 0, nil })
				return err
			}))
			return errors.Join(errCause, aio.Sleep(ctx, time.Second))
		}), aio.WithGrace(time.Second), complains(t))
		var stuck *aio.StuckError
		if !errors.As(err, &stuck) || stuck.Calls != 1 || !errors.Is(err, errCause) {
			t.Errorf("Run: %v, want main's error and a *StuckError", err)
		}
		close(release)
	})
}

// A callback that calls itself soon, or at once by a timer, ends with the grace period.
func TestGrace_callbacksThatGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := aio.Start(aio.WithGrace(time.Second), seen.option())
		var soon, later func()
		var hs, hl aio.Handle
		soon = func() {
			time.Sleep(time.Millisecond) // or no time would pass
			hs = l.CallSoon(soon)
		}
		later = func() { hl = l.CallLater(0, later) }
		l.CallSoon(soon)
		l.CallSoon(later)
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if hs.Err() != aio.ErrClosed || hl.Err() != aio.ErrClosed {
			t.Errorf("the last of them: %v, %v; want ErrClosed", hs.Err(), hl.Err())
		}
		if told := len(seen.all()); told != 2 {
			t.Errorf("Unhandled was told of %d, want 2", told)
		}
	})
}
