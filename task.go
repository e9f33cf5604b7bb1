package aio

import (
	"context"
	"strconv"
	"sync/atomic"

	"github.com/seed8b1f0744/aio/internal/invariant"
)

// Task is a Future that runs a function on a loop. The function gets the task's own context, which
// ends when the context under which the task was started ends, or by Future.Cancel; it does not end
// when the function returns.
//
// What a function in a task must not do is wait for something that is not aio's: a channel, a
// sync.Mutex, a library that waits for goroutines of its own (net/http's client). That stops the
// loop and everything on it; call such code through [Blocking]. Nor may it hold
// runtime.LockOSThread while it waits or starts a task that is [Eager], or wait inside a callback
// from C: both are fatal errors of the Go runtime (golang/go#65889, #67499).
//
// A Task is a [Future]: Await, Result and OnDone are that's.
type Task[T any] struct {
	Future[T]
	task task
	fn   func(context.Context) (T, error)
}

// task is what the loop knows of a Task.
//
// Its states: new (linked into the loop's list, in the ready queue), then in turns running (on its
// worker's coroutine) and waiting (see waiter), then over. A task that was cancelled while new goes
// from new to over. Only the loop's goroutine moves it; what other goroutines do is to put it in
// the ready queue.
type task struct {
	ctx       scope // its group is the one that the task is a member of; Go under a member's ctx joins none
	waiter    waiter
	core      *core   // immutable; whose owner is the Task[T] around
	worker    *worker // loop only
	id        uint64  // immutable
	label     *label  // immutable; nil: the default name
	over      atomic.Bool
	killed    bool // loop only: Close gave up on it
	announced bool // loop only: TaskStarted was called
	eager     bool // loop only, once started: it is in its first step, inside Go
	panicked  bool // written before the task is settled

	prev, next *task // guarded by the loop's tasks.mu
}

// taskBody is the part of a Task that knows its type.
type taskBody interface {
	canceller
	reporter
	exec() error // runs the function, keeps its value
	noteUnread()
}

func (t *task) body() taskBody { return t.core.owner.(taskBody) }

// TaskOption configures Go and Submit.
type TaskOption interface{ taskOption(*task) }

type named string

func (n named) taskOption(t *task) { t.label = &label{name: string(n)} }

// label is what is known of a task for people to read.
type label struct {
	name    string // empty: the default
	created string // in debug mode: where
}

// Named gives a task a name for people: in TaskInfo, reports and dumps. The default is "task-<ID>".
func Named(name string) TaskOption { return named(name) }

// Go starts fn as a task on ctx's loop: asyncio.create_task. It may be called from any goroutine
// and does not suspend; fn begins when its turn comes, after what was ready before.
//
// The task is cancelled when ctx ends, belongs to the group that ctx carries (see [WithGroup]), and
// otherwise to the loop: Close waits for it. Under a ctx that has ended, or if it is cancelled
// before its first step, the task is Cancelled and fn never runs. A context.WithoutCancel(ctx) keeps
// the values and the group; to leave the group as well, Submit to the loop under that.
//
// In fn, use the ctx that fn is given. The one around it belongs to whoever called Go: a wait under
// that is not ended when this task is cancelled, and what is started under it is not this task's.
//
// An error or panic of fn that nobody takes (by Await, Result, OnDone, Gather or a group) is
// reported to Hooks.Unhandled: when nobody can reach the task any more, which the garbage collector
// finds out, and at the latest when the loop closes. (What somebody waited for in order to take it,
// and gave up after that, is reported at once.)
//
// On a closed loop the task has failed with ErrClosed. Without a loop in ctx it has failed with
// ErrNoLoop, and fn never runs; if nobody takes that, it is reported as the failure of a task of the
// loop on which Go was called, or, called outside of every loop, logged by slog.Default once the
// garbage collector has found the task (not in a testing/synctest bubble).
//
// A function without a result: see [Do].
func Go[T any](ctx context.Context, fn func(context.Context) (T, error), opts ...TaskOption) *Task[T] {
	t := newTask(fn)
	s := scopeOf(ctx)
	if s == nil {
		t.failWithoutLoop(opts)
		return t
	}
	t.start(ctx, s.loop, s.joins(), opts)
	return t
}

// Submit starts fn as a task on l, from any goroutine, a task of another loop or of l itself
// included: asyncio.run_coroutine_threadsafe. It does not suspend. ctx gives values and
// cancellation; the task joins no group. On a closed loop the task has failed with ErrClosed. A
// function without a result: see [Do].
func Submit[T any](ctx context.Context, l *Loop, fn func(context.Context) (T, error), opts ...TaskOption) *Task[T] {
	t := newTask(fn)
	if ctx == nil {
		noContext()
	}
	t.start(ctx, l, nil, opts)
	return t
}

// Do makes a function without a result fit Go, Run, Submit, Blocking and InExecutor. It may be
// called from any goroutine and does not suspend.
func Do(fn func(context.Context) error) func(context.Context) (struct{}, error) {
	return func(ctx context.Context) (struct{}, error) { return struct{}{}, fn(ctx) }
}

// Name is the task's name: what Named gave it, or "task-<ID>".
func (t *Task[T]) Name() string { return t.task.info().Name }

func newTask[T any](fn func(context.Context) (T, error)) *Task[T] {
	if fn == nil {
		panic("aio: a task needs a function, got nil")
	}
	return &Task[T]{fn: fn}
}

func (t *Task[T]) start(ctx context.Context, l *Loop, g *group, opts []TaskOption) {
	k := &t.task
	for _, o := range opts {
		o.taskOption(k)
	}
	k.core, t.of = &t.core, ofTask
	k.waiter.task, k.waiter.owner = k, &k.waiter
	k.ctx.parent, k.ctx.loop, k.ctx.ownTask = ctx, l, k
	t.owner = t
	if l.debug != nil {
		noteCreated(t)
	}
	l.start(k, g)
}

func (t *Task[T]) exec() (err error) {
	t.value, err = t.fn(&t.task.ctx)
	return err
}

// cancel implements canceller: a task is cancelled by ending its context.
func (t *Task[T]) cancel(cause error) bool {
	if t.task.over.Load() {
		return false
	}
	t.task.ctx.state() // an end from above comes first, though its news may still be on its way
	return t.task.ctx.end(endedCancelled, cause)
}

// start puts a new task into the ready queue, and into g if that is given. From any goroutine.
func (l *Loop) start(t *task, g *group) {
	late := g != nil && !g.join()
	if !late {
		t.ctx.group = g
	}
	l.tasks.add(t)
	if mayBeAlien(t.ctx.parent) {
		l.linkUnder(t)
	} else {
		t.ctx.link()
	}
	if late { // the group is over, if only just
		t.ctx.end(endedCancelled, nil)
	}
	if l.winds.Load() && !l.onLoop() {
		t.ctx.end(endedCancelled, ErrClosed)
	}
	if t.eager {
		if l.onLoop() {
			l.startEager(t)
			return
		}
		t.eager = false
	}
	if l.schedule(t) {
		return
	}
	t.over.Store(true)
	l.tasks.remove(t)
	t.ctx.release()
	t.core.settle(Finished, ErrClosed)
	if t.ctx.group == nil {
		t.body().noteFailure(true)
		return
	}
	t.core.take()
	t.ctx.group.fail(ErrClosed)
	t.ctx.group.leave()
}

func (t *task) info() TaskInfo {
	info := TaskInfo{ID: t.id}
	if t.label != nil {
		info.Name, info.On = t.label.name, t.label.created
	}
	if info.Name == "" {
		info.Name = "task-" + strconv.FormatUint(t.id, 10)
	}
	if t.over.Load() {
		info.State = "done"
	}
	return info
}

// run is one step of the task, for the loop's own goroutine: it implements runnable.
func (t *task) run() { t.step(nil) }

// step is one step of the task, which ends when the baton comes back to by, see resume.
func (t *task) step(by *worker) {
	l := t.ctx.loop
	if t.worker == nil {
		if !t.mayBegin() {
			return
		}
		t.worker = l.takeWorker()
		t.worker.task = t
		t.worker.shows.Store(t.id)
	}
	l.resume(t.worker, by)
}

// mayBegin is asked before the first step. If there will be none it settles the task.
func (t *task) mayBegin() bool {
	if t.over.Load() {
		return false // Close gave up on the task, which then ended by itself
	}
	l := t.ctx.loop
	if h := l.hooks.TaskStarted; h != nil && !t.announced {
		outer := l.interrupted // the task whose hook starts this one, which is eager
		t.announced, l.interrupted = true, t
		h(t.info())
		l.interrupted = outer
	}
	if l.closing.hard { // nothing new after the grace period
		t.killed = true
		t.ctx.end(endedCancelled, ErrClosed)
	}
	if t.ctx.alien {
		return l.mayBeginUnder(t)
	}
	if isOver(t.ctx.state()) {
		l.finish(t, t.ctx.Err(), true)
		return false
	}
	return true
}

// finish settles a task whose function has returned, or never ran; cancelled: because its context
// had ended.
func (l *Loop) finish(t *task, err error, cancelled bool) {
	state := Finished
	if cancelled {
		state, err = Cancelled, newCancelledError(err, t.ctx.cause())
	}
	invariant.Check(t.worker == nil, "a task that is over has no coroutine")
	wasOver := t.over.Swap(true)
	invariant.Check(!wasOver, "a task ends once")
	l.tasks.remove(t)
	if t.ctx.group != nil && !t.eager {
		l.ready.push((*memberDone)(t))
	}
	t.core.settle(state, err)
	if t.ctx.group != nil && t.eager { // as in asyncio, without a turn of its own
		(*memberDone)(t).run()
	}
	if t.ctx.alien {
		l.releaseUnder(t, err)
		return
	}
	t.ctx.release()
	l.tell(t, err)
}

// tell is the part of finish that is for others.
func (l *Loop) tell(t *task, err error) {
	if err != nil && t.ctx.group == nil && t.core.untaken() {
		t.body().noteFailure(false)
	}
	if l.debug != nil && err == nil && t.ctx.group == nil {
		t.body().noteUnread()
	}
	if h := l.hooks.TaskFinished; h != nil {
		h(t.info(), err)
	}
}
