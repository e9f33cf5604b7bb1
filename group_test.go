package aio_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

func sleeper(d time.Duration, err error) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		if waited := aio.Sleep(ctx, d); waited != nil {
			return 0, waited
		}
		return 0, err
	}
}

func TestGroup_result(t *testing.T) {
	tests := map[string]struct {
		body func(ctx context.Context) error
		want []error // in the order in which the text names them
		one  bool    // the result is this error, not a joined one
	}{
		"no error": {func(ctx context.Context) error { aio.Go(ctx, sleeper(time.Second, nil)); return nil }, nil, false},
		"a member": {func(ctx context.Context) error {
			aio.Go(ctx, sleeper(time.Second, io.EOF))
			aio.Go(ctx, sleeper(time.Hour, io.ErrNoProgress)) // is cancelled and adds nothing
			return nil
		}, []error{io.EOF}, true},
		"the body": {func(ctx context.Context) error { aio.Go(ctx, sleeper(time.Hour, nil)); return io.EOF }, []error{io.EOF}, true},
		"the body, ended by a member": {func(ctx context.Context) error {
			aio.Go(ctx, sleeper(time.Second, io.EOF))
			return new(aio.Event).Wait(ctx)
		}, []error{io.EOF}, true},
		"the first one first": {func(ctx context.Context) error {
			aio.Go(ctx, func(ctx context.Context) (int, error) {
				_ = new(aio.Event).Wait(ctx)
				return 0, io.ErrNoProgress // of its own, while it is cancelled
			})
			aio.Go(ctx, sleeper(time.Second, io.EOF))
			return nil
		}, []error{io.EOF, io.ErrNoProgress}, false},
		"a member that was cancelled": {func(ctx context.Context) error {
			task := aio.Go(ctx, sleeper(time.Hour, nil))
			aio.Go(ctx, func(ctx context.Context) (int, error) { task.Cancel(nil); return 0, aio.Sleep(ctx, time.Second) })
			return nil
		}, nil, false},
		"Goexit of a member": {func(ctx context.Context) error {
			aio.Go(ctx, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
			return nil
		}, []error{aio.ErrGoexit}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := start(t)
				check := func(ctx context.Context) error {
					err := aio.WithGroup(ctx, tt.body)
					if len(tt.want) == 0 && err != nil || tt.one && err != tt.want[0] {
						t.Errorf("in a task %v: got %v, want %v", aio.InTask(), err, tt.want)
					}
					for _, want := range tt.want {
						if !errors.Is(err, want) {
							t.Errorf("in a task %v: %v is not %v", aio.InTask(), err, want)
						}
					}
					if len(tt.want) > 1 && err.Error() != errors.Join(tt.want...).Error() {
						t.Errorf("in a task %v: %q, want the first one first", aio.InTask(), err)
					}
					if ctx.Err() != nil {
						t.Errorf("the group ended the outer ctx: %v", ctx.Err())
					}
					return nil
				}
				on(t, l, check)
				_ = check(l.Context())
			})
		})
	}
}

func TestGroup_outerContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			outer, cancel := context.WithCancelCause(ctx)
			cleaned := false
			l, _ := aio.LoopOf(ctx)
			l.CallLater(time.Second, func() { cancel(errCause) })
			err := aio.WithGroup(outer, func(ctx context.Context) error {
				aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					err := new(aio.Event).Wait(ctx)
					_ = aio.Sleep(context.WithoutCancel(ctx), time.Minute)
					cleaned = true
					return errors.Join(io.EOF, err)
				}))
				return nil
			})
			checkErr(t, "WithGroup", err, context.Canceled, errCause)
			if !cleaned {
				t.Error("WithGroup did not wait for a member's clean-up")
			}
			return nil
		})
	})
}

// Who belongs to it: what is started under body's context and what derives from it, wherever; not what members start.
func TestGroup_members(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			began := aio.Now(ctx)
			var inside context.Context
			var grandchild *aio.Task[int]
			var tr trace
			err := aio.WithGroup(ctx, func(ctx context.Context) error {
				inside = ctx
				derived, cancel := context.WithCancel(context.WithValue(ctx, key{}, 1))
				defer cancel()
				free := context.WithoutCancel(derived) // not cancelled with it, but waited for
				member := func(ctx context.Context, name string, d time.Duration) {
					aio.Go(ctx, aio.Do(func(ctx context.Context) error {
						grandchild = aio.Go(ctx, sleeper(time.Hour, nil))
						err := aio.Sleep(ctx, d)
						tr.add("%s:%v", name, err == nil)
						return err
					}))
				}
				member(ctx, "plain", time.Second)
				member(free, "free", time.Minute)
				timed, stop := aio.WithTimeout(ctx, time.Hour)
				defer stop()
				member(timed, "timed", 2*time.Second)
				return aio.Sleep(ctx, 3*time.Second)
			})
			tr.check(t, "plain:true timed:true free:true")
			if took := aio.Now(ctx).Sub(began); took != time.Minute {
				t.Errorf("WithGroup waited for %v, the last of its members takes a minute", took)
			}
			if _, ended := grandchild.Await(ctx); !errors.Is(ended, aio.ErrCancelled) { // not waited for, but its ctx comes from the body's, which has ended
				t.Errorf("what a member started ended with %v", ended)
			}
			late := aio.Go(inside, value(1))
			if _, lateErr := late.Await(ctx); !errors.Is(lateErr, aio.ErrCancelled) {
				t.Errorf("Go under the context of a group that is over: %v, want a cancelled task", lateErr)
			}
			return err
		})
	})
}

func TestGroup_bodyPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			ended := false
			task := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				return aio.WithGroup(ctx, func(ctx context.Context) error {
					aio.Go(ctx, aio.Do(func(ctx context.Context) error {
						defer func() { ended = true }()
						return new(aio.Event).Wait(ctx)
					}))
					_ = aio.Yield(ctx)
					explode("body")
					return nil
				})
			}))
			_, err := task.Await(ctx)
			var p *aio.PanicError
			if !errors.As(err, &p) || p.Value != "body" || !ended {
				t.Errorf("got %v; its member had ended: %v", err, ended)
			}
			return nil
		})
	})
}

func TestForEach_bounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			taken, running, most, done := 0, 0, 0, 0
			items := func(yield func(int) bool) {
				for i := range 20 {
					if taken++; taken-done > 3 {
						t.Errorf("item %d was taken while 3 tasks ran", i)
					}
					if !yield(i) {
						return
					}
				}
			}
			err := aio.ForEach(ctx, 3, items, func(ctx context.Context, i int) error {
				running++
				most = max(most, running)
				err := aio.Sleep(ctx, time.Duration(1+i%4)*time.Second)
				running--
				done++
				return err
			})
			if most != 3 || done != 20 || running != 0 {
				t.Errorf("at most %d ran at once, %d of 20 are done", most, done)
			}
			return err
		})
	})
}

func TestForEach_stopsAtTheFirstError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			taken, stopped := 0, false
			items := iter.Seq[int](func(yield func(int) bool) {
				defer func() { stopped = true }()
				for {
					if taken++; !yield(taken) {
						return
					}
				}
			})
			err := aio.ForEach(ctx, 2, items, func(ctx context.Context, i int) error {
				if i == 5 {
					return io.EOF
				}
				return aio.Sleep(ctx, time.Second)
			})
			if err != io.EOF || !stopped || taken > 7 {
				t.Errorf("got %v after %d items; the iterator was ended: %v", err, taken, stopped)
			}
			short, cancel := aio.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			err = aio.ForEach(short, 2, items, func(ctx context.Context, _ int) error { return aio.Sleep(ctx, time.Second) })
			checkErr(t, "ForEach until its ctx ends", err, context.DeadlineExceeded)
			if err := aio.ForEach(ctx, 0, items, func(context.Context, int) error { return nil }); err == nil {
				t.Error("a limit of 0 was accepted")
			}
			return nil
		})
	})
}

// A group in a task that is cancelled returns its context's error joined with a member's failure. The task is cancelled, and the failure is told all the same.
func TestGroup_failureBesideACancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		body := func(ctx context.Context) error {
			return aio.WithGroup(ctx, func(ctx context.Context) error {
				aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					_ = aio.Sleep(ctx, time.Hour)
					return boom
				}))
				return aio.Sleep(ctx, time.Hour)
			})
		}
		seen := newReports()
		l := start(t, seen.option())
		task := aio.Submit(context.Background(), l, aio.Do(body))
		synctest.Wait()
		task.Cancel(nil)
		synctest.Wait()
		if task.State() != aio.Cancelled {
			t.Errorf("the task is %v, want cancelled", task.State())
		}
		err := aio.WithGroup(l.Context(), func(ctx context.Context) error {
			member := aio.Go(ctx, aio.Do(body))
			synctest.Wait()
			member.Cancel(nil)
			return nil
		})
		if !errors.Is(err, boom) {
			t.Errorf("the group of a member that was cancelled and failed returned %v, want %v in it", err, boom)
		}
		_ = l.Close()
		if got := seen.all(); len(got) != 1 || !errors.Is(got[0].Err, boom) {
			t.Errorf("Unhandled was told %v, want boom, once", got)
		}
	})
}
