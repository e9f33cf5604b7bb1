package aio

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// scope is the context.Context of a task, of a group's body, of WithTimeout, of a call on an
// executor and of a loop.
//
// Scopes form a tree of their own: a scope's end reaches the scopes below it and the waiters under
// it, and no goroutine or channel is needed for that. How it answers as a context, and how contexts
// of package context derive from it, is in context.go.
//
// A scope ends once, by end. It is linked to its parent while there is somebody to tell: from its
// making until release, and again while something is put under it later. A task's scope that was
// released is adrift: it asks its parent whether it has ended.
//
//	alive -> ended
//	alive <-> adrift (release, relink) -> ended
//
// Lock order: a parent's mu before its child's; a loop's mu after all.
type scope struct {
	parent   context.Context // read by up, guarded by mu, once linked: handOver changes it
	loop     *Loop           // immutable
	group    *group          // immutable; see joins. In a task's own scope: the group that the task is a member of
	ownTask  *task           // immutable; set in a task's own scope
	pulls    *scope          // immutable after link; the nearest scope up from here, or this one, whose parent is foreign (not ours, and can end)
	how      atomic.Uint32   // alive, adrift, or how it ended; written under mu
	linked   bool            // guarded by the parent's mu (with a foreign parent: by mu): the parent will tell us
	released bool            // guarded by mu: its owner is done with it

	mu         sync.Mutex
	next, prev *scope     // guarded by the parent's mu: the ring of siblings
	first      *scope     // guarded by mu: children, in the order they came
	more       *scopeMore // guarded by mu, as what it holds
}

// scopeMore holds what few scopes need: it keeps a task small.
type scopeMore struct {
	cause       error        // why it ended
	waits       *place       // waiters under this very context, a ring; not those of the own task
	derived     *derived     // contexts that package context derived from it, a ring
	done        *doneChannel // made when asked for
	left        bool         // done was left to the parent
	bare        bareChannels // left by children
	stopForeign func() bool
	deadline    time.Time
}

// How a scope stands.
const (
	alive uint32 = iota
	endedCancelled
	endedDeadline
	adrift
)

// isOver reports whether how is an end.
func isOver(how uint32) bool { return how == endedCancelled || how == endedDeadline }

// joins is the group that a task started under s becomes a member of. A member's own context
// carries none.
func (s *scope) joins() *group {
	if s.ownTask != nil {
		return nil
	}
	return s.group
}

// link makes the parent's end reach s, at once if the parent has ended. It is called once, when s
// is ready to be ended.
func (s *scope) link() {
	if p := endsWith(s.parent); p != nil {
		s.pulls = p.pulls
		p.take(s)
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
	stop := s.loop.afterForeign(s.parent, func() { s.pull() })
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

// adopt links s below its parent, if that can end.
// take links c below s; it reports false if s has handed c over meanwhile, and is not its parent
// any more.
// isParentOf reports whether s, from which c once descended, has not handed c over. Called with s's
// mu held.
// up is the parent.
// handOver is what a finished task's scope does with its children: it passes on nothing but its
// parent's end and values, so they can have its parent instead of it. Otherwise a task that starts
// its successor and returns would begin a chain that grows for ever.
// hold locks mu with s linked, if it is alive: something is being put under it.
// relink links s again if it is adrift, because something is being put under it. It stays adrift,
// and so asks, until it is linked.
// release unlinks s, whose owner is done with it, from its parent: nobody needs the parent's end to
// come through s any more. If somebody below still does, it stays until they are gone.
// inUse reports whether anything is under s. Called with mu held.
// disown unlinks s from its parent, unless it was linked anew since it was released.
// drop is disown at the parent; it reports false if that has handed c over meanwhile.
// unlink takes c out of the ring of children. Called with mu held.
// extra is s.more, made if need be. Called with mu held.
func (s *scope) extra() *scopeMore {
	if s.more == nil {
		s.more = new(scopeMore)
	}
	return s.more
}

// end ends s and all below it, once, and reports whether it was this call that did. From any
// goroutine, with no lock held. Those below are told first, and of them the tasks: in a group, the
// members before the body, as asyncio's TaskGroup does, also if the body waits in a group or under
// a timeout of its own.
func (s *scope) end(how uint32, cause error) bool {
	s.mu.Lock()
	if isOver(s.how.Load()) {
		s.mu.Unlock()
		return false
	}
	if cause != nil {
		s.extra().cause = cause
	}
	s.how.Store(how)
	children := s.takeChildren()
	m := s.more
	var derived []*derived
	if m != nil {
		derived = m.takeDerived()
		m.done.close()
		m.bare.close()
	}
	s.mu.Unlock()

	if s.ownTask != nil {
		s.ownTask.waiter.endOwn()
	}
	for _, d := range derived {
		d.tell()
	}
	for _, c := range children {
		if c.ownTask != nil {
			c.end(how, cause)
		}
	}
	for _, c := range children {
		if c.ownTask == nil {
			c.end(how, cause)
		}
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

// endAndRelease is the end of a scope by its owner.
func (s *scope) endAndRelease(how uint32, cause error) {
	s.state() // an end from above comes first, though its news may still be on its way
	s.end(how, cause)
	s.release()
}

// takeChildren empties the ring of children. Called with mu held.
// place is a waiter's place in the ring of a scope.
type place struct {
	waiter     *waiter
	next, prev *place // nil: taken out
}

// addWaiter has w ended when s ends, at once if it has. The place is for dropWaiter.
func (s *scope) addWaiter(w *waiter) *place {
	p := &place{waiter: w}
	s.hold()
	defer s.mu.Unlock()
	m := s.extra()
	switch {
	case isOver(s.how.Load()):
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
	none := s.released && s.more.waits == nil
	s.mu.Unlock()
	if none {
		s.release()
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
	return s.causeLocked()
}

func (s *scope) causeLocked() error {
	if s.more == nil {
		return nil
	}
	return s.more.cause
}

// state is how s ended, or alive. Where news of an end may still be on its way, or nobody brings
// it, it is fetched.
func (s *scope) state() uint32 {
	how := s.how.Load()
	switch {
	case isOver(how):
		return how
	case how == adrift:
		if p := endsWith(s.up()); p != nil {
			if end := p.state(); isOver(end) {
				s.end(end, p.cause())
				return end
			}
		}
	}
	if s.pulls != nil && s.pulls.pull() {
		if s.pulls != s {
			s.end(s.pulls.how.Load(), s.pulls.cause()) // the news may still be on its way
		}
		return s.how.Load()
	}
	if how = s.how.Load(); how == adrift {
		return alive
	}
	return how
}
