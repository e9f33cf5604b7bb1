package aio

import (
	"context"
)

// Awaitable is whatever can be awaited for a T: futures, tasks, promises, a user's own type.
type Awaitable[T any] interface {
	Await(context.Context) (T, error)
}

// Gather waits for all and returns their results in argument order. At the first error it returns
// that error; the others go on, and their errors count as taken. To mix tasks and promises, pass
// their futures: Gather(ctx, &t.Future, &p.Future).
//
// It suspends a task and blocks any other goroutine, unless all are done, or one of those that are
// done has failed. When ctx ends first Gather returns its error, and what was waited for goes on.
// An awaitable that is not ours costs a task, or a goroutine, while it is waited for. In a callback
// it is ErrWouldDeadlock, unless there is nothing to wait for.
func Gather[T any, A Awaitable[T]](ctx context.Context, as ...A) ([]T, error) {
	futures := make([]*Future[T], len(as))
	var scope context.Context
	for i, a := range as {
		if f := futureOf[T](a); f != nil {
			futures[i] = f
			continue
		}
		if scope == nil {
			var stop context.CancelFunc
			scope, stop = stopContext(ctx)
			defer stop()
		}
		futures[i] = awaitAside[T](scope, a)
	}
	if err := gather(ctx, futures); err != nil {
		return nil, err
	}
	values := make([]T, len(as))
	for i, f := range futures {
		values[i], _ = f.outcome()
	}
	return values, nil
}

// gather waits until all are done or one has failed, whose error it returns.
func gather[T any](ctx context.Context, futures []*Future[T]) error {
	pending := false
	for _, f := range futures {
		if f.State() == Pending {
			pending = true
		} else if f.failedWith() != nil {
			return gathered(futures, f)
		}
	}
	if !pending {
		return nil
	}
	if err := ended(ctx); err != nil {
		return err
	}
	var failed *core
	c, err := newCountdown(ctx, len(futures), true, func(f *core) bool {
		bad := f.failedWith() != nil
		if bad && failed == nil {
			failed = f
		}
		return bad
	})
	if err != nil {
		return err
	}
	defer c.giveBack()
	for _, f := range futures {
		if !c.watch(&f.core) {
			c.count(&f.core)
		}
	}
	err = c.wait(ctx)
	if failed != nil && err == nil {
		for _, f := range futures {
			if &f.core == failed {
				return gathered(futures, f)
			}
		}
	}
	return err
}

// gathered ends a Gather by the error of f.
func gathered[T any](futures []*Future[T], f *Future[T]) error {
	for _, other := range futures {
		other.take()
	}
	return f.failedWith()
}

// futureOf is the future that a is; nil if a is somebody else's awaitable.
func futureOf[T any](a any) *Future[T] {
	switch a := a.(type) {
	case *Task[T]:
		return &a.Future
	case *Promise[T]:
		return &a.Future
	case *Future[T]:
		return a
	default:
		return nil
	}
}

// awaitAside awaits somebody else's awaitable in a task, or without a loop in a goroutine.
func awaitAside[T any](ctx context.Context, a Awaitable[T]) *Future[T] {
	if s := scopeOf(ctx); s != nil {
		return &Submit(ctx, s.loop, a.Await).Future
	}
	p := NewPromise[T]()
	go func() {
		if v, err := a.Await(ctx); err != nil {
			p.Reject(err)
		} else {
			p.Resolve(v)
		}
	}()
	return &p.Future
}

// stopContext is a context that ends with ctx or by stop.
func stopContext(ctx context.Context) (context.Context, context.CancelFunc) {
	s := scopeOf(ctx)
	if s == nil {
		return context.WithCancel(ctx)
	}
	c := &scope{parent: ctx, loop: s.loop}
	c.link()
	return c, func() { c.endAndRelease(endedCancelled, nil) }
}
