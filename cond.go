package aio

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// Cond is a place to wait, under a Mutex, until something that the mutex guards has changed:
// asyncio's Condition. Tasks and goroutines may wait and signal in any mixture. Make one with
// NewCond. All methods may be called from any goroutine. A Cond may not be copied.
//
// Waiters are woken in the order they came. What one waits for may have changed again by the time
// it has the mutex, and a waiter may wake without a Signal (see Wait): look again, or use WaitFor.
type Cond struct {
	m       *Mutex // immutable
	mu      sync.Mutex
	waiters nodeList // guarded by mu
}

// NewCond makes a condition under m, which several may share. It panics if m is nil. From any
// goroutine; it does not suspend.
func NewCond(m *Mutex) *Cond {
	if m == nil {
		panic("aio: NewCond needs a Mutex, got nil")
	}
	return &Cond{m: m}
}

// Wait unlocks the mutex, waits until it is woken, and locks the mutex again. It suspends a task
// and blocks any other goroutine, always. The mutex must be locked by the caller; if it is not
// locked at all, Wait panics.
//
// When ctx ends first Wait returns its error. Whatever it returns, the mutex is locked again: that
// waiting ignores ctx. As in CPython, a Wait that ends with an error wakes the next one in its
// place, even where it was not woken itself, so that no Signal is lost. Under a ctx that has ended,
// and in a callback, where it is ErrWouldDeadlock, it returns at once and has not unlocked.
func (c *Cond) Wait(ctx context.Context) error {
	c.mustBeLocked()
	if err := ended(ctx); err != nil {
		return err
	}
	w, err := waiterFor(ctx)
	if err != nil {
		return err
	}
	c.enter(ctx, w)
	err = w.park(ctx)
	if err != nil {
		c.mu.Lock()
		c.waiters.remove(&w.node)
		c.mu.Unlock()
	}
	c.m.relock(w)
	if err == nil {
		err = ended(ctx) // while it waited for the mutex
	}
	if err != nil {
		c.Signal()
	}
	return err
}

// WaitFor waits, as Wait does, until ok reports true; if it does at once, it does not wait. It
// suspends a task and blocks any other goroutine. ok is called with the mutex locked and must not
// unlock it. When ctx ends first WaitFor returns its error; whatever it returns, the mutex is
// locked. In a callback it is ErrWouldDeadlock, unless ok holds.
func (c *Cond) WaitFor(ctx context.Context, ok func() bool) error {
	c.mustBeLocked()
	if err := ended(ctx); err != nil {
		return err
	}
	for !ok() {
		if err := c.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Signal wakes the one that waits longest: asyncio's notify. It may be called with the mutex or
// without, from any goroutine; it does not suspend.
func (c *Cond) Signal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiters.notifyFirst()
}

// Broadcast wakes all who wait, in the order they came: asyncio's notify_all. It may be called with
// the mutex or without, from any goroutine; it does not suspend.
func (c *Cond) Broadcast() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiters.notifyAll()
}

func (c *Cond) mustBeLocked() {
	if c.m == nil {
		panic("aio: a Cond without a Mutex: make it with NewCond")
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.m.checkLocked()
}

// checkLocked is called with m.mu held.
func (m *Mutex) checkLocked() {
	if !m.locked {
		panic("aio: Wait at a Cond whose Mutex is not locked")
	}
}

// enter begins the wait and unlocks the mutex, in one: no Signal can come in between.
func (c *Cond) enter(ctx context.Context, w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.m.checkLocked() // somebody else may have unlocked it meanwhile
	w.begin(ctx, onCond)
	c.waiters.push(&w.node)
	c.m.locked = false
	c.m.wakeFirst()
}

// relock locks m for who has waited as w, however long that takes, and whatever has ended. The one
// exception is a task that Close gave up on, while somebody else holds m: that goes here, as it
// would at any wait, without having m. The Unlock that it has deferred must then not be taken for
// the holder's.
func (m *Mutex) relock(w *waiter) {
	ctx := context.Background()
	m.mu.Lock()
	for !m.tryLocked() {
		if w.task != nil && w.task.killed {
			if m.gone == nil {
				m.gone = new([]*task)
			}
			*m.gone = append(*m.gone, w.task)
			m.mu.Unlock()
			runtime.Goexit()
		}
		w.begin(ctx, onMutex)
		m.waiters.push(&w.node)
		m.mu.Unlock()
		err := w.park(ctx)
		m.mu.Lock()
		m.waiters.remove(&w.node)
		if err == nil || w.notified() {
			m.locked = true
			break
		}
	}
	m.mu.Unlock()
}

// byGone reports whether the caller is one that went without having m. Called with m.mu held.
func (m *Mutex) byGone() bool {
	r := runnerOf(goid.Get())
	if r == nil || r.task == nil {
		return false
	}
	i := slices.Index(*m.gone, r.task)
	if i < 0 {
		return false
	}
	*m.gone = slices.Delete(*m.gone, i, i+1)
	if len(*m.gone) == 0 {
		m.gone = nil
	}
	return true
}
