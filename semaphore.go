package aio

import (
	"context"
	"fmt"
	"sync"
)

// Semaphore holds permits for tasks and goroutines alike. Make one with NewSemaphore or
// NewBoundedSemaphore. A Semaphore may not be copied.
type Semaphore struct {
	mu      sync.Mutex
	bounded bool     // immutable
	bound   int      // immutable; of a bounded one: how many permits there are
	permits int      // guarded by mu; free
	waiters nodeList // guarded by mu; a waiter stays until it has run
}

// NewSemaphore makes a semaphore of n permits. Release may go above n. It panics if n is negative.
// From any goroutine; it does not suspend.
func NewSemaphore(n int) *Semaphore {
	if n < 0 {
		panic("aio: NewSemaphore of a negative number")
	}
	return &Semaphore{permits: n}
}

// NewBoundedSemaphore makes a semaphore of n permits that has a Release above n panic: one that does
// not belong to an Acquire. It panics if n is negative. From any goroutine; it does not suspend.
func NewBoundedSemaphore(n int) *Semaphore {
	if n < 0 {
		panic("aio: NewBoundedSemaphore of a negative number")
	}
	return &Semaphore{permits: n, bounded: true, bound: n}
}

// Acquire takes a permit. It suspends a task and blocks any other goroutine until there is one and
// it is the caller's turn; a free permit for which nobody waits does not suspend. When ctx ends
// first Acquire returns its error, and the permit, if the caller was about to get one, goes to the
// next one. In a callback it is ErrWouldDeadlock, unless a permit is free.
func (s *Semaphore) Acquire(ctx context.Context) error {
	if err := ended(ctx); err != nil {
		return err
	}
	if s.TryAcquire() {
		return nil
	}
	w, err := waiterFor(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if s.tryLocked() {
		s.mu.Unlock()
		return nil
	}
	w.begin(ctx, onSemaphore)
	s.waiters.push(&w.node)
	s.mu.Unlock()
	err = w.park(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiters.remove(&w.node)
	if err != nil && w.notified() {
		s.permits++
	}
	// Who came meanwhile had to wait behind this one, even for permits that were free.
	for s.permits > 0 && s.wakeNext() {
	}
	return err
}

// TryAcquire takes a permit if that needs no waiting; it reports false also while others wait. From
// any goroutine; it does not suspend.
func (s *Semaphore) TryAcquire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tryLocked()
}

func (s *Semaphore) tryLocked() bool {
	if s.permits == 0 || s.waiters.anyLeft() {
		return false
	}
	s.permits--
	return true
}

// Release gives a permit back, or adds one; of a bounded semaphore that has all its permits it
// panics. From any goroutine; it does not suspend.
func (s *Semaphore) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bounded && s.permits >= s.bound {
		panic(fmt.Sprintf("aio: Release of a bounded Semaphore that has all of its %d permits: it was not acquired", s.bound))
	}
	s.permits++
	s.wakeNext()
}

// wakeNext gives a permit to the first waiter that has none yet; it reports whether there was one.
func (s *Semaphore) wakeNext() bool {
	for n := s.waiters.first; n != nil; n = s.waiters.after(n) {
		if n.owner.notify() {
			s.permits--
			return true
		}
	}
	return false
}
