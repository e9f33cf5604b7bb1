package aio_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// What the soak has found, each by itself.

// A task that Close gave up on may still fail in its own way, and that is heard.
func TestFound_failureAfterTheGracePeriod(t *testing.T) {
	for name, end := range map[string]func() error{"error": func() error { return errCause }, "panic": func() error { panic(errCause) }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := newReports()
				var j journal
				l := aio.Start(aio.WithGrace(time.Second), seen.option(), j.option())
				aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
					_ = new(aio.Event).Wait(context.WithoutCancel(ctx)) // ended by force
					return end()
				}))
				synctest.Wait()
				if err := l.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
				if got := seen.all(); len(got) != 1 || !errors.Is(got[0].Err, errCause) {
					t.Errorf("Unhandled was told %v, want the task's failure", got)
				}
				j.check(t, []string{"level=WARN", "a task was destroyed while it was pending"})
			})
		})
	}
}

// Blocking gives up while its function returns what cancelled it together with a failure of its own.
func TestFound_lateFailureOfBlocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := aio.Start(seen.option())
		var blocked *aio.Task[struct{}]
		started, ended := make(chan struct{}), make(chan struct{})
		blocked = aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			_, err := aio.Blocking(ctx, func(ctx context.Context) (int, error) {
				close(started)
				<-ctx.Done()
				defer close(ended)
				return 0, errors.Join(ctx.Err(), errCause)
			})
			return err
		}))
		<-started
		l.CallSoon(func() {
			blocked.Cancel(nil)
			<-ended
			letPass(time.Second) // the call is settled before the task runs
		})
		_, err := blocked.Await(context.Background())
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if got := seen.all(); errors.Is(err, errCause) == (len(got) == 1 && errors.Is(got[0].Err, errCause)) {
			t.Errorf("the task ended with %v and Unhandled was told %v: the failure must be heard once", err, got)
		}
	})
}

// letPass lets time pass in a bubble, for whoever holds the loop meanwhile.
func letPass(d time.Duration) { <-time.After(d) }

// A call that was cancelled, and then fails, is one failure.
func TestFound_lateFailureOfACancelledCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := aio.Start(seen.option())
		pool := aio.NewPool(aio.PoolConfig{})
		future := aio.InExecutor(l.Context(), pool, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, errors.Join(ctx.Err(), errCause)
		})
		synctest.Wait()
		future.Cancel(nil)
		synctest.Wait()
		future.OnDone(l.Context(), func(int, error) {})() // claimed, and given back
		if err := errors.Join(pool.Close(), l.Close()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if got := seen.all(); len(got) != 1 || !errors.Is(got[0].Err, errCause) {
			t.Errorf("Unhandled was told %v, want the late failure, once", got)
		}
	})
}

// A timer that is due when the loop is closed is called.
func TestFound_timerThatIsDueAtClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		l := start(t)
		l.CallSoon(func() {
			l.CallLater(time.Second, func() { tr.add("due") })
			l.CallLater(3*time.Second, func() { tr.add("late") })
			letPass(2 * time.Second)
			_ = l.Close()
		})
		<-l.Done()
		tr.check(t, "due")

		remote := start(t)
		remote.CallLater(0, func() { tr.add("remote") })
		_ = remote.Close()
		tr.check(t, "due remote")
	})
}

// A loop that closes cancels the members of a ForEach one by one; that is no success.
func TestFound_forEachOnALoopThatCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		var done int
		task := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			return aio.ForEach(context.WithoutCancel(ctx), 2, slices.Values([]int{1, 2, 3}), func(ctx context.Context, _ int) error {
				err := aio.Sleep(ctx, time.Second)
				if err == nil {
					done++
				}
				return err
			})
		}))
		synctest.Wait()
		_ = l.Close()
		if _, err := task.Result(); !errors.Is(err, aio.ErrCancelled) || !errors.Is(err, aio.ErrClosed) || done == 3 {
			t.Errorf("ForEach: %v with %d of 3 done", err, done)
		}
	})
}

// What the loop's hooks know may lead to a task that has failed; that is all garbage in the end.
func TestFound_hooksThatKnowTheTask(t *testing.T) {
	type app struct {
		task *aio.Task[struct{}]
		_    [1 << 10]byte
	}
	gone := make(chan struct{})
	func() {
		a := new(app)
		runtime.AddCleanup(a, func(c chan struct{}) { close(c) }, gone)
		l := aio.Start(aio.WithHooks(aio.Hooks{Unhandled: func(aio.Failure) { runtime.KeepAlive(a) }}))
		a.task = aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { return errCause }))
		_ = l.Close() // reports it
	}()
	collected(t, gone, "what the hooks of a closed loop know")
}

// Whoever has a Done channel of a task that is over may be known to the context that the task was started under.
func TestFound_contextThatKnowsTheChannel(t *testing.T) {
	type app struct{ done <-chan struct{} }
	gone := make(chan struct{})
	l := start(t)
	func() {
		a := new(app)
		runtime.AddCleanup(a, func(c chan struct{}) { close(c) }, gone)
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, a))
		_, _ = aio.Submit(ctx, l, aio.Do(func(ctx context.Context) error {
			a.done = ctx.Done()
			return nil
		})).Await(context.Background())
		cancel()
	}()
	collected(t, gone, "the value of a context that has ended")
}

func collected(t *testing.T, gone <-chan struct{}, what string) {
	t.Helper()
	for range math.MaxUint8 {
		runtime.GC()
		select {
		case <-gone:
			return
		default:
			runtime.Gosched()
		}
	}
	t.Errorf("%s is never collected", what)
}

// So is one that another goroutine armed before the loop closed itself.
func TestFound_timerArmedElsewhereBeforeClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		l := start(t)
		l.CallSoon(func() {
			armed := make(chan struct{})
			go func() {
				defer close(armed)
				l.CallLater(time.Second, func() { tr.add("due") })
			}()
			<-armed
			letPass(2 * time.Second)
			_ = l.Close()
		})
		<-l.Done()
		tr.check(t, "due")
	})
}
