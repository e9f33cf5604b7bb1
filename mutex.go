package aio

import (
	"context"
	"sync"
)

// Mutex is a lock for tasks and goroutines alike: asyncio's Lock. The zero value is unlocked. A
// Mutex may not be copied.
//
// Waiters get it in the order they came. State that only tasks of one loop touch, and not across an
// await, needs no lock.
type Mutex struct {
	mu      sync.Mutex
	locked  bool     // guarded by mu
	waiters nodeList // guarded by mu; a waiter stays until it has run
	gone    *[]*task // guarded by mu; tasks that Close gave up on, whose Unlock is of nothing: see relock
}

// Lock locks m. It suspends a task and blocks any other goroutine until m is free and it is the
// caller's turn; a free mutex for which nobody waits does not suspend. When ctx ends first Lock
// returns its error, and m, if it was about to be the caller's, goes to the next one. In a callback
// it is ErrWouldDeadlock, unless m is free.
func (m *Mutex) Lock(ctx context.Context) error {
	if err := ended(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	if m.tryLocked() {
		m.mu.Unlock()
		return nil
	}
	m.mu.Unlock()
	w, err := waiterFor(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	if m.tryLocked() {
		m.mu.Unlock()
		return nil
	}
	w.begin(ctx, onMutex)
	m.waiters.push(&w.node)
	m.mu.Unlock()
	err = w.park(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiters.remove(&w.node)
	if err == nil {
		m.locked = true
	} else if !m.locked {
		m.wakeFirst()
	}
	return err
}

// TryLock locks m if that needs no waiting; it reports false also while others wait or are on their
// way. From any goroutine; it does not suspend.
func (m *Mutex) TryLock() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tryLocked()
}

func (m *Mutex) tryLocked() bool {
	if m.locked || m.waiters.anyLeft() {
		return false
	}
	m.locked = true
	return true
}

// Unlock unlocks m, whoever locked it. It panics if m is not locked. From any goroutine; it does
// not suspend.
func (m *Mutex) Unlock() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gone != nil && m.byGone() {
		return
	}
	if !m.locked {
		panic("aio: Unlock of an unlocked Mutex")
	}
	m.locked = false
	m.wakeFirst()
}

// wakeFirst ensures that the first waiter is on its way; one that was woken before but has not run
// yet is.
func (m *Mutex) wakeFirst() {
	if n := m.waiters.first; n != nil {
		n.owner.notify()
	}
}
