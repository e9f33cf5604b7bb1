package aio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

func TestBlocking_leavesTheLoopFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			beats := 0
			beat := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for {
					if err := aio.Sleep(ctx, time.Millisecond); err != nil {
						return err
					}
					beats++
				}
			}))
			v, err := aio.Blocking(ctx, func(ctx context.Context) (int, error) {
				if aio.InTask() {
					return 0, errors.New("the call runs in a task")
				}
				time.Sleep(20 * time.Millisecond)
				return 7, nil
			})
			beat.Cancel(nil)
			if v != 7 || beats < 19 {
				t.Errorf("got %d; the loop beat %d times in 20 ms", v, beats)
			}
			return err
		})
	})
}

func TestBlocking_inAGoroutine(t *testing.T) {
	id := func() string { // the first line of a stack has its goroutine's number
		buf := make([]byte, 64)
		line, _, _ := bytes.Cut(buf[:runtime.Stack(buf, false)], []byte("["))
		return string(line)
	}
	here, there := id(), ""
	v, err := aio.Blocking(t.Context(), func(context.Context) (int, error) { there = id(); return 3, io.EOF })
	if v != 3 || err != io.EOF || here != there {
		t.Errorf("got %v, %v", v, err)
	}
	_, err = aio.Blocking(t.Context(), func(context.Context) (int, error) { explode("here"); return 0, nil })
	var p *aio.PanicError
	if !errors.As(err, &p) || p.Value != "here" {
		t.Errorf("a panic there: %v, want a *PanicError", err)
	}
}

func TestBlocking_panicAndGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			_, err := aio.Blocking(ctx, func(context.Context) (int, error) { explode(io.EOF); return 0, nil })
			var p *aio.PanicError
			if !errors.As(err, &p) || !errors.Is(err, io.EOF) || !bytes.Contains(p.Stack, []byte("aio_test.explode(")) {
				t.Errorf("a panic: %v", err)
			}
			for range 3 {
				if _, err := aio.Blocking(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }); err != aio.ErrGoexit {
					t.Errorf("Goexit: %v, want ErrGoexit", err)
				}
			}
			v, err := aio.Blocking(ctx, value(4))
			if v != 4 {
				t.Errorf("afterwards: %v", v)
			}
			return err
		})
	})
}

// Who stops waiting gets its error at once; what the call comes to later is reported, unless it only says that it was stopped.
func TestBlocking_cancelledCaller(t *testing.T) {
	tests := map[string]struct {
		late func(ctx context.Context) (int, error)
		want error // reported; nil: nothing
	}{
		"result":      {value(1), nil},
		"error":       {fails(io.EOF), io.EOF},
		"ctx's error": {func(ctx context.Context) (int, error) { return 0, ctx.Err() }, nil},
		"cause":       {func(ctx context.Context) (int, error) { return 0, errors.Join(ctx.Err(), context.Cause(ctx)) }, nil},
		"panic":       {func(context.Context) (int, error) { explode(io.ErrNoProgress); return 0, nil }, io.ErrNoProgress},
		"Goexit":      {func(context.Context) (int, error) { runtime.Goexit(); return 0, nil }, aio.ErrGoexit},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := newReports()
				l := aio.Start(seen.option())
				release := make(chan struct{})
				task := aio.Submit(context.Background(), l, func(ctx context.Context) (int, error) {
					return aio.Blocking(ctx, func(ctx context.Context) (int, error) {
						<-ctx.Done() // it is told
						<-release
						return tt.late(ctx)
					})
				})
				synctest.Wait()
				task.Cancel(errCause)
				_, err := task.Await(context.Background())
				checkErr(t, "the caller", err, aio.ErrCancelled, errCause)
				close(release)
				synctest.Wait()
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				got := seen.all()
				if tt.want == nil && len(got) != 0 || tt.want != nil && (len(got) != 1 || !errors.Is(got[0].Err, tt.want)) {
					t.Errorf("Unhandled was told %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestInExecutor_results(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{Workers: 1, FailIfFull: true})
		l := start(t)
		body := func(ctx context.Context) error {
			release := make(chan struct{})
			f := aio.InExecutor(ctx, p, func(context.Context) (int, error) { <-release; return 5, nil })
			if f.State() != aio.Pending {
				t.Errorf("a call that runs is %v", f.State())
			}
			if _, err := aio.InExecutor(ctx, p, value(1)).Await(ctx); err != aio.ErrFull {
				t.Errorf("a refusal: %v, want ErrFull", err)
			}
			close(release)
			v, err := f.Await(ctx)
			if v != 5 || err != nil {
				t.Errorf("got %v, %v", v, err)
			}
			_ = aio.Sleep(ctx, time.Millisecond) // the worker is idle again, a moment after the result came
			_, err = aio.InExecutor(ctx, p, func(context.Context) (int, error) { explode("x"); return 0, nil }).Await(ctx)
			var pe *aio.PanicError
			if !errors.As(err, &pe) {
				t.Errorf("a panic: %v", err)
			}
			_ = aio.Sleep(ctx, time.Millisecond) // the worker is idle again
			return nil
		}
		on(t, l, body)
		_ = body(l.Context())
		_ = body(context.Background())
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := aio.InExecutor(context.Background(), p, value(1)).Await(context.Background()); err != aio.ErrClosed {
			t.Errorf("a closed pool: %v, want ErrClosed", err)
		}
	})
}

func TestInExecutor_cancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{})
		seen := newReports()
		l := aio.Start(seen.option())
		for _, ctx := range []context.Context{l.Context(), context.Background()} {
			told := make(chan error, 1)
			f := aio.InExecutor(ctx, p, func(ctx context.Context) (int, error) {
				<-ctx.Done()
				told <- ctx.Err()
				return 0, ctx.Err()
			})
			if !f.Cancel(errCause) || f.State() != aio.Cancelled || f.Cancel(nil) {
				t.Error("Cancel resolves the future at once, and once")
			}
			_, err := f.Await(ctx)
			checkErr(t, "Await", err, aio.ErrCancelled, errCause)
			if err := <-told; err != context.Canceled {
				t.Errorf("the call's ctx said %v", err)
			}
		}
		if err := errors.Join(l.Close(), p.Close()); err != nil {
			t.Error(err)
		}
		if got := seen.all(); len(got) != 0 {
			t.Errorf("Unhandled was told %v", got)
		}
	})
}

// Close waits for this loop's calls on any executor, also those that nobody awaits.
func TestInExecutor_closeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{})
		l := start(t)
		var ended atomic.Bool
		aio.InExecutor(l.Context(), p, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			time.Sleep(time.Second)
			ended.Store(true)
			return 0, ctx.Err()
		})
		synctest.Wait()
		began := time.Now()
		if err := l.Close(); err != nil || !ended.Load() {
			t.Errorf("Close: %v; the call had ended: %v", err, ended.Load())
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("Close took %v: it did not notice the end of the call", took)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// inline is an executor of a user's.
type inline struct{ calls, closes int }

func (e *inline) Submit(ctx context.Context, call func()) error { e.calls++; call(); return nil }
func (e *inline) Close() error                                  { e.closes++; return nil }

func TestWithExecutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := new(inline)
		run(t, func(ctx context.Context) error {
			v, err := aio.Blocking(ctx, value(2))
			if v != 2 {
				t.Errorf("got %v", v)
			}
			return err
		}, aio.WithExecutor(ex))
		if ex.calls != 1 || ex.closes != 0 {
			t.Errorf("the executor had %d calls and was closed %d times, want 1 and 0", ex.calls, ex.closes)
		}
	})
}

// Close ends the contexts of all calls, also of those whose task has returned, under a context that does not end.
func TestInExecutor_closeReachesCallsOfFinishedTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := aio.NewPool(aio.PoolConfig{})
		ended := errors.New("the call was not ended")
		_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
			starter := aio.Go(context.WithoutCancel(ctx), aio.Do(func(ctx context.Context) error {
				aio.InExecutor(ctx, pool, aio.Do(func(ctx context.Context) error {
					<-ctx.Done()
					ended = context.Cause(ctx)
					return nil
				}))
				return nil
			}))
			_, err := starter.Await(ctx)
			return err
		}))
		if err != nil || ended != aio.ErrClosed {
			t.Errorf("Run: %v; the call's context ended with %v", err, ended)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A task may wait under a context that has no loop, or another's: it is its own loop that waits for the call.
func TestBlocking_underAnyContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, other := start(t), start(t)
		for _, under := range []context.Context{context.Background(), other.Context()} {
			work := make(chan struct{})
			task := aio.Submit(context.Background(), l, func(context.Context) (int, error) {
				return aio.Blocking(under, func(context.Context) (int, error) { <-work; return 7, nil })
			})
			turn(t, l) // which goes on
			synctest.Wait()
			close(work)
			if v, err := task.Await(context.Background()); v != 7 || err != nil {
				t.Errorf("got %d, %v", v, err)
			}
		}
		on(t, l, func(context.Context) error {
			aio.Submit(context.Background(), l, func(context.Context) (int, error) {
				return aio.Blocking(context.Background(), func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, nil })
			})
			return nil
		})
		if err := errors.Join(l.Close(), other.Close()); err != nil { // Close ends the call's ctx, and waits for it
			t.Error(err)
		}
	})
}
