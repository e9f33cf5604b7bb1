package aio

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/seed8b1f0744/aio/internal/invariant"
)

// Future is the reading side of a result to come: of a task, a call on an executor, or a promise.
// Any number of tasks and goroutines may wait for it. All methods may be called from any goroutine.
// A Future may not be copied.
type Future[T any] struct {
	core
	value T // written before the core is settled, read after
}

// Promise is a Future that its holder settles, from any goroutine. It belongs to no loop, so nobody
// is told of a Reject that is never awaited. Make one with NewPromise. Await, Result and OnDone are
// those of [Future].
type Promise[T any] struct{ Future[T] }

// State is where a future stands.
type State int

// The states of a future. It goes from Pending to one of the others, once.
const (
	Pending   State = iota
	Cancelled       // awaiting it gives an error that Is ErrCancelled
	Finished        // with a value or an error
)

func (s State) String() string {
	switch s {
	case Pending:
		return "pending"
	case Cancelled:
		return "cancelled"
	default:
		return "finished"
	}
}

// core is the part of a future that does not depend on its type.
//
//	Pending -> Finished | Cancelled, by settle, once
//
// Whoever finds it settled by an atomic read of state may read err and the value without the lock.
type core struct {
	mu       sync.Mutex
	state    atomic.Int32
	taken    atomic.Bool // somebody was given the outcome, or will be
	of       uint8       // immutable; for people: ofTask and the like
	claims   int32       // guarded by mu; who waits in order to take it
	watchers nodeList    // guarded by mu
	more     *coreMore   // guarded by mu; not replaced once settled
	owner    canceller   // immutable; nil for a promise
}

// coreMore holds what few futures need: it keeps a task small.
type coreMore struct {
	err     error         // written before state
	failed  bool          // written before state; cancelled, but err holds a failure as well
	debug   bool          // written before state; whether somebody asks for a value is noted, too
	done    chan struct{} // guarded by mu; made when asked for
	failure *failure      // guarded by mu; what is reported if nobody takes the error
}

// behind is a call, which may have to wait for whoever waits for it.
type behind interface{ isBehindCaller() bool }

// canceller is what Future.Cancel goes to, if the future does not stand for itself.
type canceller interface{ cancel(cause error) bool }

// NewPromise makes a pending promise. From any goroutine; it does not suspend.
func NewPromise[T any]() *Promise[T] { return new(Promise[T]) }

// Resolve settles p with a value. It reports false, and changes nothing, if p was done already.
// From any goroutine; it does not suspend.
func (p *Promise[T]) Resolve(v T) bool { return p.settleWith(v, Finished, nil) }

// Reject settles p with an error, which must not be nil. It reports false, and changes nothing, if
// p was done already. From any goroutine; it does not suspend.
func (p *Promise[T]) Reject(err error) bool {
	if err == nil {
		panic("aio: Reject needs an error, got nil")
	}
	var none T
	return p.settleWith(none, Finished, err)
}

// settleWith is settle for a future that several goroutines may try to settle.
func (f *Future[T]) settleWith(v T, state State, err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state.Load() != int32(Pending) {
		return false
	}
	f.value = v
	f.settleLocked(state, err)
	return true
}

// Await waits for the outcome and returns it. It suspends a task and blocks any other goroutine; if
// the future is done it returns at once, also under a ctx that has ended. When ctx ends first,
// Await returns ctx's error and what was waited for goes on: who waits never cancels.
//
// A cancelled future gives an error that Is ErrCancelled. In a callback or hook on a loop's
// goroutine, a pending future is ErrWouldDeadlock.
func (f *Future[T]) Await(ctx context.Context) (T, error) {
	if f.state.Load() == int32(Pending) {
		if err := f.wait(ctx); err != nil {
			var none T
			return none, err
		}
	}
	return f.outcome()
}

// Result is the outcome if there is one, and otherwise ErrPending. From any goroutine; it does not
// suspend.
func (f *Future[T]) Result() (T, error) {
	if f.state.Load() == int32(Pending) {
		var none T
		return none, ErrPending
	}
	return f.outcome()
}

// outcome is what a settled future came to. Whoever calls it passes it on to a user.
func (f *Future[T]) outcome() (T, error) {
	if f.more == nil || f.more.err == nil && !f.more.debug {
		return f.value, nil
	}
	f.take()
	return f.value, f.more.err
}

// failedWith is the error of a settled future.
func (c *core) failedWith() error {
	if c.more == nil {
		return nil
	}
	return c.more.err
}

// OnDone calls fn once the future is done: through the ready queue of ctx's loop (asyncio's
// add_done_callback), or in a goroutine of its own if ctx has no loop. If the future is done
// already, fn is scheduled, not called. From any goroutine; it does not suspend.
//
// stop keeps fn from being called if it has not started, and reports whether it did; the end of ctx
// does not. On a loop that has closed by then, fn is not called, which Hooks.Unhandled is told. In
// fn an await of something that is not there yet is ErrWouldDeadlock.
func (f *Future[T]) OnDone(ctx context.Context, fn func(T, error)) (stop func() bool) {
	cb := &callback[T]{future: f, fn: fn}
	cb.owner = cb
	if s := scopeOf(ctx); s != nil {
		cb.loop = s.loop
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.claims++
	if f.state.Load() == int32(Pending) {
		f.watchers.push(&cb.node)
	} else {
		cb.notify()
	}
	return cb.stop
}

// callback is one OnDone.
type callback[T any] struct {
	node
	future *Future[T]
	loop   *Loop // nil: fn gets a goroutine
	fn     func(T, error)
	begun  atomic.Bool // fn was called, or stopped
}

func (c *callback[T]) notify() bool {
	if c.loop == nil {
		go c.run()
		return true
	}
	if !c.loop.schedule(c) {
		go func() { // not under the future's lock
			if c.stop() {
				c.loop.refused()
			}
		}()
	}
	return true
}

func (c *callback[T]) run() {
	if c.begun.CompareAndSwap(false, true) {
		v, err := c.future.outcome()
		if c.loop != nil {
			c.loop.protect(func() { c.fn(v, err) })
		} else {
			c.fn(v, err)
		}
	}
}

func (c *callback[T]) stop() bool {
	if !c.begun.CompareAndSwap(false, true) {
		return false
	}
	c.future.forget(&c.node, true)
	return true
}

func (f *Future[T]) futureCore() *core { return &f.core }

// Cancel asks for the end of what the future stands for; cause, which may be nil, is what
// context.Cause and the error will tell. It reports false if the future was done already. A promise
// and a call on an executor are Cancelled at once. A task's context ends at once; the task is done
// when its function has returned, and Cancelled only if that returned its context's error. From any
// goroutine; it does not suspend.
func (c *core) Cancel(cause error) bool {
	if c.owner != nil {
		return c.owner.cancel(cause)
	}
	return c.settle(Cancelled, newCancelledError(context.Canceled, cause))
}

// State is where the future stands. From any goroutine; it does not suspend.
func (c *core) State() State { return State(c.state.Load()) }

// Done is closed when the future is done. It makes a future a [Waiter]; to wait in a task, use
// Await. From any goroutine; it does not suspend.
func (c *core) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Load() != int32(Pending) {
		if c.more != nil && c.more.done != nil {
			return c.more.done
		}
		return closed
	}
	if m := c.extra(); m.done == nil {
		m.done = make(chan struct{})
	}
	return c.more.done
}

// closed is the Done channel of futures that nobody asked before they were done.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// extra is c.more, made if need be. Called with mu held, while pending.
func (c *core) extra() *coreMore {
	if c.more == nil {
		c.more = new(coreMore)
	}
	return c.more
}

// settle ends the pending state; it reports false if that was over.
func (c *core) settle(state State, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Load() != int32(Pending) {
		return false
	}
	c.settleLocked(state, err)
	return true
}

func (c *core) settleLocked(state State, err error) {
	invariant.Check(state != Pending, "a future is settled as finished or cancelled")
	if err != nil {
		c.extra().err = err
	}
	c.state.Store(int32(state))
	if c.watchers.first != nil {
		c.watchers.notifyAll()
	}
	if c.more != nil && c.more.done != nil {
		close(c.more.done)
	}
}

// wait waits until the future is done, and returns ctx's error if that ended first.
func (c *core) wait(ctx context.Context) error {
	if err := ended(ctx); err != nil {
		return err
	}
	w, err := waiterFor(ctx)
	if err != nil {
		return err
	}
	if w.task != nil && w.task.core == c {
		return ErrWouldDeadlock // a task that awaits itself
	}
	if c.of == ofCall && c.state.Load() == int32(Pending) && c.owner.(behind).isBehindCaller() {
		return ErrWouldDeadlock // a call that awaits one that begins only when it has returned
	}
	c.mu.Lock()
	if c.state.Load() != int32(Pending) {
		c.mu.Unlock()
		return nil
	}
	w.begin(ctx, onPromise+reason(c.of))
	c.watchers.push(&w.node)
	c.claims++
	c.mu.Unlock()
	err = w.park(ctx)
	if err != nil {
		c.forget(&w.node, true)
	}
	return err
}

// forget takes a watcher out. If it had claimed the outcome and does not take it after all,
// somebody must hear of a failure.
func (c *core) forget(n *node, claimed bool) {
	c.mu.Lock()
	c.watchers.remove(n)
	if claimed {
		c.claims--
	}
	lost := claimed && c.isUntaken()
	c.mu.Unlock()
	if lost {
		c.noteUntaken()
	}
}

// isUntaken reports whether c has failed and nobody has taken that, or waits in order to. Called
// with mu held.
func (c *core) isUntaken() bool {
	return c.claims == 0 && c.hasFailed() && !c.taken.Load()
}

// hasFailed reports whether c, if it is settled, has an error that somebody must hear of.
func (c *core) hasFailed() bool {
	return c.failedWith() != nil && (c.State() == Finished || c.more.failed)
}

// untaken is isUntaken, without the lock.
func (c *core) untaken() bool {
	if c.State() == Pending || c.failedWith() == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isUntaken()
}

// noteFailed is called before c is settled as cancelled with an error that holds a failure as well.
func (c *core) noteFailed() {
	c.mu.Lock()
	c.extra().failed = true
	c.mu.Unlock()
}

// noteUntaken sees to it that a failure nobody took is reported, if there is somebody to whom.
func (c *core) noteUntaken() {
	if o, ok := c.owner.(reporter); ok {
		o.noteFailure(false)
	}
}

// reporter is an owner of futures whose failures are reported if nobody takes them.
type reporter interface{ noteFailure(fresh bool) }

// take notes that the outcome reaches somebody.
func (c *core) take() {
	if c.taken.Swap(true) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.more != nil && c.more.failure != nil {
		c.more.failure.settle()
	}
}
