package aio

import (
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio/internal/invariant"
)

// Handle is one scheduled callback: a small value, so that scheduling need not allocate. The zero
// value is of no callback.
type Handle struct {
	slot *slot
	word uint64 // of the slot while the callback is pending
	err  error
}

// slot holds a scheduled callback, or the wake-up of a sleeping task, and is used again after it. A
// Handle names a slot and a generation.
//
//	free -> pending (arm) -> free, a generation later (run)
//	                      -> cancelled (Cancel) -> free, a generation later (recycle, when it comes up)
//
// A pending or cancelled slot stands in exactly one place: the ready queue, the inbox or the timer
// queue. What it holds belongs to the loop.
type slot struct {
	word   atomic.Uint64 // generation, timer, state
	loop   *Loop         // immutable
	fn     func()        // loop only, as task and next, once armed
	task   *task         // instead of fn: it sleeps until this is run
	next   *slot         // in a pool
	remote bool          // immutable; from the inbox's pool
}

const (
	slotFree uint64 = iota
	slotPending
	slotCancelled

	slotState    = 3      // mask
	slotTimer    = 1 << 2 // armed with a deadline
	slotOutlives = 1 << 3 // to be called even if the loop closes before
	slotGen      = 1 << 4 // one generation
)

// slotPool is a stack of free slots.
type slotPool struct {
	free  *slot
	spent *slot // in the loop's pool: free slots that belong to the inbox's
}

const slotChunk = 64

func (p *slotPool) get(l *Loop, remote bool) *slot {
	if p.free == nil {
		chunk := make([]slot, slotChunk)
		for i := range chunk {
			s := &chunk[i]
			s.loop, s.remote, s.next = l, remote, p.free
			p.free = s
		}
	}
	s := p.free
	p.free = s.next
	s.next = nil
	return s
}

// put takes a free slot back, into the loop's pool.
func (p *slotPool) put(s *slot) {
	list := &p.free
	if s.remote {
		list = &p.spent
	}
	s.next = *list
	*list = s
}

// takeBack moves the inbox's slots from the loop's pool back to p, the inbox's. Called with the
// inbox's mu held, on the loop.
func (p *slotPool) takeBack(of *slotPool) {
	for s := of.spent; s != nil; {
		next := s.next
		s.next = p.free
		p.free = s
		s = next
	}
	of.spent = nil
}

// arm makes a free slot pending and returns its handle. kind is 0, or slotTimer with or without
// slotOutlives.
func (s *slot) arm(fn func(), t *task, kind uint64) Handle {
	invariant.Check(s.word.Load()&slotState == slotFree, "a slot is armed when it is free")
	s.fn, s.task = fn, t
	word := s.word.Load()&^(slotGen-1) | kind | slotPending
	s.word.Store(word)
	return Handle{slot: s, word: word}
}

// run implements runnable.
func (s *slot) run() {
	word := s.word.Load()
	if word&slotState != slotPending || !s.word.CompareAndSwap(word, word&^slotState+slotGen) {
		s.recycle()
		return
	}
	fn, t := s.fn, s.task
	s.fn, s.task = nil, nil
	l := s.loop
	l.slots.put(s)
	if t != nil {
		t.waiter.notify()
		return
	}
	l.protect(fn)
}

// recycle frees a cancelled slot that has come up.
func (s *slot) recycle() {
	word := s.word.Load()
	invariant.Check(word&slotState == slotCancelled, "only what was cancelled comes up without being called")
	if word&slotTimer != 0 {
		s.loop.cancelled.Add(-1)
	}
	s.fn, s.task = nil, nil
	s.word.Store(word&^slotState + slotGen)
	s.loop.slots.put(s)
}

// Cancel keeps the callback from being called; it reports whether it did: false if the callback was
// called already, is being called, was cancelled before, or was never accepted. From any goroutine;
// it does not suspend.
func (h Handle) Cancel() bool {
	s := h.slot
	if s == nil || !s.word.CompareAndSwap(h.word, h.word&^slotState|slotCancelled) {
		return false
	}
	l := s.loop
	if h.word&slotTimer != 0 {
		l.cancelled.Add(1)
	}
	if l.onLoop() { // elsewhere the loop may have freed the slot by now
		s.fn = nil
	}
	return true
}

// Err is ErrClosed if the loop had closed and refused the callback, which Hooks.Unhandled was told
// too; otherwise nil.
func (h Handle) Err() error { return h.err }

// CallSoon has fn called on the loop, once, after what is ready now: asyncio's call_soon and
// call_soon_threadsafe in one. From any goroutine; it does not suspend. fn runs outside any task:
// in it, waiting is ErrWouldDeadlock (start a task with Go), and a panic goes to Hooks.Unhandled.
// On a closed loop, and from one whose grace period is over, the handle's Err is ErrClosed.
func (l *Loop) CallSoon(fn func()) Handle {
	mustCall(fn)
	if l.onLoop() {
		if l.closing.hard {
			return l.refused() // callbacks that call themselves soon would keep the loop from ending
		}
		s := l.slots.get(l, false)
		h := s.arm(fn, nil, 0)
		l.ready.push(s)
		return h
	}
	b := &l.inbox
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return l.refused()
	}
	s := b.slots.get(l, true)
	h := s.arm(fn, nil, 0)
	b.add(s)
	return h
}

// CallLater has fn called on the loop once d has passed: by deadline, equal ones in the order they
// were armed. A d of zero or less is due at once, in the next iteration. Everything else is as in
// CallSoon. Timers that are not due when the loop closes are dropped.
func (l *Loop) CallLater(d time.Duration, fn func()) Handle {
	return l.callAt(l.after(d), fn)
}

// CallAt is CallLater for a point in time on the loop's clock, see Now. One that is more than 292
// years after the loop's beginning does not come.
func (l *Loop) CallAt(t time.Time, fn func()) Handle {
	return l.callAt(int64(t.Sub(l.start0)), fn)
}

func (l *Loop) callAt(when int64, fn func()) Handle {
	mustCall(fn)
	if l.onLoop() && l.closing.hard {
		return l.refused()
	}
	h, accepted := l.arm(when, fn, slotTimer)
	if !accepted {
		return l.refused()
	}
	return h
}

// arm is callAt without the report of a refusal.
func (l *Loop) arm(when int64, fn func(), kind uint64) (h Handle, accepted bool) {
	if l.onLoop() {
		s := l.slots.get(l, false)
		h = s.arm(fn, nil, kind)
		l.timers.Push(when, s)
		return h, true
	}
	b := &l.inbox
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return Handle{}, false
	}
	s := b.slots.get(l, true)
	h = s.arm(fn, nil, kind)
	b.add(&remoteTimer{s, when})
	return h, true
}

// remoteTimer is a timer on its way to the loop.
type remoteTimer struct {
	slot *slot
	when int64
}

// run implements runnable.
func (r *remoteTimer) run() { r.slot.loop.timers.Push(r.when, r.slot) }

// refused tells of a callback that came too late.
func (l *Loop) refused() Handle {
	l.report(Failure{Err: ErrClosed})
	return Handle{err: ErrClosed}
}

func mustCall(fn func()) {
	if fn == nil {
		panic("aio: a callback needs a function, got nil")
	}
}
