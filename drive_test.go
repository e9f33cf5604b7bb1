package aio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Who runs the loop must not be seen: a loop with task hooks is run by its own goroutine only, and random programs give the same trace on both.
func TestDrive_sameOrderByWhomever(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			driven := randomTrace(t, seed, nil)
			plain := randomTrace(t, seed, func(aio.TaskInfo) {})
			if driven != plain {
				t.Fatalf("seed %d: tasks ran the loop\n%s\nthe loop's own goroutine did\n%s", seed, driven, plain)
			}
			if strings.Count(driven, "\n") < 20 {
				t.Fatalf("seed %d: the program does too little:\n%s", seed, driven)
			}
		})
	}
}

// randomTrace runs a random program of tasks that start others, yield, sleep, pass things on, wait for each other, fail and end by Goexit.
func randomTrace(t *testing.T, seed uint64, started func(aio.TaskInfo)) string {
	rnd := rand.New(rand.NewPCG(seed, 1))
	var out strings.Builder
	queue := aio.NewQueue[int](2)
	var last *aio.Task[struct{}]
	left := 60 // tasks still to start
	var body func(ctx context.Context, name int) error
	spawn := func(ctx context.Context) {
		if left == 0 {
			return
		}
		left--
		name := left
		var opts []aio.TaskOption
		if rnd.IntN(4) == 0 {
			opts = append(opts, aio.Eager())
		}
		last = aio.Go(ctx, aio.Do(func(ctx context.Context) error { return body(ctx, name) }), opts...)
	}
	body = func(ctx context.Context, name int) error {
		l, _ := aio.LoopOf(ctx)
		for step := range 1 + rnd.IntN(5) {
			if !aio.InTask() {
				t.Errorf("seed %d: task %d runs as no task", seed, name)
			}
			fmt.Fprintf(&out, "%d.%d\n", name, step)
			switch rnd.IntN(9) {
			case 0:
				spawn(ctx)
				spawn(ctx)
			case 1:
				_ = aio.Yield(ctx)
			case 2:
				_ = aio.Sleep(ctx, time.Duration(rnd.IntN(4))*time.Millisecond)
			case 3:
				_ = queue.TryPut(name)
			case 4:
				short, cancel := aio.WithTimeout(ctx, time.Millisecond)
				v, err := queue.Get(short)
				cancel()
				fmt.Fprintf(&out, "%d got %d %v\n", name, v, err)
			case 5:
				if last != nil {
					short, cancel := aio.WithTimeout(ctx, time.Millisecond)
					_, err := last.Await(short)
					cancel()
					fmt.Fprintf(&out, "%d awaited %s\n", name, errText(err))
				}
			case 6:
				l.CallSoon(func() {
					if aio.InTask() {
						t.Errorf("seed %d: a callback runs in a task", seed)
					}
					fmt.Fprintf(&out, "called by %d\n", name)
				})
			case 7:
				l.CallSoon(runtime.Goexit)
				l.CallSoon(func() { panic("in a callback") })
			case 8:
				if rnd.IntN(3) == 0 {
					runtime.Goexit()
				}
				if rnd.IntN(3) == 0 {
					panic("in a task")
				}
			}
		}
		return nil
	}
	l := aio.Start(aio.WithHooks(aio.Hooks{TaskStarted: started, Unhandled: func(aio.Failure) {}}))
	_, _ = aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
		for range 10 {
			spawn(ctx)
		}
		return nil
	})).Await(context.Background())
	if err := l.Shutdown(context.Background()); err != nil {
		t.Errorf("seed %d: Shutdown: %v", seed, err)
	}
	return out.String()
}

// errText is the error without a panic's stack.
func errText(err error) string {
	text, _, _ := strings.Cut(fmt.Sprint(err), "\n")
	return text
}

// A task that waits runs the loop; what a callback does to its goroutine must not reach the task.
func TestDrive_callbacksDoNotReachTheTask(t *testing.T) {
	for name, callback := range map[string]func(){"panic": func() { panic("callback") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			l := aio.Start(newReports().option())
			unwound := false
			task := aio.Submit(t.Context(), l, func(ctx context.Context) (string, error) {
				defer func() {
					if recover() != nil {
						unwound = true
					}
				}()
				l.CallSoon(callback)
				err := aio.Yield(ctx)
				return "went on", err
			})
			if v, err := task.Await(t.Context()); v != "went on" || err != nil || unwound {
				t.Errorf("got %q, %v, recovered something: %t", v, err, unwound)
			}
			_ = l.Close()
		})
	}
}

// The chain of those that run the loop ends at once when the loop closes, however deep it is.
func TestDrive_closeFromTheEndOfTheChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := aio.Start()
		var ended int
		for range 20 {
			aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
				defer func() { ended++ }()
				for aio.Sleep(ctx, time.Second) == nil {
				}
				return ctx.Err()
			}))
		}
		time.Sleep(10*time.Second + time.Millisecond)
		if err := l.Close(); err != nil || ended != 20 {
			t.Errorf("Close: %v, %d of 20 tasks ended", err, ended)
		}
	})
}

// asking is a context of the user's own, whose code must not run on the stack of somebody else's task.
type asking struct {
	context.Context
	ask func()
}

func (a asking) Err() error { a.ask(); return a.Context.Err() }

// Before a task begins its context is asked whether it has ended: where that is a user's code, by the loop's own goroutine.
func TestDrive_asksNoContextOnATasksStack(t *testing.T) {
	for name, before := range map[string]func(ctx context.Context){
		"when a task waits": func(context.Context) {},
		"when a task ends":  func(ctx context.Context) { aio.Go(ctx, value(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) error {
				before(ctx)
				foreign, cancel := context.WithCancel(ctx)
				defer cancel()
				asked, watch := 0, false
				task := aio.Go(asking{foreign, func() {
					if watch {
						if asked++; aio.InTask() {
							t.Error("the context was asked in a task")
						}
					}
				}}, aio.Do(func(context.Context) error { watch = false; return nil }))
				watch = true
				_, err := task.Await(ctx)
				if asked == 0 {
					t.Error("the context was not asked")
				}
				return err
			})
		})
	}
}
