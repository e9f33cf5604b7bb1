package aio_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// What fn comes to is Shield's outcome while ctx lasts; fn has ctx's values and neither its end nor its deadline.
func TestShield_outcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		body := func(ctx context.Context) error {
			ctx, cancel := aio.WithTimeout(context.WithValue(ctx, key{}, 7), time.Hour)
			defer cancel()
			v, err := aio.Shield(ctx, func(ctx context.Context) (int, error) {
				if _, has := ctx.Deadline(); has || !aio.InTask() {
					t.Errorf("fn has ctx's deadline: %v, runs in a task: %v", has, aio.InTask())
				}
				return ctx.Value(key{}).(int), aio.Sleep(ctx, time.Second)
			})
			if v != 7 || err != nil {
				t.Errorf("got %d, %v", v, err)
			}
			if _, err := aio.Shield(ctx, sleeper(time.Second, io.EOF)); err != io.EOF {
				t.Errorf("got %v, want fn's error", err)
			}
			_, err = aio.Shield(ctx, func(context.Context) (int, error) { explode("bang"); return 0, nil })
			if p := new(aio.PanicError); !errors.As(err, &p) || p.Value != "bang" {
				t.Errorf("got %v, want fn's panic", err)
			}
			return nil
		}
		on(t, l, body)
		_ = body(l.Context())
	})
}

// When ctx ends Shield returns at once, and fn goes on; a late failure is told once, a late success is nobody's.
func TestShield_contextEnds(t *testing.T) {
	tests := map[string]struct {
		end  func() error
		want string // of the panic or the error that is told; "": nothing
	}{
		"success": {func() error { return nil }, ""},
		"error":   {func() error { return io.EOF }, "EOF"},
		"panic":   {func() error { explode("bang"); return nil }, "bang"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := newReports()
				l := start(t, seen.option())
				done := 0
				body := func(ctx context.Context) error {
					began := time.Now()
					ctx, cancel := context.WithCancelCause(ctx)
					l.CallLater(time.Second, func() { cancel(errCause) })
					_, err := aio.Shield(ctx, aio.Do(func(ctx context.Context) error {
						err := aio.Sleep(ctx, time.Minute)
						done++
						return errors.Join(err, tt.end())
					}))
					checkErr(t, "Shield", err, context.Canceled, errCause)
					if took := time.Since(began); took != time.Second {
						t.Errorf("in a task %v: Shield returned after %v", aio.InTask(), took)
					}
					return nil
				}
				on(t, l, body)
				_ = body(l.Context())
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				want := 0
				if tt.want != "" {
					want = 2
				}
				for range 2 { // told when it happened; Close has nothing to add
					got := seen.all()
					if done != 2 || len(got) != want {
						t.Fatalf("%d of 2 went on to their end; Unhandled was told %d times, want %d", done, len(got), want)
					}
					for _, f := range got {
						p := new(aio.PanicError)
						if f.Task.ID == 0 || f.Err.Error() != tt.want && (!errors.As(f.Err, &p) || p.Value != tt.want) {
							t.Errorf("Unhandled was told %v of %q", f.Err, f.Task.Name)
						}
					}
					_ = l.Close()
				}
			})
		})
	}
}

// The loop owns fn's task: Run and Close wait for it, Close cancels it, and that is no failure.
func TestShield_close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		var tr trace
		task := aio.Submit(context.Background(), l, func(ctx context.Context) (int, error) {
			return aio.Shield(ctx, func(ctx context.Context) (int, error) {
				err := new(aio.Event).Wait(ctx)
				_ = aio.Sleep(context.WithoutCancel(ctx), time.Second)
				tr.add("%v", errors.Is(context.Cause(ctx), aio.ErrClosed))
				return 0, err
			})
		})
		synctest.Wait()
		task.Cancel(nil)
		synctest.Wait()
		if task.State() != aio.Cancelled || tr.String() != "" {
			t.Errorf("the caller is %v; fn: %q", task.State(), tr.String())
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		tr.check(t, "true")
		_, err := aio.Shield(l.Context(), value(1))
		checkErr(t, "Shield on a closed loop", err, aio.ErrClosed)
	})
}

func TestShield_startsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		never := func(context.Context) (int, error) { t.Error("fn ran"); return 0, nil }
		if _, err := aio.Shield(context.Background(), never); err != aio.ErrNoLoop {
			t.Errorf("without a loop: %v", err)
		}
		ended, cancel := context.WithCancelCause(l.Context())
		cancel(errCause)
		_, err := aio.Shield(ended, never)
		checkErr(t, "under a context that has ended", err, context.Canceled, errCause)
		l.CallSoon(func() {
			if _, err := aio.Shield(l.Context(), never); err != aio.ErrWouldDeadlock {
				t.Errorf("in a callback: %v", err)
			}
		})
		turn(t, l)
	})
}

// In a group's body fn's task is a member: it is waited for, also when its caller was cancelled, and its failure is the group's.
// What Shield returns is its caller's to handle, in a group too.
func TestShield_inAGroupFails(t *testing.T) {
	run(t, func(ctx context.Context) error {
		inner := false
		err := aio.WithGroup(ctx, func(ctx context.Context) error {
			_, err := aio.Shield(ctx, aio.Do(func(context.Context) error { return io.EOF }))
			checkErr(t, "Shield", err, io.EOF)
			aio.Go(ctx, aio.Do(func(context.Context) error { inner = true; return nil }))
			return ctx.Err()
		})
		if err != nil || !inner {
			t.Errorf("WithGroup: %v; a member ran after it: %t", err, inner)
		}
		return nil
	})
}

// The task ends, and its caller's context does before the caller has gone on: then the failure is told of once all the same.
func TestShield_callerLeavesLate(t *testing.T) {
	for _, grouped := range []bool{false, true} {
		seen := newReports()
		l := aio.Start(seen.option())
		caller := func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			_, err := aio.Shield(ctx, aio.Do(func(context.Context) error {
				l.CallSoon(func() { l.CallSoon(cancel) }) // in the turn in which the caller would go on, before it
				return io.EOF
			}))
			checkErr(t, "Shield", err, context.Canceled)
			return nil
		}
		task := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			if grouped {
				return aio.WithGroup(ctx, caller)
			}
			return caller(ctx)
		}))
		_, err := task.Await(context.Background())
		_ = l.Close()
		if told := len(seen.all()); grouped && (!errors.Is(err, io.EOF) || told != 0) || !grouped && (err != nil || told != 1) {
			t.Errorf("in a group %t: the task ended with %v, and %d failures were told", grouped, err, told)
		}
	}
}

func TestShield_inAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			began := aio.Now(ctx)
			err := aio.WithGroup(ctx, func(ctx context.Context) error {
				aio.Go(ctx, sleeper(time.Second, io.EOF)) // ends the body's context
				_, err := aio.Shield(ctx, sleeper(time.Minute, io.ErrShortWrite))
				if took := aio.Now(ctx).Sub(began); took != time.Second || !errors.Is(err, io.EOF) {
					t.Errorf("Shield returned after %v: %v", took, err)
				}
				return err
			})
			checkErr(t, "WithGroup", err, io.EOF, io.ErrShortWrite)
			if took := aio.Now(ctx).Sub(began); took != time.Minute {
				t.Errorf("WithGroup returned after %v, not when the shielded member had ended", took)
			}
			return nil
		})
	})
}
