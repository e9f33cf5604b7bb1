package job

import (
	"context"
	"sync"

	"github.com/seed8b1f0744/aio"
)

// Local runs jobs on an executor of this process, without encoding: errors stay what they are, and
// the argument and the result are shared, not copied, so what a job changes behind a pointer or in a
// slice or map, its caller sees. Types that could not travel do, here.
//
// A job must not wait for another one of the same ex, if that has no worker for it: both would wait
// for ever, see [aio.Pool]. [Job.In] waits while ex has no room. The Executor's Close waits for its
// calls, suspending a task and blocking any other goroutine, and leaves ex open; in a callback it
// closes, and is aio.ErrWouldDeadlock if there is anything to wait for. From any goroutine; Local
// itself does not suspend.
func Local(ex aio.Executor) Executor {
	if ex == nil {
		panic("aio: Local needs an executor, got nil")
	}
	return &local{ex: ex, drained: aio.NewPromise[struct{}]()}
}

// local is an executor of jobs, for whom In has a shorter way: as an aio.Executor.
type local struct {
	ex      aio.Executor // immutable
	mu      sync.Mutex
	calls   int  // guarded by mu; accepted, or about to be, and not returned
	closed  bool // guarded by mu
	drained *aio.Promise[struct{}]
}

// Submit implements aio.Executor.
func (l *local) Submit(ctx context.Context, call func()) error {
	if !l.enter() {
		return aio.ErrClosed
	}
	accepted := false
	defer func() {
		if !accepted {
			l.leave()
		}
	}()
	err := l.ex.Submit(ctx, func() {
		defer l.leave()
		call()
	})
	accepted = err == nil
	return err
}

func (l *local) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.calls++
	return true
}

func (l *local) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls--; l.closed && l.calls == 0 {
		l.drained.Resolve(struct{}{})
	}
}

// Execute implements Executor, for calls that were encoded all the same.
func (l *local) Execute(ctx context.Context, c Call) ([]byte, error) {
	if !aio.InTask() {
		// A goroutine does this here; in a callback, which cannot wait for the outcome, it is refused
		// before anything has begun.
		return aio.Blocking(ctx, func(ctx context.Context) ([]byte, error) { return l.execute(ctx, c) })
	}
	return l.execute(ctx, c)
}

func (l *local) execute(ctx context.Context, c Call) ([]byte, error) {
	return aio.InExecutor(ctx, l, func(ctx context.Context) ([]byte, error) { return Serve(ctx, c), nil }).Await(ctx)
}

// Close implements Executor.
func (l *local) Close() error {
	l.mu.Lock()
	if l.closed = true; l.calls == 0 {
		l.drained.Resolve(struct{}{})
	}
	l.mu.Unlock()
	_, err := l.drained.Await(context.Background())
	return err
}
