package aio

import (
	"context"
	"errors"
	"runtime/debug"
	"strconv"
	"sync/atomic"

	"github.com/seed8b1f0744/aio/internal/coro"
	"github.com/seed8b1f0744/aio/internal/invariant"
)

// Task is a Future that runs a function on a loop. The function gets the task's own context, which
// ends when the context under which the task was started ends, or by Future.Cancel; it does not end
// when the function returns.
//
// What a function in a task must not do is wait for something that is not aio's: a channel, a
// sync.Mutex, a library that waits for goroutines of its own (net/http's client). That stops the
// loop and everything on it; call such code through [Blocking]. Nor may it hold
// runtime.LockOSThread while it waits, or wait inside a callback from C: both are fatal errors of
// the Go runtime (golang/go#65889, #67499).
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
// before its first step, the task is Cancelled and fn never runs. Without a loop in ctx the task
// has failed with ErrNoLoop, on a closed loop with ErrClosed.
//
// An error or panic of fn that nobody takes (by Await, Result, OnDone, Gather or a group) is
// reported to Hooks.Unhandled: when nobody can reach the task any more, which the garbage collector
// finds out, and at the latest when the loop closes.
func Go[T any](ctx context.Context, fn func(context.Context) (T, error), opts ...TaskOption) *Task[T] {
	t := newTask(fn)
	s := scopeOf(ctx)
	if s == nil {
		t.settle(Finished, ErrNoLoop)
		return t
	}
	t.start(ctx, s.loop, s.joins(), opts)
	return t
}

// Submit starts fn as a task on l, from any goroutine, a task of another loop or of l itself
// included: asyncio.run_coroutine_threadsafe. It does not suspend. ctx gives values and
// cancellation; the task joins no group. On a closed loop the task has failed with ErrClosed.
func Submit[T any](ctx context.Context, l *Loop, fn func(context.Context) (T, error), opts ...TaskOption) *Task[T] {
	t := newTask(fn)
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
	t.ctx.link()
	if late { // the group is over, if only just
		t.ctx.end(endedCancelled, nil)
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
		t.body().noteFailure()
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
		t.announced, l.interrupted = true, t
		h(t.info())
		l.interrupted = nil
	}
	if l.closing.hard { // nothing new after the grace period
		t.killed = true
		t.ctx.end(endedCancelled, ErrClosed)
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
	t.ctx.release()
	if err != nil && t.ctx.group == nil && t.core.untaken() {
		t.body().noteFailure()
	}
	if l.debug != nil && err == nil && t.ctx.group == nil {
		t.body().noteUnread()
	}
	if h := l.hooks.TaskFinished; h != nil {
		h(t.info(), err)
	}
}

// worker is a coroutine that runs tasks one after the other. Making one costs four times what
// running a task on a used one does.
type worker struct {
	runner    // its task is read by its own goroutine, too
	co        coro.Coro
	err       error
	cancelled bool          // err says that the task's context ended
	finished  bool          // the task's function has returned, panicked or gone
	exited    bool          // by runtime.Goexit: the goroutine only waits for its end
	drives    bool          // it runs the loop, and waits for the baton that it gave to the next one
	shows     atomic.Uint64 // the id of its task, or of the last: for the watchdog
}

// body runs on the coroutine.
func (w *worker) body(yield func(struct{}) bool) {
	w.co.Enter(yield)
	g := w.co.G()
	w.enroll(g)
	defer strike(g)
	for w.co.Suspend() {
		l := w.task.ctx.loop
		for w.runTask(); w.another(l); {
			w.runTask()
		}
	}
}

// runTask runs the task's function and catches whatever comes out of it.
func (w *worker) runTask() {
	returned := false
	defer func() {
		w.finished = true
		if returned {
			return
		}
		if v := recover(); v != nil {
			w.err, w.task.panicked = &PanicError{Value: v, Stack: debug.Stack()}, true
			return
		}
		// Goexit can't be stopped, and iter.Pull would pass it on to the loop. So the goroutine
		// stays here until somebody whose end does not matter calls Stop.
		w.err, w.exited, w.cancelled = ErrGoexit, true, w.task.killed
		for w.co.Suspend() {
		}
	}()
	t := w.task
	w.err = t.body().exec()
	if w.err != nil && isOver(t.ctx.state()) { // here, because a user's Is may panic
		how := t.ctx.Err()
		if t.killed && !errors.Is(w.err, how) {
			how = context.Canceled // the error of the wait that Close ended
		}
		w.cancelled = errors.Is(w.err, how)
		if w.cancelled && hidesFailure(w.err, how, t.ctx.cause()) {
			t.core.noteFailed()
		}
	}
	returned = true
}

// maxIdleWorkers is how many unused coroutines, of about 2.7 KB each, a loop keeps.
const maxIdleWorkers = 4096

// takeWorker is an idle worker, or a new one. On the loop's goroutine only: on a locked thread a
// coroutine made elsewhere is a fatal error.
func (l *Loop) takeWorker() *worker {
	if n := len(l.idle); n > 0 {
		w := l.idle[n-1]
		l.idle[n-1] = nil
		l.idle = l.idle[:n-1]
		return w
	}
	w := new(worker)
	w.co.Init(w.body)
	w.co.Resume() // enrolls itself
	return w
}

// putWorker takes back a worker that is done with its task, which it settles, or that has none.
func (l *Loop) putWorker(w *worker) {
	over := w.unload()
	switch {
	case w.exited:
		l.dropExited(w)
	case len(l.idle) < maxIdleWorkers:
		l.idle = append(l.idle, w)
	default:
		l.forget(w)
		w.co.Stop()
	}
	if over.task != nil {
		l.finish(over.task, over.err, over.cancelled)
	}
}

// endedTask is one whose function has returned.
type endedTask struct {
	task      *task
	err       error
	cancelled bool // err says that the task's context ended
}

// unload parts w from the task that it is done with, if it has one.
func (w *worker) unload() endedTask {
	invariant.Check(w.finished, "only a worker that is done with its task is used for others")
	e := endedTask{w.task, w.err, w.cancelled}
	w.task, w.err, w.cancelled, w.finished = nil, nil, false, false
	if e.task != nil {
		e.task.worker = nil
	}
	return e
}

// dropExited ends a worker whose goroutine went through Goexit, which ends whoever calls Stop. On a
// locked thread nobody else may call it: then the worker stays until the loop's goroutine itself
// ends.
func (l *Loop) dropExited(w *worker) {
	l.forget(w)
	if l.onThread {
		l.exited = append(l.exited, w)
		return
	}
	l.ending.Add(1)
	go func() {
		defer l.ending.Done()
		w.co.Stop()
	}()
}

// forget is called before w's goroutine ends, so that its id means nothing any more.
func (l *Loop) forget(w *worker) {
	if l.last == w {
		l.last = nil
		l.current.Store(nil)
	}
}
