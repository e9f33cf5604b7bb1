package aio

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// Who holds a loop's Clock besides the loop: its calls on executors, while they work. A call that
// waits for something of aio's (a sleep, a task of the loop, a queue) does not, or the time that it
// waits for would never come. Without a clock nothing of this happens.

// outside is a loop's hold on its clock for its calls: one for all of them.
type outside struct {
	mu   sync.Mutex
	n    int  // guarded by mu; calls that work
	over bool // guarded by mu; the loop no longer waits for them
}

// workBegins holds the clock for a call.
func (l *Loop) workBegins() {
	o := &l.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n++; o.n == 1 && !o.over {
		l.clock.Hold()
	}
}

// workEnds undoes workBegins.
func (l *Loop) workEnds() {
	o := &l.outside
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n--; o.n == 0 && !o.over {
		l.clock.Release()
	}
}

// leaveClock lets go of the clock when the loop has closed. A call that was abandoned holds up
// nobody else.
func (l *Loop) leaveClock() {
	if l.clock == nil {
		return
	}
	o := &l.outside
	o.mu.Lock()
	if o.n > 0 && !o.over {
		l.clock.Release()
	}
	o.over = true
	o.mu.Unlock()
	l.callers.resume()
	l.leaveForeign()
	l.clock.Release()
}

// callWork is whether a call works. It does from when it is accepted, or is run if that is seen
// first; not while it waits for room.
//
//	not yet -> working (accepted, run) -> worked (over)
//	not yet -> worked (run, in a task: that has the loop's own hold)
type callWork struct {
	state  atomic.Uint32
	inPool bool // immutable once submitted; a Pool's worker runs it
}

const (
	workNotYet uint32 = iota
	working
	worked
)

// accepted is called when an executor has taken the call.
func (w *callWork) accepted(l *Loop) {
	if l != nil && l.clock != nil && w.state.CompareAndSwap(workNotYet, working) {
		l.workBegins()
	}
}

// run is called by the goroutine that runs the call, and over when it has.
func (w *callWork) run(l *Loop) (over func()) {
	if l == nil || l.clock == nil {
		return func() {}
	}
	g := goid.Get()
	if runnerOf(g) != nil {
		w.state.CompareAndSwap(workNotYet, worked)
	}
	w.accepted(l)
	c := enterCall(g, l)
	return func() {
		works := w.state.Swap(worked) == working
		if w.inPool && works {
			c.over = true // but the worker is not free yet
			return
		}
		c.leave(g)
		if works {
			l.workEnds()
		}
	}
}

// caller is the work of a goroutine that runs a call on an executor, or a call within a call.
type caller struct {
	loop  *Loop // that has a clock
	outer *caller
	over  bool // only for the goroutine itself: endOfCall is to come
}

// callers are the goroutines that run calls of loops with a clock, by goid.
var callers struct {
	n  atomic.Int64 // of the map: mostly there are none, and nobody need lock
	mu sync.Mutex
	of map[uintptr]*caller // guarded by mu
}

// enterCall makes g, which is the calling goroutine, known as one that runs a call of l, until
// leave.
func enterCall(g uintptr, l *Loop) *caller {
	callers.mu.Lock()
	defer callers.mu.Unlock()
	if callers.of == nil {
		callers.of = make(map[uintptr]*caller)
	}
	c := &caller{loop: l, outer: callers.of[g]}
	callers.of[g] = c
	callers.n.Store(int64(len(callers.of)))
	return c
}

func (c *caller) leave(g uintptr) {
	callers.mu.Lock()
	defer callers.mu.Unlock()
	if c.outer != nil {
		callers.of[g] = c.outer
	} else {
		delete(callers.of, g)
	}
	callers.n.Store(int64(len(callers.of)))
}

// endOfCall is the end of a call in a Pool: when its worker is free again, and whoever waits for that
// knows. Otherwise time could pass while they wait.
func endOfCall() {
	if callers.n.Load() == 0 {
		return
	}
	g := goid.Get()
	if c := callerOf(g); c != nil && c.over {
		c.leave(g)
		c.loop.workEnds()
	}
}

// callerOf is what the goroutine g, which must be the calling one, works for; nil if nothing holds a
// clock for it.
func callerOf(g uintptr) *caller {
	if callers.n.Load() == 0 {
		return nil
	}
	callers.mu.Lock()
	defer callers.mu.Unlock()
	return callers.of[g]
}

// waits is pause for a wait under ctx, which is over when it returned.
func (c *caller) waits(ctx context.Context, w *waiter) (over func()) {
	over = func() {}
	if done := ctx.Done(); done != nil && endsWith(ctx) == nil {
		word := w.word.Load()
		over = c.loop.watchForeign(done, func() { w.finish(word, waitGone) })
	}
	c.pause()
	return over
}

// pause lets go of the clocks while the goroutine waits; on nil it does nothing.
func (c *caller) pause() {
	for ; c != nil; c = c.outer {
		c.loop.workEnds()
	}
}

// resume undoes pause. Whoever ends the wait calls it, before the goroutine runs: otherwise time
// might pass in between.
func (c *caller) resume() {
	for ; c != nil; c = c.outer {
		c.loop.workBegins()
	}
}

// bell wakes a goroutine that waits.
type bell struct {
	c       chan struct{} // room for one
	callers *caller       // immutable
}

func (b *bell) ring() {
	b.callers.resume()
	b.c <- struct{}{}
}

// blocked is a waiter of a goroutine.
type blocked struct {
	waiter
	bell
}

func newBlocked() *waiter {
	b := &blocked{bell: bell{make(chan struct{}, 1), callerOf(goid.Get())}}
	b.waiter.wake = &b.bell
	b.waiter.owner = &b.waiter
	return &b.waiter
}

// sleepOnClock is Sleep for a goroutine: it takes part in the clock's time as a loop does, whether
// or not the loop has closed.
func (l *Loop) sleepOnClock(ctx context.Context, d time.Duration) {
	l.clock.Hold()
	defer l.clock.Release()
	c := callerOf(goid.Get())
	c.pause()
	defer c.resume()
	l.clock.Wait(ctx.Done(), l.clock.Now().Add(d))
}
