package aio_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// What is said to whoever uses something as it is not meant.

func TestMisuse_panics(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	panics(t, "InExecutor needs an executor, got nil; Blocking uses the loop's own", func() { aio.InExecutor(t.Context(), nil, value(1)) })
	panics(t, "make it with NewBarrier", func() { _, _ = new(aio.Barrier).Wait(t.Context()) })
	panics(t, "make it with NewBarrier", func() { _, _ = new(aio.Barrier).Wait(ended) })
	panics(t, "make one with NewPool", func() { _ = new(aio.Pool).Submit(t.Context(), func() {}) })
	panics(t, "make one with NewPool", func() { aio.InExecutor(t.Context(), new(aio.Pool), value(1)) })
	panics(t, "make one with NewThread", func() { _ = new(aio.Thread).Submit(t.Context(), func() {}) })
	if err := new(aio.Thread).Close(); err != nil {
		t.Errorf("Close of a Thread that has never begun: %v", err)
	}
}

// The texts of errors say what to do. Programs compare the errors, not these.
func TestMisuse_texts(t *testing.T) {
	for _, c := range []struct {
		err        error
		text, does string
	}{
		{aio.ErrNoLoop, "aio: no loop in this context: ", "Loop.Context"},
		{aio.ErrClosed, "aio: closed: ", "await"},
		{aio.ErrWouldDeadlock, "aio: would deadlock: ", "Go"},
		{&aio.StuckError{Calls: 1}, "aio: still running when the grace period ended: a call on an executor", ""},
		{&aio.StuckError{Calls: 2}, "aio: still running when the grace period ended: 2 calls on executors", ""},
	} {
		if text := c.err.Error(); !strings.HasPrefix(text, c.text) || !strings.Contains(text, c.does) {
			t.Errorf("%q, want %q... %q", text, c.text, c.does)
		}
	}
}

// All that ErrWouldDeadlock's comment lists.
func TestMisuse_wouldDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			l, _ := aio.LoopOf(ctx)
			_, err := aio.Run(ctx, value(1))
			checkErr(t, "Run in a task", err, aio.ErrWouldDeadlock)
			checkErr(t, "Shutdown in a task", l.Shutdown(ctx), aio.ErrWouldDeadlock)
			var self *aio.Task[int]
			self = aio.Go(ctx, func(ctx context.Context) (int, error) { return self.Await(ctx) })
			_, err = self.Await(ctx)
			checkErr(t, "a task that awaits itself", err, aio.ErrWouldDeadlock)
			checkErr(t, "Close in a task", l.Close(), aio.ErrWouldDeadlock)
			return nil
		})
	})
}

// broken is an executor whose Submit does not return.
type broken struct{ how func() }

func (b broken) Submit(context.Context, func()) error { b.how(); return nil }
func (broken) Close() error                           { return nil }

// A panic of an executor is its caller's, once; and the loop waits for no call that never was.
func TestMisuse_submitPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := broken{func() { explode("a bug in Submit") }}
		began := time.Now()
		run(t, func(ctx context.Context) error { // which complains of what is reported besides
			for name, call := range map[string]func(context.Context) (int, error){
				"InExecutor": func(ctx context.Context) (int, error) { return aio.InExecutor(ctx, bad, value(1)).Await(ctx) },
				"Blocking":   func(ctx context.Context) (int, error) { return aio.Blocking(ctx, value(1)) },
			} {
				_, err := aio.Go(ctx, call).Await(ctx)
				var p *aio.PanicError
				if !errors.As(err, &p) || p.Value != "a bug in Submit" || !strings.Contains(string(p.Stack), "aio_test.explode(") {
					t.Errorf("%s: %v, want the panic with its stack", name, err)
				}
			}
			return nil
		}, aio.WithExecutor(bad))
		if took := time.Since(began); took != 0 {
			t.Errorf("the loop waited %v for a call that was not accepted", took)
		}
		defer func() {
			if v := recover(); v != "a bug in Submit" {
				t.Errorf("without a loop it panics with %v", v)
			}
		}()
		aio.InExecutor(context.Background(), bad, value(1))
	})
}

// A Goexit in Submit still is one.
func TestMisuse_submitExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := aio.Start(seen.option())
		task := aio.Submit(context.Background(), l, func(ctx context.Context) (int, error) {
			return aio.InExecutor(ctx, broken{runtime.Goexit}, value(1)).Await(ctx)
		})
		_, err := task.Await(context.Background())
		checkErr(t, "Await", err, aio.ErrGoexit)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		for _, f := range seen.all() {
			checkErr(t, "reported", f.Err, aio.ErrGoexit)
		}
	})
}
