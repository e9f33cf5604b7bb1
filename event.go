package aio

import (
	"context"
	"sync"
)

// Event is a flag that tasks and goroutines can wait for. The zero value is not set. An Event may
// not be copied.
type Event struct {
	mu      sync.Mutex
	set     bool     // guarded by mu
	waiters nodeList // guarded by mu
}

// Set sets the flag and wakes all who wait, in the order they came. From any goroutine; it does not
// suspend.
func (e *Event) Set() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set = true
	e.waiters.notifyAll()
}

// Clear takes the flag back; who was woken by Set stays so. From any goroutine; it does not
// suspend.
func (e *Event) Clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set = false
}

// IsSet reports whether the flag is set. From any goroutine; it does not suspend.
func (e *Event) IsSet() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.set
}

// Wait waits until the flag is set. It suspends a task and blocks any other goroutine; if the flag
// is set, it returns at once. Its error is ctx's, if that ended first. In a callback it is
// ErrWouldDeadlock, unless the flag is set.
func (e *Event) Wait(ctx context.Context) error {
	if err := ended(ctx); err != nil {
		return err
	}
	if e.IsSet() {
		return nil
	}
	w, err := waiterFor(ctx)
	if err != nil {
		return err
	}
	e.mu.Lock()
	if e.set {
		e.mu.Unlock()
		return nil
	}
	w.begin(ctx, onEvent)
	e.waiters.push(&w.node)
	e.mu.Unlock()
	err = w.park(ctx)
	if err != nil {
		e.mu.Lock()
		e.waiters.remove(&w.node)
		e.mu.Unlock()
	}
	return err
}
