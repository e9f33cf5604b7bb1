package aio

import (
	"context"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// Contexts that are not ours. To ask one is to call a user's code, which may panic or end the
// goroutine that asks; what a loop and a wait do about that is here, and costs nothing where all
// contexts are ours.

// linkUnder is link for a task under a context that is not ours. If that panics or goes, so does
// whoever starts the task, which then never was.
func (l *Loop) linkUnder(t *task) {
	linked := false
	defer func() {
		if linked {
			return
		}
		t.over.Store(true)
		l.tasks.remove(t)
		if t.ctx.group != nil {
			t.ctx.group.leave()
		}
		l.schedule(nudge{}) // it may have waited for this task in order to close
	}()
	t.ctx.link()
	linked = true
}

// pullEnd is pull when the parent has ended. If asking how panics or goes, that is the cause.
func (s *scope) pullEnd() {
	asked := false
	defer func() {
		if asked {
			return
		}
		var cause error = ErrGoexit
		if v := recover(); v != nil {
			cause = &PanicError{Value: v, Stack: debug.Stack()}
		}
		s.end(endedCancelled, cause)
	}()
	s.pull()
	asked = true
}

// mayBeginUnder is the part of mayBegin that asks the task's context. If that panics or goes, the
// task has.
func (l *Loop) mayBeginUnder(t *task) bool {
	asked := false
	defer func() {
		if asked {
			return
		}
		var err error = ErrGoexit
		if v := recover(); v != nil {
			err, t.panicked = &PanicError{Value: v, Stack: debug.Stack()}, true
		} else {
			l.interrupted = nudge{} // the task tells of it
		}
		l.finish(t, err, false)
	}()
	over := isOver(t.ctx.state())
	asked = true
	if over {
		l.finish(t, t.ctx.Err(), true)
	}
	return !over
}

// releaseUnder ends finish. Where it lets go of a context that is not ours, that is done on the
// loop's own goroutine: what goes there takes nobody's task with it.
func (l *Loop) releaseUnder(t *task, err error) {
	defer l.tell(t, err)
	if t.ctx.pulls == &t.ctx && l.g.Load() != goid.Get() {
		l.ready.push((*lateRelease)(t))
		return
	}
	(*lateRelease)(t).run()
}

type lateRelease task

// run implements runnable.
func (r *lateRelease) run() {
	t := (*task)(r)
	l := t.ctx.loop
	released := false
	defer func() {
		if released {
			return
		}
		var err error = ErrGoexit
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		} else {
			l.interrupted = nudge{}
		}
		l.ready.push(lateFailure{l, Failure{Task: t.info(), Err: err}})
	}()
	t.ctx.release()
	released = true
}

// parkAlien is park for a task under a context that may be asked only like this: if it panics, that
// is the error of the wait, so that whoever waits takes the waiter out of its list. If it ends the
// goroutine nobody does; then the task waits no more, see withdrawn.
func (w *waiter) parkAlien(ctx context.Context) (err error) {
	t, word := w.task, w.word.Load()
	resumed, over := false, false
	defer func() {
		if !over {
			err = w.withdrawn(recover(), resumed)
		}
	}()
	var stop func() bool
	if s := endsWith(ctx); s != nil {
		p := s.addWaiter(w)
		stop = func() bool { s.dropWaiter(p); return true }
	} else if ctx.Done() != nil {
		stop = t.ctx.loop.afterForeign(ctx, func() { w.finish(word, waitGone) })
	}
	t.suspend()
	resumed = true
	if stop != nil {
		stop()
	}
	err = t.interrupted(ctx)
	over = true
	return err
}

// interruptedUnder is interrupted in parkOwn, as parkAlien does it.
func (w *waiter) interruptedUnder() (err error) {
	over := false
	defer func() {
		if !over {
			err = w.withdrawn(recover(), true)
		}
	}()
	err = w.task.interrupted(&w.task.ctx)
	over = true
	return err
}

// withdrawn ends a task's wait whose context panicked with v, or ended the goroutine (nil); resumed:
// after the wait. The error is the wait's.
func (w *waiter) withdrawn(v any, resumed bool) error {
	t := w.task
	if !resumed && !w.withdraw() {
		t.suspend() // it stands in the ready queue
	}
	if v == nil { // what was waited for still knows w
		t.killed, t.worker.stray = true, true
		return nil
	}
	return &PanicError{Value: v, Stack: debug.Stack()}
}

// withdraw is end by the waiter itself, who is not to be woken.
func (w *waiter) withdraw() bool {
	for {
		word := w.word.Load()
		if word&waitState != waitWaiting {
			return false
		}
		if w.word.CompareAndSwap(word, word&^waitState|waitGone) {
			return true
		}
	}
}

// blockAlien is block under a context that is not ours, as parkAlien is park.
func (w *waiter) blockAlien(ctx context.Context) (err error) {
	asked, over := false, false
	defer func() {
		if over {
			return
		}
		if asked { // the clocks that it holds it has let go of
			w.end()
		} else {
			w.withdraw()
		}
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	endsWith(ctx)
	asked = true
	err = w.block(ctx)
	over = true
	return err
}

// isAlien reports whether to ask ctx may be to call a user's code.
func isAlien(ctx context.Context) bool {
	s, ours := ctx.(*scope)
	return !ours || s.alien
}

// noContext panics, for a function of ours that was given nil instead of a context.
func noContext() {
	what := "what waits or starts something"
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		name, ours := strings.CutPrefix(f.Function, "github.com/seed8b1f0744/aio.")
		if !ours {
			break
		}
		what = plainName(name)
	}
	panic("aio: " + what + " needs a context, got nil")
}

// plainName is the name of a function of ours as its user writes it.
func plainName(name string) string {
	name = strings.NewReplacer("[...]", "", "(*", "", ")", "").Replace(name)
	name, _, _ = strings.Cut(name, ".func") // an iterator's
	return name
}
