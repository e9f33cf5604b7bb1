package aio

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"

	"github.com/seed8b1f0744/aio/internal/coro"
	"github.com/seed8b1f0744/aio/internal/invariant"
)

// worker is a coroutine that runs tasks one after the other. Making one costs four times what
// running a task on a used one does.
type worker struct {
	runner    // its task is read by its own goroutine, too
	co        coro.Coro
	err       error
	cancelled bool          // err says that the task's context ended
	finished  bool          // the task's function has returned, panicked or gone
	exited    bool          // by runtime.Goexit: the goroutine only waits for its end
	stray     bool          // its task must not wait any more, see withdrawn
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
		// stays here until Stop is called, and then ends by a panic: that is passed on instead.
		w.err, w.exited, w.cancelled = ErrGoexit, true, w.task.killed && !w.stray
		for w.co.Suspend() {
		}
		panic(exit{})
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

// exit is what a goroutine panics with that went through Goexit and may end.
type exit struct{}

// dropExited ends a worker whose goroutine went through Goexit.
func (l *Loop) dropExited(w *worker) {
	l.forget(w)
	defer func() {
		if v := recover(); v != (exit{}) {
			panic(v)
		}
	}()
	w.co.Stop()
}

// forget is called before w's goroutine ends, so that its id means nothing any more.
func (l *Loop) forget(w *worker) {
	if l.last == w {
		l.last = nil
		l.current.Store(nil)
	}
}
