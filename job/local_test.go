package job_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

func onPool(t testing.TB, c aio.PoolConfig) (*aio.Pool, job.Executor) {
	t.Helper()
	pool := aio.NewPool(c)
	t.Cleanup(func() { _ = pool.Close() })
	return pool, job.Local(pool)
}

func TestLocal_sharesAndKeeps(t *testing.T) {
	_, ex := onPool(t, aio.PoolConfig{})
	list := []int{1}
	got, err := change.In(t.Context(), ex, list).Await(t.Context())
	if err != nil || got != &list[0] || list[0] != 7 {
		t.Errorf("got %v, %v; the argument is %v", got, err, list)
	}
	if _, err := fail.In(t.Context(), ex, "one").Await(t.Context()); err != errTooBig {
		t.Errorf("got %v, want the job's own error", err)
	}
	if got, err := takesFunc.In(t.Context(), ex, func() int { return 5 }).Await(t.Context()); got != 5 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = fail.In(t.Context(), ex, "panic").Await(t.Context())
	if p := asType[*aio.PanicError](t, err); p.Value != "boom" {
		t.Errorf("got %v", p.Value)
	}
	if _, err := fail.In(t.Context(), ex, "goexit").Await(t.Context()); !errors.Is(err, aio.ErrGoexit) {
		t.Errorf("got %v", err)
	}
}

// wrapped hides that it is local, as a user's own executor around it would.
type wrapped struct{ job.Executor }

func TestLocal_encodedCalls(t *testing.T) {
	_, ex := onPool(t, aio.PoolConfig{})
	if got, err := sum.In(t.Context(), wrapped{ex}, args{A: 1, B: 2}).Await(t.Context()); got != 3 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := fail.In(t.Context(), wrapped{ex}, "goexit").Await(t.Context()); !errors.Is(err, aio.ErrGoexit) {
		t.Errorf("got %v", err)
	}
}

// Execute in a callback could not wait for its job: it is refused before anything has begun.
func TestLocal_executeInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, ex := onPool(t, aio.PoolConfig{})
		run(t, func(ctx context.Context) error {
			told := aio.NewPromise[error]()
			loopOf(ctx).CallSoon(func() {
				_, err := ex.Execute(ctx, job.Call{Name: "no such job"})
				told.Resolve(err)
			})
			if err, _ := told.Await(ctx); err != aio.ErrWouldDeadlock {
				t.Errorf("got %v, want ErrWouldDeadlock", err)
			}
			return ex.Close()
		})
		synctest.Wait()
		if s := pool.Stats(); s != (aio.PoolStats{}) {
			t.Errorf("the pool has had something to do: %+v", s)
		}
	})
}

func TestLocal_close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool, ex := onPool(t, aio.PoolConfig{})
		f := hang.In(t.Context(), ex, 0)
		run(t, func(ctx context.Context) error {
			closing := aio.Go(ctx, aio.Do(func(context.Context) error { return ex.Close() }))
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			if _, err := sum.In(ctx, ex, args{}).Await(ctx); !errors.Is(err, aio.ErrClosed) {
				t.Errorf("a call of a closed executor: %v", err)
			}
			if closing.State() != aio.Pending {
				t.Error("Close has not waited for its call")
			}
			refused := aio.NewPromise[error]()
			loopOf(ctx).CallSoon(func() { _ = refused.Resolve(ex.Close()) })
			if err, _ := refused.Await(ctx); !errors.Is(err, aio.ErrWouldDeadlock) {
				t.Errorf("Close in a callback: %v", err)
			}
			f.Cancel(nil)
			_, err := closing.Await(ctx)
			return err
		})
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
		if _, err := aio.InExecutor(t.Context(), pool, func(context.Context) (int, error) { return 1, nil }).Await(t.Context()); err != nil {
			t.Errorf("the pool is closed: %v", err)
		}
	})
}

func TestLocal_waitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ex := onPool(t, aio.PoolConfig{Workers: 1})
		run(t, func(ctx context.Context) error {
			first := hang.In(ctx, ex, 0)
			waiting := aio.Go(ctx, func(ctx context.Context) (int, error) { return sum.In(ctx, ex, args{A: 1}).Await(ctx) })
			for range 3 {
				if err := aio.Yield(ctx); err != nil {
					return err
				}
			}
			if waiting.State() != aio.Pending {
				t.Error("a call was run beside the one that the pool has room for")
			}
			first.Cancel(nil)
			if got, err := waiting.Await(ctx); got != 1 || err != nil {
				t.Errorf("got %v, %v", got, err)
			}
			return nil
		})
		_, full := onPool(t, aio.PoolConfig{Workers: 1, FailIfFull: true})
		first := hang.In(t.Context(), full, 0)
		if _, err := sum.In(t.Context(), full, args{}).Await(t.Context()); !errors.Is(err, aio.ErrFull) {
			t.Errorf("got %v", err)
		}
		first.Cancel(nil)
		if err := full.Close(); err != nil {
			t.Error(err)
		}
	})
}

// An executor that panics in Submit has taken nothing, so Close has nothing to wait for.
func TestLocal_executorThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := job.Local(broken{})
		if got := panicOf(func() { sum.In(t.Context(), ex, args{}) }); got != "broken" {
			t.Errorf("In panicked with %v", got)
		}
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
	})
}

type broken struct{}

func (broken) Submit(context.Context, func()) error { panic("broken") }
func (broken) Close() error                         { return nil }
