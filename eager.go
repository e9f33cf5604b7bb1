package aio

import "github.com/seed8b1f0744/aio/internal/goid"

type eager struct{}

func (eager) taskOption(t *task) { t.eager = true }

// Eager has a task run at once, inside Go or Submit, until it waits for the first time, or to its
// end: the eager tasks of Python 3.12. It saves a turn of the loop where a task often has nothing
// to wait for; but what it does comes before whatever was ready, and before its starter goes on.
// Where the caller does not run on that loop, in a task or a callback of it, the option does
// nothing. The caller's goroutine waits meanwhile, so it may not hold runtime.LockOSThread, which is
// fatal, see [Task]; and Hooks.TaskStarted is called there: if that panics or goes by runtime.Goexit,
// so does the caller, and the task has its turn as one that is not eager.
func Eager() TaskOption { return eager{} }

// startEager runs a new task's first step on the stack of whoever starts it, whose goroutine holds
// the baton. The task may not run the loop meanwhile: it must come back here.
func (l *Loop) startEager(t *task) {
	var caller *worker // nil: the loop's own goroutine, in a callback
	var callers *task
	if w := l.last; w != nil && w.co.G() == goid.Get() {
		caller, callers = w, w.task
		caller.task = nil // for the hooks
	}
	interrupted := l.interrupted
	l.depth += maxDrivers + 1
	defer func() { // also if a hook panics or ends this goroutine
		l.depth -= maxDrivers + 1
		if caller != nil {
			caller.task = callers
		}
		t.eager = false
		l.interrupted = interrupted
		if t.worker == nil && !t.over.Load() { // the hook kept it from beginning
			l.ready.push(t)
		}
	}()
	t.step(caller)
}
