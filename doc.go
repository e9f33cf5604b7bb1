// Package aio is asyncio's model for Go: one event loop runs tasks one at a time and switches only
// where a task awaits. Blocking calls leave the loop and their results come back; any goroutine may
// hand work to a loop and wait for it.
//
//	aio.Run(ctx, func(ctx context.Context) (int, error) {
//		a := aio.Go(ctx, fetch("a")) // starts a task
//		b := aio.Go(ctx, fetch("b"))
//		sizes, err := aio.Gather(ctx, a, b) // awaits both
//		...
//	})
//
// # Where to begin
//
//   - Start here: [Run], [Go], [Do] (for a function without a result), [Future.Await], [Sleep].
//   - Several at once: [Gather], [GatherAll], [WithGroup], [ForEach], [Wait], [AsCompleted], [Shield].
//   - Time: [Sleep], [Yield], [WithTimeout], [Poll], [Now]; in tests, package aiotest.
//   - Leaving the loop: [Blocking], [InExecutor] with a [Pool] or a [Thread].
//   - Coming to a loop: [Start], [Submit], [Promise], [Future.OnDone], [Loop.CallSoon], [Loop.CallLater].
//   - Coordination: [Queue], [Mutex], [Event], [Cond], [Semaphore], [Barrier].
//   - Watching: [WithDebug], [WithHooks], [WithLogger], [WithSlowStep], [Loop.Tasks], [Loop.Stats].
//   - The end: [Loop.Close], [Loop.Shutdown], [WithGrace].
//
// docs/asyncio.md has asyncio's names, each with what it is here.
//
// # One color
//
// Every function that takes a ctx may be called from a task, which it suspends, and from any other
// goroutine, which it blocks; it finds out by itself which it is. What counts is the goroutine that
// runs, not the ctx: ctx gives cancellation, values, and, to what starts something, the loop. A
// comment that says "suspends" means: a task is suspended, another goroutine blocks. A function
// that has nothing to wait for returns at once.
//
// On a loop's goroutine outside a task, in a callback or a hook, waiting would stop the loop that
// is to end the wait: it is [ErrWouldDeadlock].
//
// # Between two awaits
//
// Nothing else on the loop runs between two awaits of a task: state that only one loop's tasks
// touch needs no lock. The other side of this is that a task must not wait for anything that is not
// aio's: a channel, a sync.Mutex, a library that waits for goroutines of its own, such as
// net/http's client. That stops the loop and everything on it. Such calls go through [Blocking],
// which runs them elsewhere and suspends the task meanwhile.
//
// # Cancellation
//
// Who waits never cancels: a ctx that ends stops the waiting, not what was waited for. Owners
// cancel: the context under which a task was started, its group, [Future.Cancel], [Loop.Close].
// Cancellation is level-triggered, as in package context: once a task's context has ended, every
// wait under it returns an error that Is context.Canceled (or context.DeadlineExceeded) and Is the
// cause. Clean-up that must await uses context.WithoutCancel(ctx); once the loop closes it has the
// grace period for that, see [WithGrace].
//
// # Failures
//
// Nothing is lost. A panic in a task becomes its outcome, a [PanicError] with that task's stack; an
// error that nobody takes is reported to Hooks.Unhandled; nothing outlives its owner: closing a
// loop, group or pool waits for what it started. A loop does so for the grace period; what has not
// ended then is told of, in the log or in a [StuckError].
//
// # Order
//
// The ready queue is first in, first out; completing a future schedules its waiters through it; the
// number of turns of the loop that each thing takes is that of CPython's asyncio, from which the
// vocabulary comes too.
package aio
