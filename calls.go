package aio

import "sync"

// callList holds the calls of a loop that are out on executors. Most of their contexts end with a
// task's; Close needs the list for those whose task is over.
type callList struct {
	mu    sync.Mutex
	first *outCall // guarded by mu, as the links
}

// outCall is a call's context, and its place in the list.
type outCall struct {
	scope      scope
	prev, next *outCall
}

func (s *callList) add(c *outCall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.next = s.first
	if s.first != nil {
		s.first.prev = c
	}
	s.first = c
}

func (s *callList) remove(c *outCall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		s.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}

// all is the contexts of the calls, as of now.
func (s *callList) all() []*scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	var scopes []*scope
	for c := s.first; c != nil; c = c.next {
		scopes = append(scopes, &c.scope)
	}
	return scopes
}
