package aio

import (
	"context"
	"runtime"
)

// maxThreadCalls is how many calls may wait for a Thread.
const maxThreadCalls = 1024

// Thread runs calls one after the other, in the order they were accepted, on one OS thread of its
// own: an [Executor] for libraries that bind state to a thread. Make one with NewThread. All
// methods may be called from any goroutine, the calls included.
//
// Nothing else runs on the thread. When the last call of a closed Thread has returned it ends, and
// with it whatever was done to it (a signal mask, a namespace); no other thread inherits that.
//
// A call may lock the thread again, but must not unlock what it has not locked. Nor can it wait for
// another call of the thread, which begins only when it has returned: to await one there is
// ErrWouldDeadlock, and see [Pool] for what to do instead. (For tasks on a thread of their own, see
// [OnThread].)
type Thread struct {
	calls   *Queue[func()]
	drained core // settled when the last call of a closed thread has returned
	line    line
}

// NewThread starts a thread. Whoever makes it must Close it. From any goroutine; it does not
// suspend.
func NewThread() *Thread {
	t := &Thread{calls: NewQueue[func()](maxThreadCalls)}
	t.drained.of = ofPoolClose
	t.line.workers = 1
	go t.run()
	return t
}

// run is the thread's goroutine. It never unlocks the thread, which so ends with it.
func (t *Thread) run() {
	runtime.LockOSThread()
	t.line.crew.enroll()
	defer t.line.crew.strike()
	t.work()
}

// work runs the calls. One that goes by runtime.Goexit would end the goroutine, and the thread with
// it, so the others are run while that unwinds.
func (t *Thread) work() {
	over := false
	defer func() {
		if over {
			return
		}
		if v := recover(); v != nil {
			panic(v) // crashes the program; the stack of the call is still there
		}
		t.returned()
		t.work()
	}()
	for {
		call, err := t.calls.TryGet()
		endOfCall()
		if err == ErrEmpty {
			call, err = t.calls.Get(context.Background())
		}
		if err != nil {
			break
		}
		call()
		t.returned()
	}
	over = true
}

// returned is called when a call is over.
func (t *Thread) returned() {
	t.calls.TaskDone()
	t.endIfDrained()
}

// endIfDrained ends Close, if no call is left: the thread itself then ends in a moment.
func (t *Thread) endIfDrained() {
	q := t.calls
	q.mu.Lock()
	over := q.closed && q.unfinished == 0
	q.mu.Unlock()
	if over {
		t.drained.settle(Finished, nil)
	}
}

// Submit hands call to the thread. While 1,024 calls wait for their turn it suspends a task and
// blocks any other goroutine; in one of the thread's own calls, in a task of a loop that such a
// call runs, and in a callback, it is ErrWouldDeadlock then. Its error is ErrClosed once the thread
// is closed, and ctx's if that ends first. A call that was accepted is run. A panic in it crashes
// the program; [Blocking] and [InExecutor] turn it into a *PanicError.
func (t *Thread) Submit(ctx context.Context, call func()) error {
	mustCall(call)
	if err := ended(ctx); err != nil {
		return err
	}
	return t.submit(ctx, t.line.aside(ctx, call))
}

// submit is Submit when it is clear that there is something to submit.
func (t *Thread) submit(ctx context.Context, call func()) error {
	if t.calls == nil {
		panic("aio: this Thread has never begun: make one with NewThread")
	}
	err := t.calls.TryPut(call)
	if err == ErrFull {
		if t.line.crew.isBelow() {
			return ErrWouldDeadlock
		}
		err = t.calls.Put(ctx, call)
	}
	if err == ErrQueueClosed {
		return ErrClosed
	}
	return err
}

// Close takes no new calls, ends a Submit that waits for room with ErrClosed, and waits until the
// calls that were accepted have returned. It suspends a task and blocks any other goroutine; it is
// idempotent, and waits for a concurrent Close. In a callback, in one of the thread's own calls, and
// in a task of a loop that such a call runs, it closes and is ErrWouldDeadlock if there is anything
// to wait for.
func (t *Thread) Close() error {
	if t.calls == nil {
		return nil
	}
	t.calls.Close()
	t.endIfDrained()
	if t.drained.State() != Pending {
		return nil
	}
	if t.line.crew.isBelow() {
		return ErrWouldDeadlock
	}
	return t.drained.wait(context.Background())
}
