package aio

import (
	"context"
	"sync"
)

// taskList holds the tasks of a loop that are not over, oldest first. Any goroutine may look, also
// while a step holds the loop.
type taskList struct {
	mu          sync.Mutex
	first, tail *task    // guarded by mu
	n           int      // guarded by mu
	lastID      uint64   // guarded by mu
	none        nodeList // guarded by mu; who waits for n to be zero
}

func (s *taskList) add(t *task) {
	s.mu.Lock()
	s.lastID++
	t.id = s.lastID
	s.n++
	t.prev = s.tail
	if s.tail != nil {
		s.tail.next = t
	} else {
		s.first = t
	}
	s.tail = t
	s.mu.Unlock()
}

func (s *taskList) remove(t *task) {
	s.mu.Lock()
	s.n--
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		s.first = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	} else {
		s.tail = t.prev
	}
	t.prev, t.next = nil, nil
	if s.n == 0 {
		s.none.notifyAll()
	}
	s.mu.Unlock()
}

// byID is the task with this id; nil if it is over.
func (s *taskList) byID(id uint64) *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := s.first; t != nil && t.id <= id; t = t.next {
		if t.id == id {
			return t
		}
	}
	return nil
}

func (s *taskList) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

func (s *taskList) all() []*task {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*task, 0, s.n)
	for t := s.first; t != nil; t = t.next {
		all = append(all, t)
	}
	return all
}

// waitNone waits until there are no tasks, and returns ctx's error if that ended first.
func (s *taskList) waitNone(ctx context.Context) error {
	w, err := waiterFor(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if s.n == 0 {
		s.mu.Unlock()
		return nil
	}
	w.begin(ctx, onNoTasks)
	s.none.push(&w.node)
	s.mu.Unlock()
	err = w.park(ctx)
	if err != nil {
		s.mu.Lock()
		s.none.remove(&w.node)
		s.mu.Unlock()
	}
	return err
}
