package aio_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// A failure that the loop hears of after it has closed: of a call that Close abandoned, or an
// outcome that somebody meant to take and then did not. Nobody need lose hold of the future for it
// to be reported, and what the hooks know may lead to the future: it is all garbage in the end. On
// real time: in a bubble the garbage collector has no part in this.
func TestUnhandled_afterClose(t *testing.T) {
	type app struct {
		future *aio.Future[int]
		_      [1 << 10]byte
	}
	for name, fail := range map[string]func(*testing.T, *aio.Loop, *app){
		"of a call that was abandoned": func(t *testing.T, l *aio.Loop, a *app) {
			pool := aio.NewPool(aio.PoolConfig{})
			closed := make(chan struct{})
			a.future = aio.InExecutor(l.Context(), pool, func(context.Context) (int, error) {
				<-closed
				return 0, errCause
			})
			var stuck *aio.StuckError
			if err := l.Close(); !errors.As(err, &stuck) {
				t.Errorf("Close: %v, want a *StuckError", err)
			}
			close(closed)
			if err := pool.Close(); err != nil {
				t.Error(err)
			}
		},
		"that was claimed and given back": func(t *testing.T, l *aio.Loop, a *app) {
			other := start(t)
			release := make(chan struct{})
			other.CallSoon(func() { <-release }) // keeps the callback from being called
			task := aio.Submit(context.Background(), l, fails(errCause))
			a.future = &task.Future
			stop := a.future.OnDone(other.Context(), func(int, error) { t.Error("a callback that was stopped is called") })
			<-a.future.Done()
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if !stop() {
				t.Error("the callback has been called")
			}
			close(release)
		},
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{})
			func() {
				seen, a := newReports(), new(app)
				runtime.AddCleanup(a, func(c chan struct{}) { close(c) }, gone)
				l := aio.Start(aio.WithGrace(0), aio.WithHooks(aio.Hooks{Unhandled: func(f aio.Failure) {
					seen.add(f)
					runtime.KeepAlive(a)
				}}))
				fail(t, l, a)
				if got := seen.all(); len(got) != 1 || got[0].Err != errCause {
					t.Errorf("Unhandled was told %v, want the failure, once", got)
				}
				runtime.KeepAlive(a)
			}()
			collected(t, gone, "what the hooks of a closed loop know")
		})
	}
}

// Whoever starts something on a loop that has closed gets the refusal, and may take it.
func TestUnhandled_refusedAndTaken(t *testing.T) {
	seen := newReports()
	l := aio.Start(seen.option())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	pool := aio.NewPool(aio.PoolConfig{})
	defer pool.Close()
	for name, future := range map[string]*aio.Future[int]{
		"Submit":     &aio.Submit(context.Background(), l, fails(errCause)).Future,
		"Go":         &aio.Go(context.WithoutCancel(l.Context()), fails(errCause)).Future,
		"InExecutor": aio.InExecutor(l.Context(), pool, fails(errCause)),
	} {
		if _, err := future.Await(context.Background()); !errors.Is(err, aio.ErrClosed) {
			t.Errorf("%s on a closed loop: %v, want ErrClosed", name, err)
		}
	}
	if got := seen.all(); len(got) != 0 {
		t.Errorf("Unhandled was told %v, which was taken", got)
	}
}

// A sleep that was cancelled stands among the loop's timers until its time comes. Nobody reaches the
// task through it.
func TestUnhandled_cancelledSleep(t *testing.T) {
	seen := newReports()
	l := aio.Start(seen.option())
	defer l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	func() {
		task := aio.Submit(ctx, l, aio.Do(func(ctx context.Context) error {
			defer close(ended)
			return errors.Join(aio.Sleep(ctx, time.Hour), errCause)
		}))
		turn(t, l)
		cancel()
		<-task.Done()
	}()
	<-ended
	for range math.MaxUint8 {
		runtime.GC()
		turn(t, l)
		if len(seen.all()) > 0 {
			break
		}
	}
	if got := seen.all(); len(got) != 1 || !errors.Is(got[0].Err, errCause) {
		t.Errorf("Unhandled was told %v, want the failure, once", got)
	}
}
