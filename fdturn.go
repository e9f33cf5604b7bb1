package aio

import "context"

// turn counts what a task has done at connections since it was last suspended. Whoever finds all ready, or dials what
// answers at once, would never be: a peer that is faster than we are, or many, would have the loop to themselves.
type turn struct {
	of   *worker
	wait uint64 // the generation of the task's last wait
	done int
}

// turnLength is how much a task may do before others have their turn. To be suspended for nothing takes about as long as
// one of these calls to the system, so that this costs less than a hundredth.
const turnLength = 128

// mayGoOn counts one more, and reports false if others must have their turn first. In a task of l's: in a callback
// the one that ran last would be meant.
func (l *Loop) mayGoOn() bool {
	w := l.current.Load()
	if w == nil || w.task == nil {
		return true
	}
	t := &l.fds.turn
	if wait := w.task.waiter.word.Load() / waitGen; t.of != w || t.wait != wait {
		*t = turn{of: w, wait: wait}
	}
	t.done++
	return t.done <= turnLength
}

// letOthers suspends the running task until all that is ready has run.
func (t *task) letOthers(ctx context.Context) error {
	t.ctx.loop.fds.turn = turn{}
	return t.yield(ctx)
}

// Turn implements netpoll.Task.
func (t *task) Turn(ctx context.Context) error {
	if t.ctx.loop.mayGoOn() {
		return nil
	}
	t.checkpoint()
	return t.letOthers(ctx)
}
