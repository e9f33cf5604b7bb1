package aio_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/doors"
)

// The doors of this package: whatever waits, tried from everywhere. Most are the rows of operationKinds; here are those that are not
// about one wait among others.
func allDoors() []doors.Door {
	var all []doors.Door
	for _, k := range operationKinds {
		all = append(all, doors.Door{Name: k.name, Loop: k.loop, Make: func(testing.TB) doors.Trial {
			op := k.make(1)
			return doors.Trial{Call: op.wait, Let: op.grant, Close: op.close}
		}})
	}
	return append(all,
		doors.Door{Name: "Yield", Short: true, Make: func(testing.TB) doors.Trial { return doors.Trial{Call: aio.Yield} }},
		doors.Door{Name: "Future.Await of a task", Make: func(t testing.TB) doors.Trial {
			l, p := start(t), aio.NewPromise[int]()
			task := aio.Submit(context.Background(), l, p.Await)
			return doors.Trial{Call: call(task.Await), Let: func() { p.Resolve(1) }, Close: closing(t, l)}
		}},
		doors.Door{Name: "GatherAll", Make: func(testing.TB) doors.Trial {
			p := aio.NewPromise[int]()
			return doors.Trial{Let: func() { p.Resolve(1) }, Call: func(ctx context.Context) error { _, err := aio.GatherAll(ctx, p); return err }}
		}},
		doors.Door{Name: "AsCompleted", Make: func(testing.TB) doors.Trial {
			p := aio.NewPromise[int]()
			return doors.Trial{Let: func() { p.Resolve(1) }, Call: func(ctx context.Context) (err error) {
				defer func() { // an iterator has no other way to refuse
					if v, ok := recover().(error); ok {
						err = v
					}
				}()
				for range aio.AsCompleted(ctx, p) {
					return nil
				}
				return errors.New("the iterator ended early")
			}}
		}},
		doors.Door{Name: "Shield", Loop: true, Make: counted(func(ctx context.Context, fn func(context.Context) (int, error)) error {
			_, err := aio.Shield(ctx, fn)
			return err
		})},
		doors.Door{Name: "Blocking, counted", Make: counted(func(ctx context.Context, fn func(context.Context) (int, error)) error {
			_, err := aio.Blocking(ctx, fn)
			return err
		})},
		doors.Door{Name: "WithGroup, counted", Loop: true, Make: counted(func(ctx context.Context, fn func(context.Context) (int, error)) error {
			return aio.WithGroup(ctx, func(ctx context.Context) error { _, err := fn(ctx); return err })
		})},
		doors.Door{Name: "Run", Alone: true, Make: counted(func(_ context.Context, fn func(context.Context) (int, error)) error {
			_, err := aio.Run(context.Background(), fn)
			return err
		})},
		doors.Door{Name: "InExecutor, full", Make: func(t testing.TB) doors.Trial { return fullExecutor(t, aio.NewPool(aio.PoolConfig{Workers: 1}), 0) }},
		doors.Door{Name: "InExecutor, of a thread, full", Make: func(t testing.TB) doors.Trial { return fullExecutor(t, aio.NewThread(), 1024) }},
		doors.Door{Name: "Pool.Close", Make: func(t testing.TB) doors.Trial { return closingBusy(t, aio.NewPool(aio.PoolConfig{})) }},
		doors.Door{Name: "Thread.Close", Make: func(t testing.TB) doors.Trial { return closingBusy(t, aio.NewThread()) }},
		doors.Door{Name: "Loop.Close", Make: closingLoop(func(_ context.Context, l *aio.Loop) error { return l.Close() })},
		doors.Door{Name: "Loop.Shutdown", Make: closingLoop(func(ctx context.Context, l *aio.Loop) error { return l.Shutdown(ctx) })},
	)
}

// noDoors look like doors, by their names or what they take.
var noDoors = map[string]string{
	"Go":            "starts a task, and returns",
	"Submit":        "starts a task, and returns",
	"LoopOf":        "looks into the ctx",
	"Now":           "looks at a clock",
	"WithTimeout":   "derives a ctx",
	"Future.OnDone": "has something called later, and returns",
	"Future.Result": "is ErrPending rather than wait",
	"Queue.Close":   "refuses what comes; Join waits",
}

func TestDoors(t *testing.T) {
	for _, d := range allDoors() {
		t.Run(d.Name, func(t *testing.T) { doors.Try(t, d, synctest.Test, synctest.Wait) })
	}
}

// Whoever adds something that waits adds a row, or says why it needs none.
func TestDoors_areAll(t *testing.T) {
	doors.AreAll(t, ".", "aio", append(allDoors(), fdDoors()...), noDoors)
}

func call[T any](fn func(context.Context) (T, error)) func(context.Context) error {
	return func(ctx context.Context) error { _, err := fn(ctx); return err }
}

func closing(t testing.TB, what interface{ Close() error }) func() {
	return func() {
		if err := what.Close(); err != nil {
			t.Error(err)
		}
	}
}

// counted is a door that runs a function of the user's, which waits until it is let go.
func counted(through func(ctx context.Context, fn func(context.Context) (int, error)) error) func(testing.TB) doors.Trial {
	return func(testing.TB) doors.Trial {
		var ran atomic.Int32
		p := aio.NewPromise[int]()
		fn := func(ctx context.Context) (int, error) { ran.Add(1); return p.Await(ctx) }
		return doors.Trial{
			Call: func(ctx context.Context) error { return through(ctx, fn) },
			Let:  func() { p.Resolve(1) },
			Ran:  func() int { return int(ran.Load()) },
		}
	}
}

// fullExecutor has room for a call only when it is let go.
func fullExecutor(t testing.TB, ex aio.Executor, waiting int) doors.Trial {
	work, began := make(chan struct{}), make(chan struct{})
	err := ex.Submit(context.Background(), func() { close(began); <-work })
	<-began
	for range waiting {
		err = errors.Join(err, ex.Submit(context.Background(), func() {}))
	}
	if err != nil {
		t.Fatal(err)
	}
	var ran atomic.Int32
	fn := func(context.Context) (int, error) { ran.Add(1); return 1, nil }
	return doors.Trial{
		Call:  func(ctx context.Context) error { _, err := aio.InExecutor(ctx, ex, fn).Await(ctx); return err },
		Let:   func() { close(work) },
		Ran:   func() int { return int(ran.Load()) },
		Close: closing(t, ex),
	}
}

// closingBusy closes an executor that has a call. In a callback that is refused as well, but no call is taken any more.
func closingBusy(t testing.TB, ex aio.Executor) doors.Trial {
	work := make(chan struct{})
	if err := ex.Submit(context.Background(), func() { <-work }); err != nil {
		t.Fatal(err)
	}
	return doors.Trial{
		Call: func(context.Context) error { return ex.Close() },
		Let:  func() { close(work) },
		Close: func() {
			if err := ex.Submit(context.Background(), func() {}); err != aio.ErrClosed {
				t.Errorf("a call after Close: %v", err)
			}
			closing(t, ex)()
		},
	}
}

// closingLoop closes a loop of others, which has a task that takes its time.
func closingLoop(through func(ctx context.Context, l *aio.Loop) error) func(t testing.TB) doors.Trial {
	return func(t testing.TB) doors.Trial {
		l, p, begun := start(t), aio.NewPromise[int](), make(chan struct{})
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			close(begun)
			_, err := p.Await(context.WithoutCancel(ctx))
			return err
		}))
		<-begun
		return doors.Trial{
			Call:  func(ctx context.Context) error { return through(ctx, l) },
			Let:   func() { p.Resolve(1) },
			Close: closing(t, l),
		}
	}
}
