package aiotest_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/seed8b1f0744/aio"
)

// Each is an executor that starts a goroutine for each call, and has at most so many. What waits in it is of one
// color, because it is made of aio's primitives. A test of it is one call:
//
//	aiotest.TestExecutor(t, func(testing.TB) aio.Executor { return NewEach(8) })
type Each struct {
	room   *aio.Semaphore
	mu     sync.Mutex
	calls  int  // guarded by mu; accepted and not returned
	closed bool // guarded by mu
	over   *aio.Promise[struct{}]
}

func NewEach(n int) *Each {
	return &Each{room: aio.NewSemaphore(n), over: aio.NewPromise[struct{}]()}
}

func (e *Each) Submit(ctx context.Context, call func()) error {
	if err := ctx.Err(); err != nil { // Acquire does not look at ctx if there is room
		return err
	}
	if err := e.room.Acquire(ctx); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		e.room.Release()
		return aio.ErrClosed
	}
	e.calls++
	go func() {
		defer e.leave() // also if the call goes by runtime.Goexit
		call()
	}()
	return nil
}

func (e *Each) leave() {
	e.room.Release()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.calls--; e.closed && e.calls == 0 {
		e.over.Resolve(struct{}{})
	}
}

func (e *Each) Close() error {
	e.mu.Lock()
	if e.closed = true; e.calls == 0 {
		e.over.Resolve(struct{}{})
	}
	e.mu.Unlock()
	_, err := e.over.Await(context.Background())
	return err
}

// An executor of one's own, for the blocking calls of a loop.
func ExampleTestExecutor() {
	ex := NewEach(8)
	defer ex.Close()
	got, err := aio.Run(context.Background(), func(ctx context.Context) (int, error) {
		return aio.Blocking(ctx, func(context.Context) (int, error) { return 42, nil })
	}, aio.WithExecutor(ex))
	fmt.Println(got, err)
	// Output: 42 <nil>
}
