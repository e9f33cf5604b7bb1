package aio_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// The corners of groups. testdata/order/groupcorners has those that asyncio has as well.

// both runs a group's program in a task and in a goroutine. A failure that nobody takes fails the test.
func both(t *testing.T, program func(ctx context.Context) error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		on(t, l, program)
		if err := program(l.Context()); err != nil {
			t.Errorf("in a goroutine: %v", err)
		}
	})
}

// failsAfter waits, whatever ends meanwhile, and then fails.
func failsAfter(after time.Duration, err error) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		_ = aio.Sleep(context.WithoutCancel(ctx), after)
		return 0, err
	}
}

// want checks that err is these errors joined, in this order.
func want(t *testing.T, what string, err error, errs ...error) {
	t.Helper()
	if text := errors.Join(errs...).Error(); err == nil || err.Error() != text {
		t.Errorf("%s, in a task %v: got %q, want %q", what, aio.InTask(), err, text)
	}
	checkErr(t, what, err, errs...)
}

func TestGroup_failuresOfBodyAndMembers(t *testing.T) {
	both(t, func(ctx context.Context) error {
		err := aio.WithGroup(ctx, func(ctx context.Context) error {
			aio.Go(ctx, failsAfter(3*time.Second, io.ErrNoProgress))
			aio.Go(ctx, failsAfter(2*time.Second, io.ErrShortWrite))
			_ = aio.Sleep(ctx, time.Second)
			return io.EOF
		})
		want(t, "the body first", err, io.EOF, io.ErrShortWrite, io.ErrNoProgress)
		err = aio.WithGroup(ctx, func(ctx context.Context) error {
			aio.Go(ctx, failsAfter(time.Second, io.ErrShortWrite))
			aio.Go(ctx, failsAfter(3*time.Second, io.ErrNoProgress))
			if err := aio.Sleep(ctx, time.Hour); !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("the body was told %v", err)
			}
			return io.EOF // of its own, while it is cancelled
		})
		want(t, "a member first", err, io.ErrShortWrite, io.EOF, io.ErrNoProgress)
		return nil
	})
}

func TestGroup_outerContextEndsFirst(t *testing.T) {
	both(t, func(ctx context.Context) error {
		outer, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		l, _ := aio.LoopOf(ctx)
		l.CallLater(2*time.Second, func() { cancel(errCause) })
		err := aio.WithGroup(outer, func(ctx context.Context) error {
			aio.Go(ctx, failsAfter(3*time.Second, io.EOF))
			aio.Go(ctx, sleeper(time.Hour, nil))
			return errors.Join(io.ErrShortWrite, aio.Sleep(ctx, time.Hour))
		})
		checkErr(t, "WithGroup", err, context.Canceled, errCause, io.EOF, io.ErrShortWrite)
		if !strings.HasPrefix(err.Error(), "context canceled: "+errCause.Error()+"\n") {
			t.Errorf("%q does not begin with the outer context's error", err)
		}
		called := false
		err = aio.WithGroup(outer, func(ctx context.Context) error {
			called = true
			never := aio.Go(ctx, func(context.Context) (int, error) { t.Error("a member of a group that has ended ran"); return 0, nil })
			if ctx.Err() != context.Canceled || context.Cause(ctx) != errCause {
				t.Errorf("body's context: %v because of %v", ctx.Err(), context.Cause(ctx))
			}
			_, err := never.Await(context.WithoutCancel(ctx))
			return err
		})
		checkErr(t, "under a context that has ended", err, context.Canceled, errCause)
		if !called || errors.Is(err, aio.ErrCancelled) {
			t.Errorf("body was called: %v; %v", called, err)
		}
		return nil
	})
}

// While a group is ending, what is started under its context is cancelled before its first step, and what ignores the end is waited for.
func TestGroup_startedWhileItIsEnding(t *testing.T) {
	both(t, func(ctx context.Context) error {
		began := aio.Now(ctx)
		var never, free *aio.Task[int]
		err := aio.WithGroup(ctx, func(group context.Context) error {
			aio.Go(group, aio.Do(func(ctx context.Context) error {
				err := new(aio.Event).Wait(ctx)
				never = aio.Go(group, func(context.Context) (int, error) { t.Error("it ran"); return 0, io.ErrNoProgress })
				free = aio.Go(context.WithoutCancel(group), failsAfter(time.Minute, io.ErrShortWrite))
				return err
			}))
			return errors.Join(aio.Sleep(group, time.Second), io.EOF)
		})
		want(t, "WithGroup", err, io.EOF, io.ErrShortWrite)
		if took := aio.Now(ctx).Sub(began); took != time.Minute+time.Second || free.State() != aio.Finished {
			t.Errorf("in a task %v: WithGroup returned after %v; what ignores the end is %v", aio.InTask(), took, free.State())
		}
		_, err = never.Result()
		checkErr(t, "what was started meanwhile", err, aio.ErrCancelled, io.EOF)
		return nil
	})
}

// When a group is over nothing is started under its context any more, not even what would ignore its end.
func TestGroup_startedWhenItIsOver(t *testing.T) {
	both(t, func(ctx context.Context) error {
		var inside context.Context
		err := aio.WithGroup(ctx, func(ctx context.Context) error { inside = ctx; return nil })
		for _, late := range []context.Context{inside, context.WithoutCancel(inside)} {
			_, ended := aio.Go(late, func(context.Context) (int, error) { t.Error("it ran"); return 0, nil }).Await(ctx)
			checkErr(t, "Go", ended, aio.ErrCancelled)
		}
		return err
	})
}

// A member may start members, to its very end, also when the body has returned long ago; so may a callback of the last one.
func TestGroup_memberStartsMembers(t *testing.T) {
	both(t, func(ctx context.Context) error {
		var tr trace
		err := aio.WithGroup(ctx, func(group context.Context) error {
			aio.Go(group, func(context.Context) (int, error) {
				second := aio.Go(group, func(ctx context.Context) (int, error) {
					err := aio.Sleep(ctx, time.Second)
					tr.add("second")
					return 0, err
				})
				second.OnDone(group, func(int, error) {
					aio.Go(group, func(ctx context.Context) (int, error) {
						err := aio.Sleep(ctx, time.Second)
						tr.add("third")
						return 0, err
					})
				})
				tr.add("first")
				return 0, nil
			})
			return nil
		})
		tr.check(t, "first second third")
		return err
	})
}

// What ends the outer group ends the inner one; what fails in the inner one fails both, and is told once.
func TestGroup_nested(t *testing.T) {
	both(t, func(ctx context.Context) error {
		var inner error
		err := aio.WithGroup(ctx, func(outer context.Context) error {
			aio.Go(outer, failsAfter(time.Second, io.EOF))
			inner = aio.WithGroup(outer, func(ctx context.Context) error {
				aio.Go(ctx, sleeper(time.Hour, nil))
				return aio.Sleep(ctx, time.Hour)
			})
			return inner
		})
		checkErr(t, "the inner group", inner, context.Canceled, io.EOF)
		if err != io.EOF {
			t.Errorf("in a task %v: the outer group: %v", aio.InTask(), err)
		}
		var other *aio.Task[int]
		err = aio.WithGroup(ctx, func(outer context.Context) error {
			other = aio.Go(outer, sleeper(time.Hour, nil))
			return aio.WithGroup(outer, func(ctx context.Context) error { aio.Go(ctx, failsAfter(time.Second, io.EOF)); return nil })
		})
		if err != io.EOF || other.State() != aio.Cancelled {
			t.Errorf("in a task %v: got %v; the outer group's other member is %v", aio.InTask(), err, other.State())
		}
		err = aio.WithGroup(ctx, func(outer context.Context) error {
			aio.Go(outer, failsAfter(time.Second, io.EOF))
			return aio.WithGroup(outer, func(ctx context.Context) error { aio.Go(ctx, failsAfter(2*time.Second, io.ErrShortWrite)); return nil })
		})
		checkErr(t, "both failed", err, io.EOF, io.ErrShortWrite)
		return nil
	})
}

// A member that was cancelled adds nothing. One that merely passes on the cancellation of something else has failed with it.
func TestGroup_cancellations(t *testing.T) {
	both(t, func(ctx context.Context) error {
		err := aio.WithGroup(ctx, func(ctx context.Context) error {
			early, late := aio.Go(ctx, sleeper(time.Hour, nil)), aio.Go(ctx, sleeper(time.Hour, nil))
			early.Cancel(errCause)
			_ = aio.Sleep(ctx, time.Second)
			late.Cancel(errCause)
			timed, stop := aio.WithTimeout(ctx, time.Second)
			defer stop()
			aio.Go(timed, sleeper(time.Hour, nil)) // cancelled by the end of its context
			return aio.Sleep(ctx, time.Minute)
		})
		if err != nil {
			t.Errorf("in a task %v: members were cancelled: %v", aio.InTask(), err)
		}
		promise := aio.NewPromise[int]()
		promise.Cancel(errCause)
		err = aio.WithGroup(ctx, func(ctx context.Context) error {
			aio.Go(ctx, func(ctx context.Context) (int, error) { return promise.Await(ctx) })
			return aio.Sleep(ctx, time.Hour)
		})
		checkErr(t, "a member passed on somebody else's cancellation", err, aio.ErrCancelled, errCause)
		err = aio.WithGroup(ctx, func(ctx context.Context) error { _, err := promise.Await(ctx); return err })
		checkErr(t, "the body did", err, aio.ErrCancelled, errCause)
		err = aio.WithGroup(ctx, func(ctx context.Context) error {
			timed, stop := aio.WithTimeout(ctx, time.Second)
			defer stop()
			return aio.Sleep(timed, time.Hour)
		})
		if err != context.DeadlineExceeded {
			t.Errorf("in a task %v: the body's own timeout: %v", aio.InTask(), err)
		}
		return nil
	})
}

func TestGroup_memberPanics(t *testing.T) {
	both(t, func(ctx context.Context) error {
		var other *aio.Task[int]
		err := aio.WithGroup(ctx, func(ctx context.Context) error {
			other = aio.Go(ctx, sleeper(time.Hour, nil))
			aio.Go(ctx, func(context.Context) (int, error) { explode(io.EOF); return 0, nil })
			return aio.Sleep(ctx, time.Hour)
		})
		if p := new(aio.PanicError); !errors.As(err, &p) || !errors.Is(err, io.EOF) || other.State() != aio.Cancelled {
			t.Errorf("in a task %v: got %v; the other member is %v", aio.InTask(), err, other.State())
		}
		return nil
	})
}

// A body that panics or goes is followed only when the members have ended; what they failed with, which nobody is given, is reported.
func TestGroup_bodyDoesNotReturn(t *testing.T) {
	for name, leave := range map[string]func(){"panic": func() { explode("body") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := newReports()
				l := start(t, seen.option())
				var tr trace
				program := func(ctx context.Context) {
					defer func() { tr.add("%v", recover()) }()
					_ = aio.WithGroup(ctx, func(ctx context.Context) error {
						aio.Go(ctx, func(ctx context.Context) (int, error) {
							err := new(aio.Event).Wait(ctx)
							_ = aio.Sleep(context.WithoutCancel(ctx), time.Minute)
							tr.add("member")
							return 0, errors.Join(err, io.EOF)
						})
						aio.Go(ctx, failsAfter(time.Second, io.ErrShortWrite))
						_ = aio.Sleep(ctx, time.Millisecond) // until both have begun: in a goroutine a Yield need not do
						leave()
						return nil
					})
					tr.add("never")
				}
				_, err := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error { program(ctx); return nil })).Await(context.Background())
				gone := make(chan struct{})
				go func() { defer close(gone); program(l.Context()) }()
				<-gone
				synctest.Wait()
				if name == "panic" {
					tr.check(t, "member body member body")
				} else {
					tr.check(t, "member <nil> member <nil>")
				}
				if (err == aio.ErrGoexit) != (name == "Goexit") {
					t.Errorf("the task ended with %v", err)
				}
				var told []bool
				for _, f := range seen.all() {
					told = append(told, errors.Is(f.Err, io.ErrShortWrite), errors.Is(f.Err, io.EOF))
				}
				if !slices.Equal(told, []bool{true, false, false, true, true, false, false, true}) {
					t.Errorf("Unhandled was told %v", seen.all())
				}
			})
		})
	}
}

// Where it could not wait, or has no loop, a group calls no body.
func TestGroup_whereItCantBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		never := func(context.Context) error { t.Error("body was called"); return nil }
		if err := aio.WithGroup(context.Background(), never); err != aio.ErrNoLoop {
			t.Errorf("without a loop: %v", err)
		}
		l.CallSoon(func() {
			if err := aio.WithGroup(l.Context(), never); err != aio.ErrWouldDeadlock {
				t.Errorf("in a callback: %v", err)
			}
		})
		turn(t, l)
		held := l.Context()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		err := aio.WithGroup(held, func(ctx context.Context) error { aio.Go(context.WithoutCancel(ctx), value(1)); return nil })
		checkErr(t, "on a closed loop", err, context.Canceled, aio.ErrClosed)
	})
}

// Close ends a group in a goroutine as it ends one in a task: the members are cancelled, and WithGroup says so.
func TestGroup_closeOfTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		program := func(ctx context.Context) (int, error) {
			return 0, aio.WithGroup(ctx, func(ctx context.Context) error { aio.Go(ctx, sleeper(time.Hour, nil)); return nil })
		}
		task := aio.Submit(context.Background(), l, program)
		here := make(chan error, 1)
		go func() { _, err := program(l.Context()); here <- err }()
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		checkErr(t, "in a goroutine", <-here, context.Canceled, aio.ErrClosed)
		_, err := task.Result()
		checkErr(t, "in a task", err, aio.ErrCancelled, aio.ErrClosed)
	})
}
