package aio

import (
	"context"
	"runtime"
	"sync/atomic"

	"github.com/seed8b1f0744/aio/internal/goid"
	"github.com/seed8b1f0744/aio/internal/invariant"
)

// waiter is one wait: of a task, which it suspends, or of any other goroutine, which it blocks. It
// is what makes one color: whatever can be waited for knows waiters, and only this file knows of
// which kind they are.
//
// A wait goes: waiterFor, begin, a place in a list of what is waited for, park, and, if park fails,
// out of that list again. In between it is either notified by what it waits for or ended by its
// context, whichever comes first:
//
//	idle -> waiting (begin) -> notified (notify) | gone (end) -> waiting ...
//
// Both deliver the waiter: they put its task in the ready queue, or wake its goroutine. A task has
// one waiter for all its waits, told apart by a generation. That nobody reaches a later wait
// through an earlier one is ensured by locks (a source notifies under the lock under which its list
// is changed, a scope likewise) and by the generation where there is no lock.
type waiter struct {
	node
	word atomic.Uint64 // generation, reason, own, state
	task *task         // immutable; nil: a goroutine
	wake *bell         // immutable; the goroutine's
}

const (
	waitIdle uint64 = iota
	waitWaiting
	waitNotified
	waitGone

	waitState = 3                 // mask
	waitOwn   = 1 << 2            // the wait's context is the task's own
	waitOn    = 63 << waitOnShift // what the wait is for: a reason
	waitGen   = 1 << 9            // one generation

	waitOnShift = 3
)

// waiterFor finds out who runs, and so who will wait under ctx. It fails where waiting could not
// end.
func waiterFor(ctx context.Context) (*waiter, error) {
	t, err := running(ctx)
	if err != nil {
		return nil, err
	}
	if t != nil {
		t.checkpoint()
		return &t.waiter, nil
	}
	return newBlocked(), nil
}

// taskWaiter is waiterFor where that is quick and has no other effects, so that it may be asked
// under a lock: in a task, under a context of its loop. Elsewhere it is nil, and waiterFor must be
// asked without the lock.
func taskWaiter(ctx context.Context) *waiter {
	if s, ok := ctx.(*scope); ok {
		if w := s.loop.current.Load(); w != nil && w.co.G() == goid.Get() && w.task != nil && !w.task.killed {
			return &w.task.waiter
		}
	}
	return nil
}

// running is the task that the calling goroutine runs; nil in a plain goroutine, ErrWouldDeadlock
// where waiting could not end.
func running(ctx context.Context) (*task, error) {
	g := goid.Get()
	s := scopeOf(ctx)
	if s != nil {
		if w := s.loop.current.Load(); w != nil && w.co.G() == g && w.task != nil {
			return w.task, nil
		}
	}
	if r := runnerOf(g); r != nil {
		if r.task == nil {
			if s != nil && s.loop.debug != nil {
				s.loop.debug.wouldDeadlock(s.loop, waitsOnLoop)
			}
			return nil, ErrWouldDeadlock
		}
		return r.task, nil
	}
	if pulledByTask() {
		if s != nil && s.loop.debug != nil {
			s.loop.debug.wouldDeadlock(s.loop, waitsInPulled)
		}
		return nil, ErrWouldDeadlock
	}
	return nil, nil
}

// begin starts a wait under ctx. Its source must not know the waiter before. on is for people, see
// Loop.Tasks.
func (w *waiter) begin(ctx context.Context, on reason) {
	word := w.word.Load()
	invariant.Check(word&waitState != waitWaiting, "a waiter waits once at a time")
	word = word&^(waitState|waitOwn|waitOn) + waitGen | waitWaiting | uint64(on)<<waitOnShift
	if s, ok := ctx.(*scope); ok && w.task != nil && s.ownTask == w.task {
		word |= waitOwn
	}
	w.word.Store(word)
}

// notify ends the wait as granted; it reports false if the context had ended it. Called under the
// lock of what is waited for.
func (w *waiter) notify() bool { return w.finish(w.word.Load(), waitNotified) }

// end ends the wait because its context has ended.
func (w *waiter) end() bool { return w.finish(w.word.Load(), waitGone) }

// endOwn ends the wait if it is one under the task's own context.
func (w *waiter) endOwn() {
	for {
		word := w.word.Load()
		if word&waitState != waitWaiting || word&waitOwn == 0 || w.finish(word, waitGone) {
			return
		}
	}
}

func (w *waiter) finish(seen, state uint64) bool {
	if seen&waitState != waitWaiting || !w.word.CompareAndSwap(seen, seen&^waitState|state) {
		return false
	}
	if w.task != nil {
		w.task.ctx.loop.schedule(w.task)
	} else {
		w.wake.ring()
	}
	return true
}

func (w *waiter) notified() bool { return w.word.Load()&waitState == waitNotified }
func (w *waiter) isGone() bool   { return w.word.Load()&waitState == waitGone }

// park waits until the wait ends. It returns nil if it was granted, and the context's error if that
// ended first, or ended before the waiter got to run: then notified tells whether something was
// granted that must go to the next one.
func (w *waiter) park(ctx context.Context) error {
	if w.task == nil {
		return w.block(ctx)
	}
	if w.word.Load()&waitOwn != 0 {
		return w.parkOwn()
	}
	return w.parkUnder(ctx)
}

// parkOwn is park for a task under its own context. After a switch of coroutines the processor
// mispredicts every return up to the user's function, so the way down to the switch is kept short.
func (w *waiter) parkOwn() error {
	t := w.task
	if isOver(t.ctx.how.Load()) { // ended by another goroutine since the wait began: it may not have seen the wait
		w.end()
	}
	t.suspend()
	if t.ctx.how.Load() == alive && t.ctx.pulls == nil && !t.killed {
		return nil
	}
	return t.interrupted(&t.ctx)
}

// parkUnder is park for a task under another context.
func (w *waiter) parkUnder(ctx context.Context) error {
	t, word := w.task, w.word.Load()
	if s := endsWith(ctx); s != nil {
		p := s.addWaiter(w)
		t.suspend()
		s.dropWaiter(p)
	} else if ctx.Done() != nil {
		stop := t.ctx.loop.afterForeign(ctx, func() { w.finish(word, waitGone) })
		t.suspend()
		stop()
	} else {
		t.suspend()
	}
	return t.interrupted(ctx)
}

// interrupted is the error of a wait under ctx that the task was resumed from; nil if nothing ended
// it.
func (t *task) interrupted(ctx context.Context) error {
	if t.killed {
		return &contextError{context.Canceled, ErrClosed}
	}
	return ended(ctx)
}

// block is park for a goroutine.
func (w *waiter) block(ctx context.Context) error {
	if c := w.wake.callers; c != nil {
		defer c.waits(ctx, w)()
	}
	if s := endsWith(ctx); s != nil {
		p := s.addWaiter(w)
		<-w.wake.c
		s.dropWaiter(p)
		return ended(ctx)
	}
	select {
	case <-w.wake.c:
	case <-ctx.Done():
		w.wake.callers.resume() // before anybody can see that the wait is over
		if word := w.word.Load(); word&waitState != waitWaiting || !w.word.CompareAndSwap(word, word&^waitState|waitGone) {
			<-w.wake.c
			w.wake.callers.pause() // who ended it has done so, too
		}
	}
	return ended(ctx)
}

// checkpoint is where a task that Close gave up on ends: at the first wait after the one that was
// interrupted.
func (t *task) checkpoint() {
	if t.killed {
		runtime.Goexit()
	}
}

// suspend gives the loop back to others until the task is taken from the ready queue again.
func (t *task) suspend() {
	if invariant.Enabled {
		invariant.Check(t.worker.co.G() == goid.Get(), "a task is suspended on its own goroutine")
	}
	w, l := t.worker, t.ctx.loop
	if l.depth < maxDrivers && w.drive(l) {
		return
	}
	w.co.Suspend()
}

// node is a place in a nodeList.
type node struct {
	prev, next *node
	list       *nodeList  // nil: in none
	owner      notifiable // immutable
}

// notifiable is what can stand in a list of something that happens. notify is called under the lock
// that guards the list; it reports whether the owner still wanted to know.
type notifiable interface{ notify() bool }

// nodeList is a ring of nodes, oldest first. The zero value is empty.
type nodeList struct{ first *node }

func (l *nodeList) push(n *node) {
	invariant.Check(n.list == nil, "a node is in one list at a time")
	n.list = l
	if l.first == nil {
		n.next, n.prev = n, n
		l.first = n
		return
	}
	n.next, n.prev = l.first, l.first.prev
	n.prev.next, n.next.prev = n, n
}

// remove takes n out if it is in l.
func (l *nodeList) remove(n *node) {
	if n.list != l {
		return
	}
	if n.next == n {
		l.first = nil
	} else {
		n.prev.next, n.next.prev = n.next, n.prev
		if l.first == n {
			l.first = n.next
		}
	}
	n.prev, n.next, n.list = nil, nil, nil
}

// after is the node behind n, nil if n is the last.
func (l *nodeList) after(n *node) *node {
	if n.next == l.first {
		return nil
	}
	return n.next
}

// anyLeft reports whether anybody in the list, whose owners must be waiters, has not been ended by
// its context.
func (l *nodeList) anyLeft() bool {
	for n := l.first; n != nil; n = l.after(n) {
		if w, ok := n.owner.(*waiter); ok && !w.isGone() {
			return true
		}
	}
	return false
}

// notifyFirst takes out owners in order until one still wants to know; it reports whether there was
// one.
func (l *nodeList) notifyFirst() bool {
	for n := l.first; n != nil; n = l.first {
		l.remove(n)
		if n.owner.notify() {
			return true
		}
	}
	return false
}

// notifyAll empties the list.
func (l *nodeList) notifyAll() {
	for n := l.first; n != nil; n = l.first {
		l.remove(n)
		n.owner.notify()
	}
}
