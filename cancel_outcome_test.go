package aio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

func TestCancel_beforeTheFirstStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			ended, cancel := context.WithCancelCause(ctx)
			ran := false
			fn := func(context.Context) (int, error) { ran = true; return 1, nil }
			before := aio.Go(ended, fn)
			cancel(errCause)
			after := aio.Go(ended, fn)
			asked := aio.Go(ctx, fn)
			asked.Cancel(errCause)
			for name, task := range map[string]*aio.Task[int]{"ctx ended before": before, "ctx ended after": after, "Cancel": asked} {
				_, err := task.Await(ctx)
				checkErr(t, name, err, aio.ErrCancelled, context.Canceled, errCause)
				if task.State() != aio.Cancelled {
					t.Errorf("%s: the task is %v", name, task.State())
				}
			}
			if ran {
				t.Error("the function of a task that was cancelled before its first step ran")
			}
			return nil
		})
	})
}

// Cancelled is a task that was asked to end and says so; what else it returns stands.
func TestCancel_outcome(t *testing.T) {
	tests := map[string]struct {
		after    func(err error) (int, error) // what the function makes of the wait's error
		deadline bool
		state    aio.State
		is       []error
		v        int
	}{
		"returns the error":     {func(err error) (int, error) { return 0, err }, false, aio.Cancelled, []error{aio.ErrCancelled, context.Canceled, errCause}, 0},
		"wraps the error":       {func(err error) (int, error) { return 0, fmt.Errorf("while x: %w", err) }, false, aio.Cancelled, []error{aio.ErrCancelled, context.Canceled, errCause}, 0},
		"returns ctx.Err":       {func(error) (int, error) { return 0, context.Canceled }, false, aio.Cancelled, []error{aio.ErrCancelled, context.Canceled, errCause}, 0},
		"returns another error": {func(error) (int, error) { return 0, io.EOF }, false, aio.Finished, []error{io.EOF}, 0},
		"returns the cause":     {func(error) (int, error) { return 0, errCause }, false, aio.Finished, []error{errCause}, 0},
		"another's deadline":    {func(error) (int, error) { return 0, context.DeadlineExceeded }, false, aio.Finished, []error{context.DeadlineExceeded}, 0},
		"finishes its work":     {func(error) (int, error) { return 3, nil }, false, aio.Finished, nil, 3},
		"deadline":              {func(err error) (int, error) { return 0, err }, true, aio.Cancelled, []error{aio.ErrCancelled, context.DeadlineExceeded}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run(t, func(ctx context.Context) error {
					under, cancel := ctx, func() {}
					if tt.deadline {
						under, cancel = aio.WithTimeout(ctx, time.Second)
					}
					defer cancel()
					task := aio.Go(under, func(ctx context.Context) (int, error) { return tt.after(new(aio.Event).Wait(ctx)) })
					if err := aio.Yield(ctx); err != nil {
						return err
					}
					if !tt.deadline {
						task.Cancel(errCause)
					}
					v, err := task.Await(ctx)
					if v != tt.v || task.State() != tt.state || (err == nil) != (tt.is == nil) {
						t.Errorf("got %v, %v, %v; want %v, %v", v, err, task.State(), tt.v, tt.state)
					}
					for _, want := range tt.is {
						if !errors.Is(err, want) {
							t.Errorf("%v is not %v", err, want)
						}
					}
					if tt.state == aio.Finished && errors.Is(err, aio.ErrCancelled) {
						t.Errorf("%v says that the task was cancelled", err)
					}
					return nil
				})
			})
		})
	}
}

// An error that looks like a cancellation, of a task that nobody cancelled, is its error.
func TestCancel_errorWithoutCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			task := aio.Go(ctx, func(context.Context) (int, error) { return 0, context.Canceled })
			if _, err := task.Await(ctx); err != context.Canceled || task.State() != aio.Finished {
				t.Errorf("got %v, %v, want context.Canceled of a finished task", err, task.State())
			}
			return nil
		})
	})
}

func TestCancel_whoWaitsNeverCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		body := func(ctx context.Context) error {
			release := aio.NewPromise[int]()
			task := aio.Go(ctx, release.Await)
			other := aio.Go(ctx, release.Await)
			for name, wait := range map[string]func(context.Context) error{
				"Await":  func(ctx context.Context) error { _, err := task.Await(ctx); return err },
				"Gather": func(ctx context.Context) error { _, err := aio.Gather(ctx, task, other); return err },
				"Wait":   func(ctx context.Context) error { _, _, err := aio.Wait(ctx, aio.AllDone, task, other); return err },
			} {
				short, cancel := aio.WithTimeout(ctx, time.Second)
				checkErr(t, name, wait(short), context.DeadlineExceeded)
				cancel()
				if task.State() != aio.Pending || other.State() != aio.Pending {
					return fmt.Errorf("the end of %s ended what it waited for", name)
				}
			}
			release.Resolve(3)
			vs, err := aio.Gather(ctx, task, other)
			if err == nil && (vs[0] != 3 || vs[1] != 3) {
				err = fmt.Errorf("got %v", vs)
			}
			return err
		}
		on(t, l, body)
		if err := body(l.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestCancel_promise(t *testing.T) {
	for _, cause := range []error{nil, errCause} {
		p := aio.NewPromise[int]()
		if !p.Cancel(cause) || p.State() != aio.Cancelled || p.Resolve(1) || p.Reject(io.EOF) || p.Cancel(nil) {
			t.Error("a promise is cancelled at once, and once")
		}
		<-p.Done()
		_, err := p.Await(t.Context())
		checkErr(t, "Await", err, aio.ErrCancelled, context.Canceled)
		if cause != nil {
			checkErr(t, "Await", err, cause)
		}
	}
}

func TestWithTimeout_deadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			began := aio.Now(ctx)
			outer, cancel := aio.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			if _, ok := ctx.Deadline(); ok {
				t.Error("the task's ctx has a deadline")
			}
			inner, cancel := aio.WithTimeout(context.WithValue(outer, key{}, 1), time.Hour)
			defer cancel()
			if d, ok := inner.Deadline(); !ok || d.Sub(began) != 2*time.Second {
				t.Errorf("the inner deadline is %v, %v: the nearer one counts", d.Sub(began), ok)
			}
			checkErr(t, "Sleep", aio.Sleep(inner, time.Minute), context.DeadlineExceeded)
			if took := aio.Now(ctx).Sub(began); took != 2*time.Second {
				t.Errorf("the timeout took %v", took)
			}
			if inner.Err() != context.DeadlineExceeded || context.Cause(inner) != context.DeadlineExceeded {
				t.Errorf("afterwards ctx says %v, %v", inner.Err(), context.Cause(inner))
			}
			std, stop := context.WithTimeout(ctx, time.Second) // a runtime timer's, in the same bubble
			defer stop()
			checkErr(t, "Sleep", aio.Sleep(std, time.Minute), context.DeadlineExceeded)

			ctx2, stop2 := aio.WithTimeout(ctx, time.Second)
			stop2()
			stop2()
			if ctx2.Err() != context.Canceled {
				t.Errorf("a timeout that was cancelled says %v", ctx2.Err())
			}
			return aio.Sleep(ctx, 2*time.Second) // the timer that was cancelled does nothing
		})
		ctx, cancel := aio.WithTimeout(t.Context(), time.Second) // without a loop
		defer cancel()
		<-ctx.Done()
		if ctx.Err() != context.DeadlineExceeded {
			t.Errorf("without a loop: %v", ctx.Err())
		}
	})
}

// Finished children leave nothing in their parent, whatever they asked their contexts for.
func TestCancel_finishedChildrenAreForgotten(t *testing.T) {
	for name, fn := range map[string]func(ctx context.Context) error{
		"nothing": func(context.Context) error { return nil },
		"Done":    func(ctx context.Context) error { ctx.Done(); return nil },
		"WithCancel": func(ctx context.Context) error {
			c, cancel := context.WithCancel(ctx)
			defer cancel()
			return c.Err()
		},
		"WithTimeout": func(ctx context.Context) error {
			c, cancel := aio.WithTimeout(ctx, time.Hour)
			defer cancel()
			return c.Err()
		},
		"AfterFunc": func(ctx context.Context) error { context.AfterFunc(ctx, func() {})(); return nil },
		"child": func(ctx context.Context) error {
			aio.Go(ctx, value(1))
			return aio.Yield(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) error {
				const n = 40_000
				batch := func() error {
					ts := make([]*aio.Task[struct{}], 100)
					for i := range ts {
						ts[i] = aio.Go(ctx, aio.Do(fn))
					}
					_, err := aio.Gather(ctx, ts...)
					return err
				}
				if err := batch(); err != nil { // what a loop keeps anyway
					return err
				}
				before := heapBytes()
				for i := range n / 100 {
					if i%4 == 0 {
						runtime.GC() // what is held weakly goes with the next sweep after a collection
					}
					if err := batch(); err != nil {
						return err
					}
				}
				if grown := heapBytes() - before; grown > n { // a byte each is less than any pointer
					t.Errorf("%d finished children left %d bytes", n, grown)
				}
				return nil
			})
		})
	}
}

func heapBytes() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
