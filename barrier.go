package aio

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/seed8b1f0744/aio/internal/invariant"
)

// Barrier has tasks and goroutines, in any mixture, wait for each other: asyncio's Barrier. Make
// one with NewBarrier. All methods may be called from any goroutine. A Barrier may not be copied.
//
// Its states, which only move changes:
//
//	filling -> draining (the last one arrives) -> filling (the last one leaves)
//	filling, draining -> resetting (Reset, with somebody inside) -> filling (the last one leaves)
//	any -> broken (Abort) -> resetting (Reset, with somebody inside) | filling (Reset, with nobody)
//
// Who arrives while it is draining or resetting waits outside until it is filling again; who
// arrives while it is broken gets ErrBroken. Inside is who has arrived and not yet run since: so
// who was let through but has not run is broken by an Abort, too, as in CPython.
type Barrier struct {
	parties int // immutable
	mu      sync.Mutex
	state   barrierState // guarded by mu
	inside  int          // guarded by mu
	arrived int          // guarded by mu; indices given out
	back    []int        // guarded by mu; of them, those that cancelled waiters left; in order
	waiters nodeList     // guarded by mu; inside and outside: after each change all look again
}

type barrierState uint8

const (
	barrierFilling barrierState = iota
	barrierDraining
	barrierResetting
	barrierBroken
)

// NewBarrier makes a barrier for n parties. It panics if n is less than 1. From any goroutine; it
// does not suspend.
func NewBarrier(n int) *Barrier {
	if n < 1 {
		panic(fmt.Sprintf("aio: NewBarrier for %d parties: must be at least 1", n))
	}
	return &Barrier{parties: n}
}

// Wait waits until all parties have arrived. It suspends a task and blocks any other goroutine; for
// the last one it returns at once. It gives each party another index, from 0 for the first to
// arrive to n-1 for the last.
//
// When ctx ends first Wait returns its error and the barrier is as if it had not come: the others
// wait on, and its index goes to the next to arrive. The error is ErrBroken when the barrier was
// aborted, or is aborted or reset meanwhile. In a callback it is ErrWouldDeadlock, unless there is
// nothing to wait for.
func (b *Barrier) Wait(ctx context.Context) (int, error) {
	if err := ended(ctx); err != nil {
		return 0, err
	}
	var w *waiter
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mustWait() {
		var err error
		if w, err = b.waiterFor(ctx); err != nil {
			return 0, err
		}
	}
	if err := b.wait(ctx, w, b.isShut); err != nil {
		return 0, err
	}
	if b.state == barrierBroken {
		return 0, ErrBroken
	}
	index := b.enter()
	err := b.wait(ctx, w, b.isFilling)
	if err == nil && b.state != barrierDraining {
		err = ErrBroken
	}
	b.leave(index)
	if err != nil {
		return 0, err
	}
	return index, nil
}

// Abort breaks the barrier: all who wait, and all who come, get ErrBroken until Reset. From any
// goroutine; it does not suspend.
func (b *Barrier) Abort() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.move(barrierBroken)
}

// Reset makes the barrier as new, a broken one too. Those who wait get ErrBroken, except for those
// who have come while an earlier party was still leaving; who comes from now on waits for the next
// party. From any goroutine; it does not suspend.
func (b *Barrier) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inside > 0 {
		b.move(barrierResetting)
	} else {
		b.move(barrierFilling)
	}
}

// These are called with mu held.

func (b *Barrier) isShut() bool {
	return b.state == barrierDraining || b.state == barrierResetting
}

func (b *Barrier) isFilling() bool { return b.state == barrierFilling }

// mustWait reports whether who arrives now has to wait.
func (b *Barrier) mustWait() bool {
	return b.isShut() || b.isFilling() && b.inside+1 < b.parties
}

// move changes the state and has all look again.
func (b *Barrier) move(to barrierState) {
	if invariant.Enabled {
		legal := true
		switch to {
		case barrierFilling:
			legal = b.inside == 0
		case barrierDraining:
			legal = b.state == barrierFilling && b.inside == b.parties
		case barrierResetting:
			legal = b.inside > 0
		}
		invariant.Check(legal, "a barrier's state moves as written above its type")
	}
	b.state = to
	b.waiters.notifyAll()
}

// enter counts in a party that has arrived at a filling barrier, and gives it an index.
func (b *Barrier) enter() (index int) {
	if len(b.back) > 0 {
		index, b.back = b.back[0], b.back[1:]
	} else {
		index = b.arrived
		b.arrived++
	}
	b.inside++
	if b.inside == b.parties {
		b.move(barrierDraining)
	}
	return index
}

// leave counts out who has that index.
func (b *Barrier) leave(index int) {
	b.inside--
	switch {
	case b.inside == 0:
		b.arrived, b.back = 0, nil
		if b.isShut() {
			b.move(barrierFilling)
		}
	case b.isFilling(): // cancelled
		at, _ := slices.BinarySearch(b.back, index)
		b.back = slices.Insert(b.back, at, index)
	}
}

// waiterFor is the caller's waiter. It lets go of mu meanwhile, and must: it may not return.
func (b *Barrier) waiterFor(ctx context.Context) (*waiter, error) {
	b.mu.Unlock()
	defer b.mu.Lock()
	return waiterFor(ctx)
}

// wait waits while blocked holds; it lets go of mu meanwhile.
func (b *Barrier) wait(ctx context.Context, w *waiter, blocked func() bool) error {
	for blocked() {
		w.begin(ctx, onBarrier)
		b.waiters.push(&w.node)
		b.mu.Unlock()
		err := w.park(ctx)
		b.mu.Lock()
		if err != nil {
			b.waiters.remove(&w.node)
			b.waiters.notifyFirst() // as Cond.Wait does, on which CPython builds this
			return err
		}
	}
	return nil
}
