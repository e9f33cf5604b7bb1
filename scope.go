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
	group   *group          // immutable; see joins. In a task's own scope: the group that the task is a member of
	ownTask *task           // immutable; set in a task's own scope
	pulls   *scope          // immutable after link; the nearest scope up from here, or this one, whose parent is foreign (not ours, and can end)
	how     atomic.Uint32   // alive, or how it ended; written under mu
	linked  bool            // guarded by the parent's mu (with a foreign parent: by mu): the parent will tell us

	mu         sync.Mutex
	next, prev *scope     // guarded by the parent's mu: the ring of siblings
	first      *scope     // guarded by mu: children, in the order they came
	more       *scopeMore // guarded by mu, as what it holds
}

// scopeMore holds what few scopes need: it keeps a task small.
type scopeMore struct {
	cause       error           // why it ended
	waits       *place          // waiters under this very context, a ring; not those of the own task
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

// joins is the group that a task started under s becomes a member of. A member's own context carries none.
func (s *scope) joins() *group {
	if s.ownTask != nil {
		return nil
	}
	return s.group
}

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
		var cause error
		if s.more != nil {
			cause = s.more.cause
		}
		s.mu.Unlock()
		c.end(how, cause)
		return
	}
	if !c.linked {
		c.linked = true
		if s.first == nil {
			c.next, c.prev = c, c
			s.first = c
		} else {
			c.next, c.prev = s.first, s.first.prev
			c.prev.next, c.next.prev = c, c
		}
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
		if s.first != nil || s.more != nil && (s.more.waits != nil || s.more.watched) {
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
	if c.next == c {
		s.first = nil
	} else {
		c.prev.next, c.next.prev = c.next, c.prev
		if s.first == c {
			s.first = c.next
		}
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
	if cause != nil {
		s.extra().cause = cause
	}
	s.how.Store(how)
	children := s.takeChildren()
	m := s.more
	s.mu.Unlock()

	if m != nil && m.bridge != nil {
		m.bridge.end(how, cause)
	}
	if s.ownTask != nil {
		s.ownTask.waiter.endOwn()
	}
	for _, c := range children {
		c.end(how, cause)
	}
	if m != nil {
		s.mu.Lock()
		for p := m.waits; p != nil; p = m.waits {
			m.remove(p)
			p.waiter.end()
		}
		s.mu.Unlock()
	}
	return true
}

// takeChildren empties the list of children. Called with mu held.
func (s *scope) takeChildren() []*scope {
	var children []*scope
	for c := s.first; c != nil && c.linked; {
		next := c.next
		c.linked, c.next, c.prev = false, nil, nil
		children = append(children, c)
		c = next
	}
	s.first = nil
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

// place is a waiter's place in the ring of a scope.
type place struct {
	waiter     *waiter
	next, prev *place // nil: taken out
}

// addWaiter has w ended when s ends, at once if it has. The place is for dropWaiter.
func (s *scope) addWaiter(w *waiter) *place {
	s.relink()
	p := &place{waiter: w}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.extra()
	switch {
	case s.how.Load() != alive:
		w.end()
	case m.waits == nil:
		p.next, p.prev = p, p
		m.waits = p
	default:
		p.next, p.prev = m.waits, m.waits.prev
		p.prev.next, p.next.prev = p, p
	}
	return p
}

// dropWaiter undoes addWaiter.
func (s *scope) dropWaiter(p *place) {
	s.mu.Lock()
	if p.next != nil {
		s.more.remove(p)
	}
	none := s.more.waits == nil
	s.mu.Unlock()
	if none {
		s.releaseIfOver()
	}
}

// remove takes p out of the ring.
func (m *scopeMore) remove(p *place) {
	if p.next == p {
		m.waits = nil
	} else {
		p.prev.next, p.next.prev = p.next, p.prev
		if m.waits == p {
			m.waits = p.next
		}
	}
	p.next, p.prev = nil, nil
}

// cause is why s ended.
func (s *scope) cause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.more == nil {
		return nil
	}
	return s.more.cause
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
