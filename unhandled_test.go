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

	"github.com/seed8b1f0744/aio"
)

// Rule 8: a failure that nobody took is reported, once.

func fails(err error) func(context.Context) (int, error) {
	return func(context.Context) (int, error) { return 0, err }
}

func TestUnhandled_atClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := aio.Start(seen.option())
		var kept []*aio.Task[int] // reachable, so no collector brings the news
		for _, err := range []error{io.EOF, nil, io.ErrNoProgress} {
			kept = append(kept, aio.Submit(context.Background(), l, fails(err), aio.Named("t")))
		}
		kept = append(kept, aio.Submit(context.Background(), l, func(context.Context) (int, error) { explode("boom"); return 0, nil }))
		cancelled := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error { return new(aio.Event).Wait(ctx) }))
		turn(t, l)
		cancelled.Cancel(nil) // is no failure
		if got := seen.all(); len(got) != 0 {
			t.Errorf("reported while the tasks can still be awaited: %v", got)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		got := seen.all()
		if len(got) != 3 || got[0].Err != io.EOF || got[1].Err != io.ErrNoProgress || got[0].Task.Name != "t" || got[0].Task.ID != 1 {
			t.Fatalf("at Close Unhandled was told %v, want the three failures in the order of their tasks", got)
		}
		var p *aio.PanicError
		if !errors.As(got[2].Err, &p) || !bytes.Contains(p.Stack, []byte("aio_test.explode(")) {
			t.Errorf("the panic was reported as %v", got[2].Err)
		}
		for _, task := range kept {
			_, _ = task.Await(context.Background()) // too late to be reported again
		}
		_ = l.Close()
		if n := len(seen.all()); n != 3 {
			t.Errorf("%d reports after all, want 3", n)
		}
	})
}

// The collector tells when nobody can await a task any more; not in a bubble, where it does not run.
func TestUnhandled_whenUnreachable(t *testing.T) {
	seen := newReports()
	l := aio.Start(seen.option())
	defer l.Close()
	taken := aio.Submit(context.Background(), l, fails(io.ErrClosedPipe))
	if _, err := taken.Await(context.Background()); err != io.ErrClosedPipe {
		t.Fatal(err)
	}
	const n = 20
	for range n {
		aio.Submit(context.Background(), l, fails(io.EOF))
	}
	turn(t, l)
	for got := 0; got < n; {
		runtime.GC()
		select {
		case <-seen.told:
			got++
		default:
			turn(t, l)
		}
	}
	runtime.GC()
	turn(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	got := seen.all()
	if len(got) != n {
		t.Errorf("%d reports, want %d", len(got), n)
	}
	for _, f := range got {
		if f.Err != io.EOF || f.Task.ID == 0 {
			t.Errorf("reported %v of %+v", f.Err, f.Task)
		}
	}
	runtime.KeepAlive(taken)
}

func TestUnhandled_taken(t *testing.T) {
	take := map[string]func(ctx context.Context, task *aio.Task[int]) error{
		"Await":  func(ctx context.Context, task *aio.Task[int]) error { _, err := task.Await(ctx); return err },
		"Result": func(_ context.Context, task *aio.Task[int]) error { <-task.Done(); _, err := task.Result(); return err },
		"Gather": func(ctx context.Context, task *aio.Task[int]) error { _, err := aio.Gather(ctx, task); return err },
		"OnDone": func(ctx context.Context, task *aio.Task[int]) error {
			got := aio.NewPromise[error]()
			task.OnDone(ctx, func(_ int, err error) { got.Resolve(err) })
			err, _ := got.Await(ctx)
			return err
		},
		"OnDone without a loop": func(_ context.Context, task *aio.Task[int]) error {
			got := make(chan error)
			task.OnDone(context.Background(), func(_ int, err error) { got <- err })
			return <-got
		},
	}
	for name, fn := range take {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := start(t) // complains of what is reported
				for _, late := range []bool{false, true} {
					task := aio.Submit(context.Background(), l, func(ctx context.Context) (int, error) { return 0, errors.Join(aio.Yield(ctx), io.EOF) })
					if late {
						turn(t, l)
						turn(t, l)
					}
					if err := fn(l.Context(), task); !errors.Is(err, io.EOF) {
						t.Errorf("got %v", err)
					}
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// To look is not to take.
func TestUnhandled_notTaken(t *testing.T) {
	look := map[string]func(ctx context.Context, task *aio.Task[int]){
		"Wait":  func(ctx context.Context, task *aio.Task[int]) { _, _, _ = aio.Wait(ctx, aio.AllDone, task) },
		"State": func(_ context.Context, task *aio.Task[int]) { _ = task.State() },
		"Done":  func(_ context.Context, task *aio.Task[int]) { <-task.Done() },
		"Await that is given up": func(ctx context.Context, task *aio.Task[int]) {
			ended, cancel := context.WithCancel(ctx)
			cancel()
			_, _ = task.Await(ended)
		},
		"Result too early": func(_ context.Context, task *aio.Task[int]) { _, _ = task.Result() },
		"OnDone that is stopped": func(ctx context.Context, task *aio.Task[int]) {
			if !task.OnDone(ctx, func(int, error) {})() {
				panic("it was called")
			}
		},
	}
	for name, fn := range look {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := newReports()
				l := aio.Start(seen.option())
				task := aio.Submit(context.Background(), l, func(ctx context.Context) (int, error) { return 0, errors.Join(aio.Sleep(ctx, time.Second), io.EOF) })
				fn(l.Context(), task)
				time.Sleep(2 * time.Second)
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				if got := seen.all(); len(got) != 1 || !errors.Is(got[0].Err, io.EOF) {
					t.Errorf("Unhandled was told %v, want the error once", got)
				}
				runtime.KeepAlive(task)
			})
		})
	}
}

func TestUnhandled_groupTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			err := aio.WithGroup(ctx, func(ctx context.Context) error {
				aio.Go(ctx, fails(io.EOF))
				aio.Go(ctx, fails(io.ErrNoProgress))
				return nil
			})
			if !errors.Is(err, io.EOF) || !errors.Is(err, io.ErrNoProgress) {
				t.Errorf("the group failed with %v, want both errors", err)
			}
			return nil
		})
	})
}

func TestUnhandled_defaultLogs(t *testing.T) {
	var log bytes.Buffer
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		aio.Go(ctx, fails(io.ErrNoProgress), aio.Named("reader"))
		l, _ := aio.LoopOf(ctx)
		l.CallSoon(func() { explode("in a callback") })
		return aio.Yield(ctx)
	}), aio.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"level=ERROR", "task=reader", io.ErrNoProgress.Error(), "in a callback"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, log.String())
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
		t.Errorf("%d errors were logged, want 2:\n%s", n, log.String())
	}
}

func TestHooks_tasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
			task := aio.Go(ctx, fails(io.EOF), aio.Named("a"))
			if task.Name() != "a" {
				t.Errorf("Name is %q", task.Name())
			}
			never := aio.Go(ctx, fails(io.EOF))
			never.Cancel(nil)
			_, _ = never.Await(ctx)
			_, _ = task.Await(ctx)
			return nil
		}), aio.WithHooks(aio.Hooks{
			TaskStarted: func(i aio.TaskInfo) { tr.add("+%s", i.Name) },
			TaskFinished: func(i aio.TaskInfo, err error) {
				tr.add("-%s:%v", i.Name, errors.Is(err, io.EOF))
			},
		}))
		if err != nil {
			t.Error(err)
		}
		tr.check(t, "+task-1 +a -a:true +task-3 -task-3:false -task-1:false")
	})
}
