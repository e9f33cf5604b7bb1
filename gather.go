package aio

import (
	"context"
	"runtime/debug"
	"slices"
)

// Awaitable is whatever can be awaited for a T: futures, tasks, promises, a user's own type.
type Awaitable[T any] interface {
	Await(context.Context) (T, error)
}

// Gather waits for all and returns their results in argument order. At the first error it returns
// that error; the others go on, and their errors count as taken. To mix tasks and promises, pass
// their futures: Gather(ctx, &t.Future, &p.Future). Tasks of unlike results run at the same time
// without it: start them all, then Await each; or have [WithGroup] wait for them, see its example.
//
// It suspends a task and blocks any other goroutine, unless all are done, or one of those that are
// done has failed. When ctx ends first Gather returns its error, and what was waited for goes on.
// An awaitable that is not ours costs a task, or a goroutine, while it is waited for. In a callback
// it is ErrWouldDeadlock, unless there is nothing to wait for.
func Gather[T any, A Awaitable[T]](ctx context.Context, as ...A) ([]T, error) {
	futures, stop := futuresOf[T](ctx, as)
	defer stop()
	if err := gather(ctx, futures); err != nil {
		return nil, err
	}
	values := make([]T, len(as))
	for i, f := range futures {
		values[i], _ = f.outcome()
	}
	return values, nil
}

// Outcome is how one of those that GatherAll waited for ended.
type Outcome[T any] struct {
	Value T     // what it returned
	Err   error // nil, or its error; it Is ErrCancelled if it was cancelled
}

// GatherAll waits until all have ended and returns how, in argument order: asyncio's gather with
// return_exceptions. A member that failed, panicked or was cancelled is an outcome like any other,
// and its error counts as taken.
//
// It suspends a task and blocks any other goroutine, unless all are done. Its error is ctx's, if
// that ended first: then nothing is taken, and what was waited for goes on. An awaitable that is
// not ours costs a task, or a goroutine, while it is waited for. In a callback it is
// ErrWouldDeadlock, unless there is nothing to wait for.
func GatherAll[T any, A Awaitable[T]](ctx context.Context, as ...A) ([]Outcome[T], error) {
	futures, stop := futuresOf[T](ctx, as)
	defer stop()
	if err := gatherAll(ctx, futures); err != nil {
		return nil, err
	}
	outcomes := make([]Outcome[T], len(as))
	for i, f := range futures {
		outcomes[i].Value, outcomes[i].Err = f.outcome()
	}
	return outcomes, nil
}

// gatherAll waits until all are done.
func gatherAll[T any](ctx context.Context, futures []*Future[T]) error {
	if !slices.ContainsFunc(futures, func(f *Future[T]) bool { return f.State() == Pending }) {
		return nil
	}
	if err := ended(ctx); err != nil {
		return err
	}
	c, err := newCountdown(ctx, len(futures), onGather, true, func(*core) bool { return false })
	if err != nil {
		return err
	}
	defer c.giveBack()
	for _, f := range futures {
		if !c.watch(&f.core) {
			c.count(&f.core)
		}
	}
	if err := c.wait(ctx); err != nil {
		return err
	}
	for _, f := range futures {
		f.take()
	}
	return nil
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
	c, err := newCountdown(ctx, len(futures), onGather, true, func(f *core) bool {
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

// futuresOf are the futures of as. Those that are not ours are awaited aside until stop is called.
func futuresOf[T any, A Awaitable[T]](ctx context.Context, as []A) (futures []*Future[T], stop context.CancelFunc) {
	futures, stop = make([]*Future[T], len(as)), func() {}
	var aside context.Context
	for i, a := range as {
		if f := futureOf[T](a); f != nil {
			futures[i] = f
			continue
		}
		if aside == nil {
			aside, stop = stopContext(ctx)
		}
		futures[i] = awaitAside[T](aside, a)
	}
	return futures, stop
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
		t := newTask(a.Await)
		if s.loop.debug != nil {
			t.Done() // a value that comes too late is not one that nobody asked for
		}
		t.start(ctx, s.loop, nil, nil)
		return &t.Future
	}
	p := NewPromise[T]()
	go func() {
		var v T
		var err error = ErrGoexit
		defer func() {
			if v := recover(); v != nil {
				err = &PanicError{Value: v, Stack: debug.Stack()}
			}
			if err != nil {
				p.Reject(err)
			} else {
				p.Resolve(v)
			}
		}()
		v, err = a.Await(ctx)
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
