package aio

import (
	"context"
	"time"
)

// Poll calls try, and then again each time that every has passed on the clock of ctx's loop, until
// it reports true or an error, and returns what it returned: for what can only be asked, such as a
// descriptor that does not block, or a file that somebody else will make. Where something can be
// waited for, waiting is better.
//
// It may be called in a task, which it suspends between two calls, and in any other goroutine,
// which it blocks; if the first call will do, it does not suspend. An every of zero or less lets
// others run in between, as [Yield] does. try runs where Poll was called, and must not block. When
// ctx ends Poll returns its error; under one that has ended, try is not called. In a callback it is
// ErrWouldDeadlock, unless the first call will do.
func Poll[T any](ctx context.Context, every time.Duration, try func() (T, bool, error)) (T, error) {
	if try == nil {
		panic("aio: Poll needs a function, got nil")
	}
	err := ended(ctx)
	for err == nil {
		v, ok, failed := try()
		if ok || failed != nil {
			return v, failed
		}
		err = Sleep(ctx, every)
	}
	var none T
	return none, err
}
