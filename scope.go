package aio

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
	"weak"
)

// scope is the context.Context of a task, of a group's body, of WithTimeout, of a call on an executor and of a loop.
//
// Scopes form a tree of their own: a scope's end reaches the scopes below it and the waiters under it, and no goroutine or channel is
// needed for that. How it answers as a context, and how it takes part in the tree that package context keeps for itself, is in context.go.
//
// A scope ends once, by end. It is linked to its parent while there is somebody to tell: from its making until release, and again from the
// moment that something is put under it. Lock order: a parent's mu before its child's; a loop's mu after all.
type scope struct {
	parent  context.Context // immutable
	loop    *Loop           // immutable
	group   *group          // immutable; the group that Go under this context joins
	ownTask *task           // immutable; set in a task's own scope
	pulls   *scope          // immutable after link; the nearest scope up from here, or this one, whose parent is foreign (not ours, and can end)
	how     atomic.Uint32   // alive, or how it ended; written under mu, after cause

	mu         sync.Mutex
	cause      error      // written once, before how; why it ended
	linked     bool       // guarded by the parent's mu (with a foreign parent: by mu): the parent will tell us
	next, prev *scope     // guarded by the parent's mu: siblings
	first      *scope     // guarded by mu: children, in the order they came
	last       *scope     // guarded by mu
	waits      *waiter    // guarded by mu: waiters under this very context, a ring; not those of the own task
	more       *scopeMore // guarded by mu, as what it holds
}

// scopeMore holds what few scopes need.
type scopeMore struct {
	real        context.Context // see scope.real
	cancelReal  context.CancelFunc
	bridge      *bridgeContext
	watched     bool // Done was asked for outside the task: somebody may hold the channel alone
	stopForeign func() bool
	deadline    time.Time
	timer       Handle
	finished    []weak.Pointer[scope] // children whose task is over, but whose real context may be in somebody's hands
	sweepAt     int                   // len(finished) at which to forget the dead ones
}

// How a scope stands.
const (
	alive uint32 = iota
	endedCancelled
	endedDeadline
)

// link makes the parent's end reach s, at once if the parent has ended. It is called once, when s is ready to be ended.
func (s *scope) link() {
	if p := endsWith(s.parent); p != nil {
		s.pulls = p.pulls
		p.adopt(s)
		return
	}
	if s.parent.Done() == nil {
		return
	}
	s.pulls = s
	s.follow()
}

// follow has a foreign parent tell s.
func (s *scope) follow() {
	if s.pull() {
		return
	}
	stop := context.AfterFunc(s.parent, func() { s.pull() })
	s.mu.Lock()
	s.extra().stopForeign = stop
	s.linked = true
	s.mu.Unlock()
}

// pull ends s if its foreign parent has ended, and reports that.
func (s *scope) pull() bool {
	err := s.parent.Err()
	if err == nil {
		return false
	}
	how := endedCancelled
	if errors.Is(err, context.DeadlineExceeded) {
		how = endedDeadline
	}
	s.end(how, context.Cause(s.parent))
	return true
}

// adopt links c below s.
func (s *scope) adopt(c *scope) {
	s.relink()
	s.mu.Lock()
	if how := s.how.Load(); how != alive {
		s.mu.Unlock()
		c.end(how, s.cause)
		return
	}
	if !c.linked {
		c.linked = true
		c.prev, c.next = s.last, nil
		if s.last != nil {
			s.last.next = c
		} else {
			s.first = c
		}
		s.last = c
	}
	s.mu.Unlock()
}

// relink links s, whose task is over, to its parent again because something is being put under it.
func (s *scope) relink() {
	if s.ownTask == nil || !s.ownTask.over.Load() || s.how.Load() != alive {
		return
	}
	if p := endsWith(s.parent); p != nil {
		p.adopt(s)
		return
	}
	s.mu.Lock()
	lost := s.pulls == s && !s.linked
	s.mu.Unlock()
	if lost {
		s.follow()
	}
}

// release unlinks s from its parent: nobody needs the parent's end to come through s any more. If somebody below still does, it waits for them.
func (s *scope) release() {
	s.mu.Lock()
	weakly := false
	if s.how.Load() == alive {
		if s.first != nil || s.waits != nil || s.more != nil && s.more.watched {
			s.mu.Unlock()
			return
		}
		weakly = s.more != nil && s.more.real != nil
	}
	if s.pulls != s {
		s.mu.Unlock()
		if p := endsWith(s.parent); p != nil {
			p.disown(s, weakly)
		}
		return
	}
	if weakly {
		s.mu.Unlock() // a foreign parent can't hold it weakly: it stays until that parent ends
		return
	}
	s.linked = false
	var stop func() bool
	if s.more != nil {
		stop = s.more.stopForeign
	}
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (s *scope) disown(c *scope, weakly bool) {
	s.mu.Lock()
	if !c.linked {
		s.mu.Unlock()
		return
	}
	c.linked = false
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		s.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		s.last = c.prev
	}
	c.next, c.prev = nil, nil
	if weakly {
		s.keepWeakly(c)
	}
	last := s.first == nil
	s.mu.Unlock()
	if last {
		s.releaseIfOver()
	}
}

// releaseIfOver is called when something under s has gone: if s was kept for that alone, it goes too.
func (s *scope) releaseIfOver() {
	if s.ownTask != nil && s.ownTask.over.Load() {
		s.release()
	}
}

// keepWeakly remembers a finished child for as long as anybody else does. Called with mu held.
func (s *scope) keepWeakly(c *scope) {
	m := s.extra()
	m.finished = append(m.finished, weak.Make(c))
	if len(m.finished) < max(m.sweepAt, 64) {
		return
	}
	kept := m.finished[:0]
	for _, w := range m.finished {
		if w.Value() != nil {
			kept = append(kept, w)
		}
	}
	clear(m.finished[len(kept):])
	m.finished, m.sweepAt = kept, 2*len(kept)
}

// extra is s.more, made if need be. Called with mu held.
func (s *scope) extra() *scopeMore {
	if s.more == nil {
		s.more = new(scopeMore)
	}
	return s.more
}

// end ends s and all below it, once, and reports whether it was this call that did. From any goroutine, with no lock held.
// Those below are told first: in a group, the members before the body, as asyncio's TaskGroup does.
func (s *scope) end(how uint32, cause error) bool {
	s.mu.Lock()
	if s.how.Load() != alive {
		s.mu.Unlock()
		return false
	}
	s.cause = cause
	s.how.Store(how)
	children := s.takeChildren()
	var bridge *bridgeContext
	if s.more != nil {
		bridge = s.more.bridge
	}
	s.mu.Unlock()

	if bridge != nil {
		bridge.end(how, cause)
	}
	if s.ownTask != nil {
		s.ownTask.waiter.endOwn()
	}
	for _, c := range children {
		c.end(how, cause)
	}
	s.mu.Lock()
	for w := s.waits; w != nil; w = s.waits {
		s.removeWaiter(w)
		w.end()
	}
	s.mu.Unlock()
	return true
}

// takeChildren empties the list of children. Called with mu held.
func (s *scope) takeChildren() []*scope {
	var children []*scope
	for c := s.first; c != nil; {
		next := c.next
		c.linked, c.next, c.prev = false, nil, nil
		children = append(children, c)
		c = next
	}
	s.first, s.last = nil, nil
	if s.more != nil {
		for _, w := range s.more.finished {
			if c := w.Value(); c != nil {
				children = append(children, c)
			}
		}
		s.more.finished = nil
	}
	return children
}

// addWaiter has w ended when s ends, at once if it has. w must not be in a scope.
func (s *scope) addWaiter(w *waiter) {
	s.relink()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.how.Load() != alive {
		w.end()
		return
	}
	w.under = s
	if s.waits == nil {
		w.after, w.before = w, w
		s.waits = w
		return
	}
	first := s.waits
	w.before, w.after = first.before, first
	w.before.after, first.before = w, w
}

// dropWaiter undoes addWaiter.
func (s *scope) dropWaiter(w *waiter) {
	s.mu.Lock()
	if w.under == s {
		s.removeWaiter(w)
	}
	none := s.waits == nil
	s.mu.Unlock()
	if none {
		s.releaseIfOver()
	}
}

// removeWaiter takes w out of the ring. Called with mu held.
func (s *scope) removeWaiter(w *waiter) {
	if w.after == w {
		s.waits = nil
	} else {
		w.before.after, w.after.before = w.after, w.before
		if s.waits == w {
			s.waits = w.after
		}
	}
	w.under, w.before, w.after = nil, nil, nil
}

// state is how s ended, or alive. A foreign parent is asked, so that its end is seen at once and not only when its news arrives.
func (s *scope) state() uint32 {
	if how := s.how.Load(); how != alive || s.pulls == nil {
		return how
	}
	if s.pulls.pull() {
		return s.pulls.how.Load() // ours may still be on its way
	}
	return s.how.Load()
}
