package aio

import "context"

// The tree of scopes: how a scope is linked to its parent, handed over, let go, and linked again.

func (s *scope) adopt() {
	for {
		p := endsWith(s.up())
		if p == nil || p.take(s) {
			return
		}
	}
}

func (s *scope) take(c *scope) bool {
	s.hold()
	if !s.isParentOf(c) {
		s.mu.Unlock()
		return false
	}
	if how := s.how.Load(); isOver(how) {
		cause := s.causeLocked()
		s.mu.Unlock()
		c.end(how, cause)
		return true
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
	return true
}

func (s *scope) isParentOf(c *scope) bool {
	p, direct := c.up().(*scope)
	return !direct || p == s // what descends through a context in between is never handed over
}

func (s *scope) up() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parent
}

func (s *scope) handOver() {
	if s.ownTask == nil || s.pulls == s {
		return
	}
	var children []*scope
	s.mu.Lock()
	if s.how.Load() == alive && s.first != nil {
		for c, last := s.first, s.first.prev; ; {
			next := c.next
			c.mu.Lock()
			if c.parent == context.Context(s) {
				c.parent = s.parent
				s.unlink(c)
				if c.how.Load() == alive {
					c.how.Store(adrift) // on its way it asks
				}
				children = append(children, c)
			}
			c.mu.Unlock()
			if c == last {
				break
			}
			c = next
		}
	}
	s.mu.Unlock()
	for _, c := range children {
		c.relink()
		c.mu.Lock()
		released := c.released
		c.mu.Unlock()
		if released { // by now
			c.release()
		}
	}
}

func (s *scope) hold() {
	for {
		s.relink()
		s.mu.Lock()
		if s.how.Load() != adrift {
			return
		}
		s.mu.Unlock() // let go again in between
	}
}

func (s *scope) relink() {
	if s.how.Load() != adrift {
		return
	}
	if s.pulls != s {
		s.adopt()
	}
	s.mu.Lock()
	mine := s.how.Load() == adrift
	if mine {
		s.how.Store(alive)
	}
	s.mu.Unlock()
	switch {
	case !mine:
	case s.pulls == s:
		s.follow()
	default:
		s.adopt() // a release that was under way may have unlinked it once more
	}
}

func (s *scope) release() {
	s.mu.Lock()
	if s.first != nil {
		s.mu.Unlock()
		s.handOver()
		s.mu.Lock()
	}
	s.released = true
	how := s.how.Load()
	if how == adrift || how == alive && s.inUse() {
		s.mu.Unlock()
		return
	}
	var stop func() bool
	var bare []bareChannel
	if m := s.more; m != nil {
		stop = m.stopForeign
		if how == alive {
			bare = m.takeBare()
		}
	}
	if how == alive {
		s.how.Store(adrift)
	}
	s.mu.Unlock()

	switch {
	case s.pulls == s:
		for _, b := range bare {
			b.follow(s.parent)
		}
		if stop != nil {
			stop()
		}
	default:
		if len(bare) > 0 {
			if p := endsWith(s.up()); p != nil {
				p.keepBare(bare)
			}
		}
		s.disown()
	}
}

func (s *scope) inUse() bool {
	return s.first != nil || s.more != nil && (s.more.waits != nil || s.more.derived != nil)
}

func (s *scope) disown() {
	for {
		p := endsWith(s.up())
		if p == nil || p.drop(s) {
			return
		}
	}
}

func (s *scope) drop(c *scope) bool {
	s.mu.Lock()
	if !s.isParentOf(c) {
		s.mu.Unlock()
		return false
	}
	if c.linked && c.how.Load() != alive {
		s.unlink(c)
	}
	last := s.released && s.first == nil // it was kept for c alone
	s.mu.Unlock()
	if last {
		s.release()
	}
	return true
}

func (s *scope) unlink(c *scope) {
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
}

func (s *scope) takeChildren() []*scope {
	var children []*scope
	for c := s.first; c != nil && c.linked; {
		next := c.next
		c.linked, c.next, c.prev = false, nil, nil
		children = append(children, c)
		c = next
	}
	s.first = nil
	return children
}
