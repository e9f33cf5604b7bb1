package aio_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Every way to end is an outcome, in argument order, from tasks and goroutines alike, and nobody else is told of the errors.
func TestGatherAll_outcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t) // fails the test for an error that is not taken
		body := func(ctx context.Context) error {
			in := l.Context()
			cancelled := aio.Go(in, sleeper(time.Hour, nil))
			l.CallLater(2*time.Second, func() { cancelled.Cancel(errCause) })
			got, err := aio.GatherAll(ctx,
				aio.Go(in, func(ctx context.Context) (int, error) { return 1, aio.Sleep(ctx, 3*time.Second) }),
				aio.Go(in, sleeper(time.Second, io.EOF)),
				cancelled,
				aio.Go(in, func(context.Context) (int, error) { explode("bang"); return 0, nil }),
				aio.Go(in, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }),
				aio.Go(in, func(context.Context) (int, error) { return 6, io.ErrShortWrite }),
			)
			if err != nil || len(got) != 6 {
				t.Fatalf("in a task %v: %v, %v", aio.InTask(), got, err)
			}
			if got[0] != (aio.Outcome[int]{Value: 1}) || got[1].Err != io.EOF || got[4].Err != aio.ErrGoexit || got[5] != (aio.Outcome[int]{Value: 6, Err: io.ErrShortWrite}) {
				t.Errorf("in a task %v: %v", aio.InTask(), got)
			}
			checkErr(t, "a cancelled member", got[2].Err, aio.ErrCancelled, errCause)
			if p := new(aio.PanicError); !errors.As(got[3].Err, &p) || p.Value != "bang" {
				t.Errorf("a member that panicked: %v", got[3].Err)
			}
			return nil
		}
		on(t, l, body)
		_ = body(context.Background())
	})
}

// When ctx ends first nothing is taken: the failure is still there for somebody.
func TestGatherAll_contextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := start(t, seen.option())
		body := func(ctx context.Context) error {
			short, cancel := context.WithTimeoutCause(ctx, 2*time.Second, errCause)
			defer cancel()
			failed, slow := aio.Go(l.Context(), sleeper(time.Second, io.EOF)), aio.Go(l.Context(), sleeper(3*time.Second, nil))
			got, err := aio.GatherAll(short, failed, slow)
			checkErr(t, "GatherAll", err, context.DeadlineExceeded, errCause)
			if got != nil || slow.State() != aio.Pending {
				t.Errorf("got %v; what it waited for is %v", got, slow.State())
			}
			if _, err := aio.GatherAll(short, slow); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("under a context that has ended: %v", err)
			}
			got, err = aio.GatherAll(ctx, slow)
			if err != nil || len(got) != 1 || got[0].Err != nil {
				t.Errorf("then: %v, %v", got, err)
			}
			return nil
		}
		on(t, l, body)
		_ = body(context.Background())
		_ = l.Close()
		if told := seen.all(); len(told) != 2 || told[0].Err != io.EOF || told[1].Err != io.EOF {
			t.Errorf("Unhandled was told %v, want EOF of each time", told)
		}
	})
}

func TestGatherAll_nothingToWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if got, err := aio.GatherAll[int, *aio.Task[int]](t.Context()); len(got) != 0 || err != nil {
			t.Errorf("of nothing: %v, %v", got, err)
		}
		l := start(t)
		done, pending := aio.NewPromise[int](), aio.NewPromise[int]()
		done.Reject(io.EOF)
		ended, cancel := context.WithCancel(l.Context())
		cancel()
		check := func() {
			if got, err := aio.GatherAll(ended, done, done); err != nil || len(got) != 2 || got[0].Err != io.EOF || got[1].Err != io.EOF {
				t.Errorf("of what is done: %v, %v", got, err)
			}
		}
		check()
		l.CallSoon(func() {
			check()
			if _, err := aio.GatherAll(l.Context(), done, pending); err != aio.ErrWouldDeadlock {
				t.Errorf("in a callback: %v", err)
			}
		})
		turn(t, l)
	})
}

func TestGatherAll_foreignAwaitables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := func(ctx context.Context) error {
			got, err := aio.GatherAll(ctx, later{after: 2 * time.Second}, later{after: time.Second, err: io.EOF})
			if err != nil || len(got) != 2 || got[0] != (aio.Outcome[string]{Value: "2s"}) || !errors.Is(got[1].Err, io.EOF) {
				t.Errorf("in a task %v: %v, %v", aio.InTask(), got, err)
			}
			short, cancel := aio.WithTimeout(ctx, time.Second)
			defer cancel()
			began := aio.Now(ctx)
			if _, err = aio.GatherAll(short, later{after: time.Hour}); !errors.Is(err, context.DeadlineExceeded) || aio.Now(ctx).Sub(began) != time.Second {
				t.Errorf("in a task %v: after %v: %v", aio.InTask(), aio.Now(ctx).Sub(began), err)
			}
			return nil
		}
		run(t, body)
		_ = body(t.Context())
	})
}
