package aio_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio"
)

func closeThread(t *testing.T, th *aio.Thread) {
	t.Helper()
	if err := th.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// Calls run in the order in which they were accepted, one at a time, from wherever they come.
func TestThread_order(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		th := aio.NewThread()
		got := map[int][]int{} // touched on the thread only
		submit := func(who int) func(context.Context) error {
			return func(ctx context.Context) error {
				for i := range 2000 { // more than have room
					if err := th.Submit(ctx, func() { got[who] = append(got[who], i) }); err != nil {
						return err
					}
				}
				return nil
			}
		}
		finish(t, a(submit(0)), b(submit(1)))
		closeThread(t, th)
		for who := range 2 {
			if len(got[who]) != 2000 {
				t.Errorf("%d of 2000 calls ran", len(got[who]))
			}
			for i, v := range got[who] {
				if i != v {
					t.Fatalf("call %d ran in place %d", v, i)
				}
			}
		}
	})
}

// So many may wait; the next one waits for room.
func TestThread_limit(t *testing.T) {
	const limit = 1024
	synctest.Test(t, func(t *testing.T) {
		th := aio.NewThread()
		work := make(chan struct{})
		ran := 0 // on the thread
		call := func() { <-work; ran++ }
		for i := range limit + 1 { // one of which runs
			if err := th.Submit(t.Context(), call); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				synctest.Wait()
			}
		}
		next, last := make(chan error, 1), make(chan error, 1)
		go func() { next <- th.Submit(context.Background(), call) }()
		synctest.Wait()
		go func() { last <- th.Submit(context.Background(), func() { t.Error("a call that was refused ran") }) }()
		synctest.Wait()
		if len(next) != 0 {
			t.Fatal("there was room for more")
		}
		work <- struct{}{}
		if err := <-next; err != nil {
			t.Errorf("once there is room: %v", err)
		}
		over := make(chan error, 2)
		for range cap(over) {
			go func() { over <- th.Close() }()
		}
		synctest.Wait()
		if err := <-last; err != aio.ErrClosed {
			t.Errorf("of a Submit that waits when the thread closes: %v, want ErrClosed", err)
		}
		if len(over) != 0 {
			t.Error("Close did not wait")
		}
		close(work)
		for range cap(over) {
			if err := <-over; err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if ran != limit+2 {
			t.Errorf("%d calls ran, want %d", ran, limit+2)
		}
		closeThread(t, th)
		if err := th.Submit(t.Context(), call); err != aio.ErrClosed {
			t.Errorf("Submit: %v, want ErrClosed", err)
		}
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(errCause)
		checkErr(t, "Submit", th.Submit(ended, call), context.Canceled, errCause)
	})
}

// What would wait for itself says so: a call that waits for its own thread, and a task of a loop that such a call runs.
func TestThread_wouldDeadlock(t *testing.T) {
	for name, below := range map[string]func(fn func(ctx context.Context)) error{
		"in a call": func(fn func(context.Context)) error { fn(context.Background()); return nil },
		"in a task of a loop in a call": func(fn func(context.Context)) error {
			_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error { fn(ctx); return nil }))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			th := aio.NewThread()
			ran := 0
			done := make(chan error)
			err := th.Submit(t.Context(), func() {
				done <- below(func(ctx context.Context) {
					accepted := 0
					for err := error(nil); err == nil; accepted++ {
						if err = th.Submit(ctx, func() { ran++ }); err != nil && err != aio.ErrWouldDeadlock {
							t.Errorf("Submit: %v, want ErrWouldDeadlock", err)
						}
					}
					if accepted--; accepted != 1024 {
						t.Errorf("%d calls were accepted, want 1024", accepted)
					}
					if err := th.Close(); err != aio.ErrWouldDeadlock {
						t.Errorf("Close: %v, want ErrWouldDeadlock", err)
					}
					if err := th.Submit(ctx, func() {}); err != aio.ErrClosed {
						t.Errorf("Submit after Close: %v, want ErrClosed", err)
					}
				})
			})
			if err := errors.Join(err, <-done); err != nil {
				t.Fatal(err)
			}
			closeThread(t, th)
			if ran != 1024 {
				t.Errorf("%d of 1024 calls ran", ran)
			}
		})
	}
}

// In a callback it closes, and can't wait for that.
func TestThread_closeInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, th := start(t), aio.NewThread()
		work := make(chan struct{})
		_ = th.Submit(t.Context(), func() { <-work })
		l.CallSoon(func() {
			if err := th.Close(); err != aio.ErrWouldDeadlock {
				t.Errorf("Close: %v, want ErrWouldDeadlock", err)
			}
		})
		turn(t, l)
		if err := th.Submit(t.Context(), func() {}); err != aio.ErrClosed {
			t.Errorf("Submit: %v, want ErrClosed", err)
		}
		close(work)
		synctest.Wait()
		l.CallSoon(func() { closeThread(t, th) }) // nothing to wait for
		turn(t, l)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// The loop's executor may be a thread, and tasks of other loops may use and close it.
func TestThread_asExecutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := aio.NewThread()
		run(t, func(ctx context.Context) error {
			n := 0 // touched on the thread only
			return aio.WithGroup(ctx, func(ctx context.Context) error {
				for range 50 {
					aio.Go(ctx, aio.Do(func(ctx context.Context) error {
						_, err := aio.Blocking(ctx, func(context.Context) (int, error) { n++; return n, nil })
						return err
					}))
				}
				_, err := aio.Blocking(ctx, func(context.Context) (int, error) { panic("boom") })
				var p *aio.PanicError
				if !errors.As(err, &p) {
					t.Errorf("a panic in Blocking: %v", err)
				}
				return nil
			})
		}, aio.WithExecutor(th))
		run(t, func(context.Context) error { return th.Close() })
	})
}

func TestThread_needsACall(t *testing.T) {
	th := aio.NewThread()
	defer closeThread(t, th)
	panics(t, "needs a function", func() { _ = th.Submit(t.Context(), nil) })
}

// A panic in a bare Submit's call crashes the program, also after a call that went by Goexit, and says where it was.
func TestThread_panicCrashes(t *testing.T) {
	const asked = "AIO_TEST_THREAD_PANIC"
	if os.Getenv(asked) != "" {
		th := aio.NewThread()
		_ = th.Submit(t.Context(), runtime.Goexit)
		_ = th.Submit(t.Context(), func() { explode("on the thread") })
		_ = th.Submit(t.Context(), func() { os.Exit(0) })
		_ = th.Close()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), asked+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("panic: on the thread")) || !bytes.Contains(out, []byte("explode")) {
		t.Errorf("the program ended with %v:\n%s", err, out)
	}
}
