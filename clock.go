package aio

import (
	"math"
	"time"
)

// Clock is a time that loops can go by instead of the machine's: virtual time for tests (package
// aiotest has such a clock, and TestClock, the suite that every Clock must pass), a simulation's
// time, a time that runs faster. Loops that are given the same Clock share it. Its methods may be
// called from any goroutine; only Wait waits, and none may call into a loop.
//
// What a virtual clock must know is when it may jump: when nobody has anything to do at the present
// time. Therefore whoever works holds the clock. A loop does from its beginning to its end, except
// while it is in Wait. A call on an executor does while it is out, except while it waits for
// something of aio's: a sleep, a task, a queue. In the queue of a Pool or Thread it holds the clock
// as long as any call that runs there works; in the queue of an executor of your own it counts as
// one that works. A goroutine that sleeps under a loop's context does not, and it holds the clock
// for no longer than Sleep takes to return. Clocks that run by themselves ignore all that: their
// Hold and Release do nothing.
//
// A loop looks at its descriptors before it waits on its clock. What comes to them from elsewhere,
// another loop with the same clock included, holds nothing: see [Loop.AddReader].
type Clock interface {
	// Now is the present time. It never goes back.
	Now() time.Time

	// Hold keeps a virtual clock where it is until Release. Holds are counted: time stands still
	// while there is one.
	Hold()

	// Release undoes one Hold.
	Release()

	// Wait returns once wake is closed, or the clock has come to until; with the zero time it waits
	// for wake only, which may be nil. It is called by somebody who holds the clock, and who neither
	// holds it while Wait waits nor misses its hold when Wait returns. A wake that is closed shows
	// that there is something to do at the present time: no clock may jump then, also before that
	// Wait has come to return.
	Wait(wake <-chan struct{}, until time.Time)
}

// WithClock has the loop go by c, in all that it does with time: Now, CallLater, CallAt, Sleep,
// WithTimeout, the grace period of Close. nil, the default, is the machine's monotonic clock.
//
// A loop counts 292 years from its beginning, which is what a time.Duration holds. What is due later
// than that is never due, on any clock.
//
// While a loop closes, real time counts for the grace period as well, whichever passes first: a
// virtual clock stands still while a call is out, and one that is moved by hand may never be moved.
// After the loop has closed, what is left of a deadline of WithTimeout passes in real time.
//
// Failures that nobody took are reported when the loop closes, not before: when the garbage
// collector would find them is another matter in each run.
func WithClock(c Clock) Option { return option(func(l *Loop) { l.clock = c }) }

// never is the deadline that does not come.
const never = math.MaxInt64

// useClock is the part of newLoop that is about a clock other than the machine's.
func (l *Loop) useClock() {
	l.clock.Hold() // until wrapUp
	clocksInUse.Store(true)
	l.start0 = l.clock.Now()
	l.bubbled = true
	l.enterForeign()
}

// parkOnClock is park by a clock other than the machine's. A Clock may look at its wake at any time,
// so that is a channel which is closed, and for one wait only.
func (l *Loop) parkOnClock() {
	if l.foreign.look(); l.ready.n > 0 {
		return
	}
	when, timed := l.nextTimer() // before the lock: see Loop.Tasks
	b := &l.inbox
	b.mu.Lock()
	if len(b.posts) > 0 {
		b.mu.Unlock()
		return
	}
	if b.bell == nil {
		b.bell = make(chan struct{})
	}
	bell := b.bell
	l.note()
	b.parked = true
	b.mu.Unlock()

	var until time.Time
	if timed && when != never {
		until = l.start0.Add(time.Duration(when))
	}
	l.clock.Wait(bell, until)

	b.mu.Lock()
	if !b.parked { // closed, or about to be
		b.bell = nil
	}
	b.parked = false
	b.mu.Unlock()
}

// realGrace ends the grace period of Close in real time too.
func (l *Loop) realGrace() {
	if l.clock != nil {
		l.closing.realGrace = time.AfterFunc(l.grace, func() { l.post(graceOver{l}) })
	}
}

type graceOver struct{ loop *Loop }

func (g graceOver) run() {
	if !g.loop.closing.hard {
		g.loop.endHard()
	}
}
