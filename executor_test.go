package aio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/seed8b1f0744/aio"
)

func TestExecutor_needsAFunction(t *testing.T) {
	p := aio.NewPool(aio.PoolConfig{})
	panics(t, "Blocking needs a function", func() { _, _ = aio.Blocking[int](t.Context(), nil) })
	panics(t, "InExecutor needs a function", func() { aio.InExecutor[int](t.Context(), p, nil) })
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// A call that was refused has failed, and whoever does not look is told.
func TestInExecutor_refusalIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{})
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		seen := newReports()
		l := aio.Start(seen.option())
		aio.InExecutor(l.Context(), p, value(1))
		_, err := aio.InExecutor(l.Context(), p, value(1)).Await(t.Context())
		checkErr(t, "Await", err, aio.ErrClosed)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if got := seen.all(); len(got) != 1 || got[0].Err != aio.ErrClosed {
			t.Errorf("Unhandled was told %v, want the one refusal that nobody took", got)
		}
	})
}

// Without a loop there is no hook for what a cancelled call comes to: the log has it.
func TestInExecutor_lateWithoutALoop(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	p := aio.NewPool(aio.PoolConfig{})
	release := make(chan struct{})
	for _, late := range []error{io.ErrNoProgress, context.Canceled} {
		aio.InExecutor(context.Background(), p, func(context.Context) (int, error) { <-release; return 0, late }).Cancel(nil)
	}
	close(release)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, io.ErrNoProgress.Error()) {
		t.Errorf("the log says\n%s\nwant the one error that is not of the cancellation", text)
	}
}

// A call whose ctx has ended is cancelled if it says so, as a task is, and has else what it returned.
func TestInExecutor_outcomeOnceItsContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{})
		l := start(t)
		for _, parent := range []context.Context{l.Context(), context.Background()} {
			for name, c := range map[string]struct {
				fn    func(context.Context) (int, error)
				state aio.State
				is    []error
			}{
				"ctx's error":   {func(ctx context.Context) (int, error) { return 1, ctx.Err() }, aio.Cancelled, []error{aio.ErrCancelled, errCause}},
				"another error": {func(context.Context) (int, error) { return 1, io.EOF }, aio.Finished, []error{io.EOF}},
				"none":          {func(context.Context) (int, error) { return 1, nil }, aio.Finished, nil},
			} {
				ctx, cancel := context.WithCancelCause(parent)
				f := aio.InExecutor(ctx, p, func(ctx context.Context) (int, error) { <-ctx.Done(); return c.fn(ctx) })
				synctest.Wait()
				cancel(errCause)
				v, err := f.Await(t.Context())
				if f.State() != c.state || c.is == nil && (v != 1 || err != nil) {
					t.Errorf("%s: %v, %v, %v", name, f.State(), v, err)
				}
				for _, want := range c.is {
					if !errors.Is(err, want) || v != 0 && c.state == aio.Cancelled {
						t.Errorf("%s: got %v, %v, want an error that is %v", name, v, err, want)
					}
				}
			}
		}
		if err := errors.Join(l.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
}

// What a call starts under its ctx belongs to the group that the ctx of InExecutor carries.
func TestInExecutor_carriesTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{})
		run(t, func(ctx context.Context) error {
			ended := false
			err := aio.WithGroup(ctx, func(ctx context.Context) error {
				_, err := aio.InExecutor(ctx, p, aio.Do(func(ctx context.Context) error {
					aio.Go(ctx, aio.Do(func(ctx context.Context) error {
						err := aio.Sleep(ctx, time.Second)
						ended = true
						return err
					}))
					return nil
				})).Await(ctx)
				return err
			})
			if !ended {
				t.Error("the group did not wait for a task that a call of its body had started")
			}
			return err
		})
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A call holds on to nothing of its ctx once it is over.
func TestInExecutor_letsGoOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{})
		var of context.Context
		if _, err := aio.InExecutor(t.Context(), p, func(ctx context.Context) (int, error) { of = ctx; return 0, nil }).Await(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-of.Done()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A loop that lives on keeps nothing of its calls that have returned.
func TestInExecutor_isForgotten(t *testing.T) {
	p := aio.NewPool(aio.PoolConfig{})
	l := start(t)
	call := func() weak.Pointer[[1000]byte] { // in a frame of its own
		held := new([1000]byte)
		on(t, l, func(ctx context.Context) error {
			_, err := aio.InExecutor(ctx, p, func(context.Context) (int, error) { return int(held[0]), nil }).Await(ctx)
			return err
		})
		return weak.Make(held)
	}
	first := call()
	_ = call() // the worker has let go of the first, too
	for range 100 {
		if runtime.GC(); first.Value() == nil {
			break
		}
	}
	if first.Value() != nil {
		t.Error("what a call used is still held, and the call has returned")
	}
	if err := errors.Join(l.Close(), p.Close()); err != nil {
		t.Error(err)
	}
}
