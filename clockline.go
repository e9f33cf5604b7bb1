package aio

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// line is a Pool or Thread as clocks see it: its workers, and the calls that it has accepted and
// nobody runs yet. These hold their loops' clocks, or time could pass before they begin; but not
// while every worker waits for something of aio's, which may be just that time.
//
// Calls that are accepted by a worker that is free come by here, too: one worker does not wait then.
// A worker that runs what has nothing to do with a loop that has a clock counts as one that works.
type line struct {
	workers int // immutable; at most
	crew    crew
	mu      sync.Mutex
	waiting int           // guarded by mu; workers. Below zero for a moment: resume may come before pause
	calls   map[*Loop]int // guarded by mu; how many. Those of a loop have one hold
}

// holds reports whether the calls in the line hold their clocks. Called with mu held.
func (n *line) holds() bool { return n.waiting < n.workers }

// join adds a call of l, unless it has begun.
func (n *line) join(w *callWork, l *Loop) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !w.state.CompareAndSwap(workNotYet, inLine) {
		return
	}
	if n.calls == nil {
		n.calls = make(map[*Loop]int)
	}
	if n.calls[l]++; n.calls[l] == 1 && n.holds() {
		l.workBegins()
	}
}

// begin takes a call out that begins, if it was in: it holds the clock by itself now.
func (n *line) begin(w *callWork, l *Loop) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l.workBegins()
	if w.state.Swap(working) != inLine {
		return
	}
	if n.calls[l]--; n.calls[l] == 0 {
		delete(n.calls, l)
		if n.holds() {
			l.letGo()
		}
	}
}

// isBehindCaller reports whether no call of the line can begin while the caller waits.
func (n *line) isBehindCaller() bool { return n.workers == 1 && n.crew.isBelow() }

// pause and resume are a worker's, as a caller's are. On nil they do nothing.
func (n *line) pause() {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting++; n.waiting != n.workers {
		return
	}
	for l := range n.calls {
		l.letGo()
	}
}

func (n *line) resume() {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting--; n.waiting != n.workers-1 {
		return
	}
	for l := range n.calls {
		l.workBegins()
	}
}

// clocksInUse is whether any loop has had a clock: without, nobody need ask which loop is whose.
var clocksInUse atomic.Bool

// aside is call, which was handed over by a bare Submit under ctx: it holds no clock, but its waits
// are the worker's.
func (n *line) aside(ctx context.Context, call func()) func() {
	if !clocksInUse.Load() {
		return call
	}
	s := scopeOf(ctx)
	if s == nil || s.loop.clock == nil {
		return call
	}
	return func() {
		g := goid.Get()
		c := enterCall(g, s.loop, n)
		c.aside = true
		defer c.leave(g)
		call()
	}
}
