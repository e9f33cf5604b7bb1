package aio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Cancellation is level-triggered, who waits never cancels, a task outlives its parent's return.

var errCause = errors.New("the cause")

// endings are contexts under parent that have ended, and what a wait under them must say.
func endings(parent context.Context) map[string]struct {
	ctx  context.Context
	want []error
} {
	type ending = struct {
		ctx  context.Context
		want []error
	}
	plain, cancel := context.WithCancel(parent)
	cancel()
	caused, cancelCause := context.WithCancelCause(parent)
	cancelCause(errCause)
	value := context.WithValue(caused, key{}, 1)
	std, cancelStd := context.WithTimeoutCause(parent, 0, errCause)
	cancelStd()
	ours, cancelOurs := aio.WithTimeout(parent, -1)
	cancelOurs()
	below, cancelBelow := aio.WithTimeout(caused, time.Hour)
	cancelBelow()
	given, cancelGiven := aio.WithTimeout(parent, time.Hour)
	cancelGiven()
	return map[string]ending{
		"WithCancel":          {plain, []error{context.Canceled}},
		"WithCancelCause":     {caused, []error{context.Canceled, errCause}},
		"WithValue":           {value, []error{context.Canceled, errCause}},
		"context.WithTimeout": {std, []error{context.DeadlineExceeded, errCause}},
		"aio.WithTimeout":     {ours, []error{context.DeadlineExceeded}},
		"below an ended one":  {below, []error{context.Canceled, errCause}},
		"cancelled timeout":   {given, []error{context.Canceled}},
	}
}

type key struct{}

// check reports what is wrong with the error of a wait whose context ended.
func checkErr(t *testing.T, what string, err error, want ...error) {
	t.Helper()
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("%s: %v, want one that Is %q", what, err, w)
		}
	}
	if !errors.Is(err, aio.ErrCancelled) && errors.Is(err, context.Canceled) && errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s: %v is both a cancellation and a deadline", what, err)
	}
}

// runners would call their function at once: under an ended context they must not. (What would take something is in TestOneColor.)
var runners = map[string]func(context.Context) error{
	"Blocking": func(ctx context.Context) error {
		_, err := aio.Blocking(ctx, func(context.Context) (int, error) { return 0, errors.New("Blocking ran its call") })
		return err
	},
	"InExecutor": func(ctx context.Context) error {
		p := aio.NewPool(aio.PoolConfig{})
		defer p.Close()
		_, err := aio.InExecutor(ctx, p, func(context.Context) (int, error) { return 0, errors.New("InExecutor ran its call") }).Await(context.WithoutCancel(ctx))
		return err
	},
	"WithGroup": func(ctx context.Context) error { return aio.WithGroup(ctx, func(context.Context) error { return nil }) },
	"ForEach": func(ctx context.Context) error {
		return aio.ForEach(ctx, 1, func(yield func(int) bool) { yield(1) }, func(context.Context, int) error { return errors.New("ForEach called its function") })
	},
}

func TestCancel_endedContextRunsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		body := func(ctx context.Context) error {
			for name, e := range endings(ctx) {
				for call, fn := range runners {
					checkErr(t, fmt.Sprintf("%s under %s, in a task %v", call, name, aio.InTask()), fn(e.ctx), e.want...)
				}
				for call, fn := range waits() {
					checkErr(t, fmt.Sprintf("%s under %s, in a task %v", call, name, aio.InTask()), fn(e.ctx), e.want...)
				}
				checkErr(t, "Yield under "+name, aio.Yield(e.ctx), e.want...)
			}
			return nil
		}
		on(t, l, body)
		_ = body(l.Context())
	})
}

// A wait that has begun ends when its context does, however that is derived.
func TestCancel_endsAWait(t *testing.T) {
	derive := map[string]func(context.Context) (context.Context, func(), error){
		"WithCancel": func(ctx context.Context) (context.Context, func(), error) {
			c, cancel := context.WithCancel(ctx)
			return c, cancel, context.Canceled
		},
		"WithCancelCause": func(ctx context.Context) (context.Context, func(), error) {
			c, cancel := context.WithCancelCause(ctx)
			return c, func() { cancel(errCause) }, errCause
		},
		"WithValue": func(ctx context.Context) (context.Context, func(), error) {
			c, cancel := context.WithCancelCause(ctx)
			return context.WithValue(c, key{}, 1), func() { cancel(errCause) }, errCause
		},
		"aio.WithTimeout": func(ctx context.Context) (context.Context, func(), error) {
			c, cancel := aio.WithTimeout(ctx, time.Second)
			return c, func() { time.Sleep(2 * time.Second); cancel() }, context.DeadlineExceeded
		},
		"aio.WithTimeout below WithCancelCause": func(ctx context.Context) (context.Context, func(), error) {
			c, cancel := context.WithCancelCause(ctx)
			d, stop := aio.WithTimeout(c, time.Hour)
			return d, func() { cancel(errCause); stop() }, errCause
		},
	}
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		for how, with := range derive {
			for name, wait := range waits() {
				ctx, end, want := with(l.Context())
				inTask := aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { return wait(ctx) }))
				inGoroutine := make(chan error, 1)
				go func() { inGoroutine <- wait(ctx) }()
				synctest.Wait()
				end()
				synctest.Wait()
				_, err := inTask.Result()
				checkErr(t, name+" in a task, under "+how, err, want)
				checkErr(t, name+" in a goroutine, under "+how, <-inGoroutine, want)
			}
		}
	})
}

// A task's own context.
func TestCancel_taskContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			for name, wait := range waits() {
				var inner context.Context
				task := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					inner = ctx
					err := wait(ctx)
					checkErr(t, name, err, context.Canceled, errCause)
					if again := wait(ctx); !errors.Is(again, errCause) { // level-triggered: it stays so
						t.Errorf("%s again: %v", name, again)
					}
					return err
				}))
				if err := aio.Yield(ctx); err != nil {
					return err
				}
				if inner.Err() != nil || context.Cause(inner) != nil {
					t.Errorf("a running task's ctx says %v, %v", inner.Err(), context.Cause(inner))
				}
				if !task.Cancel(errCause) {
					t.Error("Cancel of a waiting task reported false")
				}
				if inner.Err() != context.Canceled || context.Cause(inner) != errCause {
					t.Errorf("a cancelled task's ctx says %v, %v, want exactly context.Canceled and the cause", inner.Err(), context.Cause(inner))
				}
				_, err := task.Await(ctx)
				checkErr(t, "awaiting it", err, aio.ErrCancelled, context.Canceled, errCause)
				if task.State() != aio.Cancelled || task.Cancel(nil) {
					t.Errorf("afterwards it is %v, and Cancel must report false", task.State())
				}
			}
			return nil
		})
	})
}

// Contexts of package context below a task's end with it: at once, with its cause, and without a goroutine for each.
func TestCancel_stdContextsBelowATask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			var below []context.Context
			called := make(chan struct{})
			before := runtime.NumGoroutine()
			task := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for range 50 {
					a, cancelA := context.WithCancel(ctx)
					b, cancelB := context.WithTimeout(context.WithValue(a, key{}, 1), time.Hour)
					t.Cleanup(cancelA) // after the test has seen them end
					t.Cleanup(cancelB)
					below = append(below, a, b)
				}
				context.AfterFunc(ctx, func() { close(called) })
				return new(aio.Event).Wait(ctx)
			}))
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			if n := runtime.NumGoroutine() - before; n > 10 { // its coroutine, and what else the runtime does
				t.Errorf("100 derived contexts cost %d goroutines", n)
			}
			task.Cancel(errCause)
			for i, c := range below {
				if c.Err() != context.Canceled || context.Cause(c) != errCause {
					t.Fatalf("derived context %d right after Cancel: %v, %v", i, c.Err(), context.Cause(c))
				}
				<-c.Done()
			}
			<-called
			_, err := task.Await(ctx)
			checkErr(t, "awaiting it", err, aio.ErrCancelled)
			return nil
		})
	})
}

func TestCancel_reachesChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			var child, grandchild, free *aio.Task[struct{}]
			release := aio.NewPromise[struct{}]()
			forever := aio.Do(func(ctx context.Context) error { return new(aio.Event).Wait(ctx) })
			parent := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				child = aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					grandchild = aio.Go(ctx, forever)
					return new(aio.Event).Wait(ctx)
				}))
				free = aio.Go(context.WithoutCancel(ctx), aio.Do(func(ctx context.Context) error { _, err := release.Await(ctx); return err }))
				return nil // its children outlive it
			}))
			if _, err := parent.Await(ctx); err != nil {
				return err
			}
			if err := aio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			if child.State() != aio.Pending || grandchild.State() != aio.Pending {
				t.Fatal("the parent's return ended its children")
			}
			if parent.Cancel(errCause) {
				t.Error("Cancel of a finished task reported true")
			}
			child.Cancel(errCause)
			for name, task := range map[string]*aio.Task[struct{}]{"child": child, "grandchild": grandchild} {
				_, err := task.Await(ctx)
				checkErr(t, name, err, aio.ErrCancelled, errCause)
			}
			if free.State() != aio.Pending {
				t.Error("a task under WithoutCancel was cancelled")
			}
			release.Resolve(struct{}{})
			_, err := free.Await(ctx)
			return err
		})
	})
}

// The ctx of a task that has returned still hands on its parent's end.
func TestCancel_throughAFinishedTask(t *testing.T) {
	for _, derived := range []bool{false, true} { // somebody had asked for Done while it ran
		synctest.Test(t, func(t *testing.T) {
			run(t, func(ctx context.Context) error {
				outer, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				var finished, std context.Context
				if _, err := aio.Go(outer, aio.Do(func(ctx context.Context) error {
					finished = ctx
					if derived {
						var cancelStd context.CancelFunc
						std, cancelStd = context.WithCancel(ctx)
						t.Cleanup(cancelStd)
					}
					return nil
				})).Await(ctx); err != nil {
					return err
				}
				if finished.Err() != nil {
					t.Error("a task's ctx ended with its return")
				}
				late := aio.Go(finished, aio.Do(func(ctx context.Context) error { return new(aio.Event).Wait(ctx) }))
				waiting := aio.Go(ctx, aio.Do(func(context.Context) error { return new(aio.Event).Wait(finished) }))
				if err := aio.Yield(ctx); err != nil {
					return err
				}
				afterwards, stop := context.WithCancel(finished)
				defer stop()
				cancel(errCause)
				if finished.Err() != context.Canceled || context.Cause(finished) != errCause {
					t.Errorf("the finished task's ctx: %v, %v", finished.Err(), context.Cause(finished))
				}
				_, err := late.Await(ctx)
				checkErr(t, "a later child", err, aio.ErrCancelled, errCause)
				_, err = waiting.Await(ctx)
				checkErr(t, "a wait under it", err, errCause)
				<-afterwards.Done()
				if std != nil {
					<-std.Done()
				}
				if ran := aio.Go(finished, value(1)); ran.Cancel(nil) { // cancelled from the start: its Cancel has nothing to do
					t.Error("Go under an ended ctx: Cancel reported true")
				}
				return nil
			})
		})
	}
}
