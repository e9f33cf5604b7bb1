package aio

import "github.com/seed8b1f0744/aio/internal/invariant"

// Who runs the loop. The loop's own goroutine does, and whoever has the baton may go on in its
// place: a task that suspends runs the loop on its own stack until its turn comes (drive), and a
// coroutine whose task is over takes the next one that is ready (another). That saves most switches
// of coroutines, which are most of what a task costs: of the four for starting a task and awaiting
// it two are left, of the two for a task that never suspends none, and of the two for a hop from
// task to task one.
//
// Those that drive form a chain, the loop's goroutine first: each has resumed the next one, and the
// last one runs. Nobody is resumed out of its order: what a driver can't do itself (its turn is
// another driver's, or it is a callback) it leaves at the head of the ready queue and suspends; the
// one before it in the chain looks at that head in turn, down to the loop's own goroutine, which
// can do everything. So there is nothing to tell each other but the ready queue.
//
// On a task's stack no code of a user runs but the task's: callbacks, hooks and a Clock's Wait might
// panic or call runtime.Goexit, and would take the task with them. A loop that closes is driven by
// its own goroutine only.

// maxDrivers bounds the chain. Longer ones save no more: with many tasks in turn, each that drives
// must come back to suspend.
const maxDrivers = 4

// drive runs the loop for w's task, which waits, until that has its turn (true) or somebody else
// must go on (false).
func (w *worker) drive(l *Loop) bool {
	if !l.mayDrive || l.closing.begun {
		return false
	}
	for l.left > 0 || l.nextTurn(l.clock == nil) {
		r := l.ready.peek()
		t, ok := r.(*task)
		switch {
		case !ok:
			if !l.runOurs(r) {
				return false
			}
		case t == w.task:
			l.take()
			return true
		case t.worker == nil && t.ctx.pulls != nil || t.worker != nil && t.worker.drives:
			return false // its turn is another driver's, or to ask its context may be to call a user's
		default:
			l.take()
			t.step(w)
		}
	}
	return false
}

// another ends w's task, which has returned, and gives it the next one if that is ready: then it
// reports true. On w's goroutine.
func (w *worker) another(l *Loop) bool {
	if !l.mayDrive || l.closing.begun || l.depth > maxDrivers {
		return false
	}
	over := w.unload()
	l.finish(over.task, over.err, over.cancelled)
	for l.left > 0 || l.nextTurn(false) {
		r := l.ready.peek()
		t, ok := r.(*task)
		if !ok {
			if !l.runOurs(r) {
				break
			}
			continue
		}
		if t.worker != nil || t.ctx.pulls != nil {
			break
		}
		l.take()
		if t.mayBegin() {
			w.task, t.worker = t, w
			w.shows.Store(t.id)
			return true
		}
	}
	w.finished = true // without a task
	return false
}

// runOurs takes and runs r, the head of the ready queue, if none of a user's code is in it.
func (l *Loop) runOurs(r runnable) bool {
	switch r := r.(type) {
	case *watcher:
		l.take()
		r.run()
	case *completion:
		l.take()
		r.run()
	case *memberDone:
		l.take()
		r.run()
	case *slot:
		if r.task == nil {
			return false
		}
		l.take()
		r.run()
	default:
		return false
	}
	return true
}

// nextTurn begins an iteration of the loop, as iterate does; it reports false if that must do it,
// or if the loop would have to be parked and the caller does not want to.
func (l *Loop) nextTurn(park bool) bool {
	if l.closing.wanted {
		return false
	}
	l.collect()
	for l.ready.n == 0 && !l.due() {
		if !park {
			return false
		}
		l.rest()
	}
	l.beginTurn()
	return l.left > 0
}

// take is pop for what stands at the head of the ready queue and has its turn: where each step
// begins.
func (l *Loop) take() runnable {
	invariant.Check(l.left > 0, "only what was ready when an iteration began is run in it")
	l.watch.step()
	l.left--
	return l.ready.pop()
}

// resume gives the baton to w until it comes back to by, whose goroutine this is; nil: the loop's
// own.
func (l *Loop) resume(w, by *worker) {
	if invariant.Enabled {
		invariant.Check(!w.drives && !w.finished, "who is resumed neither drives nor is done")
		invariant.Check(w.task.waiter.word.Load()&waitState != waitWaiting, "a task is resumed when its wait has ended")
	}
	l.hold(w)
	l.depth++
	if by == nil {
		w.co.Resume()
	} else {
		by.drives = true
		w.co.Resume()
		by.drives = false
		l.hold(by)
	}
	l.depth--
	if w.finished {
		l.putWorker(w)
	}
}

// hold notes that w has the baton.
func (l *Loop) hold(w *worker) {
	if l.last != w {
		l.last = w
		l.current.Store(w)
	}
}
