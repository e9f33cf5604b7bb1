package aio

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
)

// Executor runs closures somewhere else in this process. Pool is one. It may be used from any
// goroutine.
//
// Submit waits for room, suspending a task and blocking any other goroutine, and returns ErrFull if
// it is not one that waits, ErrClosed once it is closed, ctx's error if that ends first. A call
// that was accepted is run, always. A panic in a bare Submit's call crashes the program, as in any
// goroutine; [Blocking] and [InExecutor] turn it into a *PanicError. Close takes no new calls and
// waits for those it accepted.
//
// A call may do whatever a goroutine may, start tasks and await them included; but one that waits
// for a call of its own executor may wait for itself: see [Pool] for what to do instead.
type Executor interface {
	Submit(ctx context.Context, call func()) error
	Close() error
}

// Blocking runs fn on the loop's executor and waits for it: asyncio.to_thread. It is where a task
// calls what blocks: files, DNS, a vendor's SDK, net/http. It suspends the task. In a goroutine
// that is not a task it calls fn there, which blocks as fn does. In a callback it is
// ErrWouldDeadlock.
//
// fn's ctx ends when ctx does. When ctx ends first Blocking returns its error while fn may go on,
// so fn must not share its buffers; fn's late error or panic then goes to Hooks.Unhandled. A panic
// of fn is a *PanicError, its runtime.Goexit ErrGoexit. A function without a result: see [Do].
//
// In fn itself Blocking calls in place, so it may be nested. But fn should not wait for a task that
// calls Blocking on the same executor, unless that has more workers than there are such calls: see
// [Pool].
func Blocking[T any](ctx context.Context, fn func(context.Context) (T, error)) (T, error) {
	var none T
	if fn == nil {
		panic("aio: Blocking needs a function, got nil")
	}
	if err := ended(ctx); err != nil {
		return none, err
	}
	t, err := running(ctx)
	if err != nil {
		return none, err
	}
	if t == nil {
		return callHere(ctx, fn)
	}
	t.checkpoint()
	l := t.ctx.loop
	c := newCall(ctx, l, fn)
	c.of = ofBlocking
	c.claims = 1 // an error is returned here, or reported here
	if err := c.submit(ctx, l.defaultExecutor()); err != nil {
		return none, err
	}
	v, err := c.Await(ctx)
	if err != nil && !c.taken.Swap(true) { // ctx's error
		c.abandon(err)
		if c.hasFailed() {
			c.late(c.failedWith())
		}
	}
	return v, err
}

// InExecutor is run_in_executor: it waits until ex accepts the call, and returns its result to
// come; a refusal rejects that. It may be called in a task, which it suspends while ex has no room,
// and in any other goroutine, which it blocks.
//
// fn's ctx ends when ctx does, or by Cancel of the future, which resolves the future at once; a
// late error or panic of fn goes to Hooks.Unhandled. A panic of fn is a *PanicError, its
// runtime.Goexit ErrGoexit. If ctx has a loop, Close of that loop waits for the call; if it has
// none, a failure that nobody takes is told to nobody. A panic of ex itself, in Submit, is the
// caller's. A function without a result: see [Do].
func InExecutor[T any](ctx context.Context, ex Executor, fn func(context.Context) (T, error)) *Future[T] {
	if fn == nil {
		panic("aio: InExecutor needs a function, got nil")
	}
	if ex == nil {
		panic("aio: InExecutor needs an executor, got nil; Blocking uses the loop's own")
	}
	var l *Loop
	if s := scopeOf(ctx); s != nil {
		l = s.loop
	}
	c := newCall(ctx, l, fn)
	if err := ended(ctx); err != nil {
		c.refuse(err)
	} else {
		_ = c.submit(ctx, ex) // the future tells
	}
	return &c.Future
}

// call is a function on an executor, and the future of its result. There is one for each Blocking,
// so it is kept small.
//
//	submitted -> running -> settled with the outcome
//	submitted, running -> settled as cancelled or abandoned; what comes later is late
type call[T any] struct {
	Future[T]
	fn   func(context.Context) (T, error)
	out  outCall  // its scope is the call's context, and has its loop; nil: none waits for the call
	bare *bareCtx // without a loop
	work callWork
}

// bareCtx is the context of a call without a loop.
type bareCtx struct {
	ctx  context.Context
	stop context.CancelFunc
}

func newCall[T any](ctx context.Context, l *Loop, fn func(context.Context) (T, error)) *call[T] {
	c := &call[T]{fn: fn}
	c.owner, c.of = c, ofCall
	if l == nil {
		c.bare = new(bareCtx)
		c.bare.ctx, c.bare.stop = context.WithCancel(ctx)
		return c
	}
	if l.debug != nil {
		c.extra().debug = hasValue[T]()
	}
	own := &c.out.scope
	own.parent, own.loop = ctx, l
	if s := scopeOf(ctx); s != nil && s.loop == l { // none: a task of l waits under a context that has no loop
		own.group = s.joins()
	}
	own.link()
	return c
}

// loop is the one that waits for the call; nil if none does.
func (c *call[T]) loop() *Loop { return c.out.scope.loop }

func (c *call[T]) ctx() context.Context {
	if c.bare != nil {
		return c.bare.ctx
	}
	return &c.out.scope
}

// submit hands the call to ex; whatever comes of that, the call is accounted for.
func (c *call[T]) submit(ctx context.Context, ex Executor) error {
	l := c.loop()
	if l != nil {
		l.calls.Add(1)
		l.callsOut.add(&c.out)
	}
	err := ErrGoexit
	defer func() {
		if p := recover(); p != nil { // Submit's own: the caller's affair, who has no future yet
			defer panic(p)
			c.taken.Store(true)
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
		if err != nil {
			c.refuse(err)
			if l != nil {
				l.callBack(&c.out)
			}
		}
	}()
	switch ex := ex.(type) {
	case *Pool:
		c.work.line = &ex.line
		err = ex.submit(ctx, c)
	case *Thread:
		c.work.line = &ex.line
		err = ex.submit(ctx, c.run)
	default:
		err = ex.Submit(ctx, c.run)
	}
	if err == nil {
		c.work.accepted(l)
	}
	return err
}

// isBehindCaller implements behind.
func (c *call[T]) isBehindCaller() bool {
	return c.work.line != nil && c.work.line.isBehindCaller()
}

// run is what the executor runs. It makes the call a runnable.
func (c *call[T]) run() {
	var v T
	err := ErrGoexit
	defer c.work.run(c.loop())()
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
		c.deliver(v, err)
	}()
	v, err = c.fn(c.ctx())
}

// deliver settles the call with its outcome. If somebody stopped waiting for it before, an error
// that says more than that is reported.
func (c *call[T]) deliver(v T, err error) {
	state, failed := Finished, err != nil
	if failed {
		ctx := c.ctx()
		if how := ctx.Err(); how != nil && errors.Is(err, how) {
			state = Cancelled // as a task's would be
			failed = hidesFailure(err, how, context.Cause(ctx))
			v, err = *new(T), newCancelledError(err, context.Cause(ctx))
		}
	}
	l := c.loop()
	if c.settleOutcome(v, state, err, failed) {
		if c.untaken() {
			c.noteFailure(false)
		} else if err == nil && l != nil && l.debug != nil {
			noteUnread(l, c, &c.core, TaskInfo{})
		}
	} else if failed {
		c.late(err)
	}
	c.release()
	if l != nil {
		l.callBack(&c.out)
	}
}

// settleOutcome is settleWith for what the function came to. Somebody else may settle the call
// meanwhile: then nothing of it is noted there.
func (c *call[T]) settleOutcome(v T, state State, err error, failed bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Load() != int32(Pending) {
		return false
	}
	if failed && state == Cancelled {
		c.extra().failed = true
	}
	c.value = v
	c.settleLocked(state, err)
	return true
}

func (c *call[T]) late(err error) {
	if l := c.loop(); l != nil {
		l.late(err)
		return
	}
	logFailure(slog.Default(), Failure{Err: err})
}

// noteFailure implements reporter. Without a loop there is nobody to report to: the future is its
// holder's business, as a promise is.
func (c *call[T]) noteFailure(fresh bool) {
	if l := c.loop(); l != nil {
		noteFailure(l, c, &c.core, TaskInfo{}, fresh)
	}
}

// late reports an error that comes when nobody is left to take it. From any goroutine.
func (l *Loop) late(err error) {
	f := Failure{Err: err}
	if !l.schedule(lateFailure{l, f}) {
		l.report(f)
	}
}

// callBack counts a call as returned, and wakes the loop if it waits for that in order to close.
func (l *Loop) callBack(c *outCall) {
	l.callsOut.remove(c)
	l.calls.Add(-1)
	if l.winds.Load() {
		l.post(nudge{})
	}
}

// nudge is posted to have the loop look again at what it waits for.
type nudge struct{}

func (nudge) run() {}

type lateFailure struct {
	loop *Loop
	what Failure
}

func (f lateFailure) run() { f.loop.report(f.what) }

// refuse settles a call that was not accepted.
func (c *call[T]) refuse(err error) {
	if c.settle(Finished, err) && c.untaken() {
		c.noteFailure(true)
	}
	c.release()
}

// cancel implements canceller.
func (c *call[T]) cancel(cause error) bool {
	if !c.settle(Cancelled, newCancelledError(context.Canceled, cause)) {
		return false
	}
	c.endContext(cause)
	return true
}

// abandon is what a caller does who stops waiting.
func (c *call[T]) abandon(err error) {
	if c.settle(Cancelled, newCancelledError(context.Canceled, err)) {
		c.endContext(err)
	}
}

func (c *call[T]) endContext(cause error) {
	if c.bare != nil {
		c.bare.stop()
	} else {
		c.out.scope.end(endedCancelled, cause)
	}
}

// release lets go of the call's context when the call is over. As a task's, that goes on handing
// its parent's end to what was started under it.
func (c *call[T]) release() {
	if c.bare != nil {
		c.bare.stop()
	} else {
		c.out.scope.release()
	}
}

// callHere is a call in the goroutine that waits for it.
func callHere[T any](ctx context.Context, fn func(context.Context) (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return fn(ctx)
}

// defaultExecutor is what Blocking uses.
func (l *Loop) defaultExecutor() Executor {
	l.executorMu.Lock()
	defer l.executorMu.Unlock()
	if l.executor == nil {
		l.executor, l.ownExecutor = NewPool(PoolConfig{}), true
	}
	return l.executor
}

// closeExecutor closes the loop's own executor. It waits for its workers only if none of them is
// stuck in a call.
func (l *Loop) closeExecutor(wait bool) {
	l.executorMu.Lock()
	defer l.executorMu.Unlock()
	if !l.ownExecutor {
		return
	}
	p := l.executor.(*Pool)
	p.stop()
	if wait {
		p.workers.Wait()
	}
}
