package aio

import (
	"runtime/debug"
	"time"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// run is the loop, on its goroutine, until it has closed.
//
// A panic in a callback stops at protect. What runtime.Goexit in a callback would do to the loop is
// put off: another goroutine goes on with the loop, or, where it can't have another (in Run, and on
// a thread), this one does while it unwinds, and ends when the loop has. Each time it then takes
// 800 bytes of stack that it never gives back, until that overflows.
func (l *Loop) run() {
	l.g.Store(goid.Get())
	l.watch.work()
	over := false
	defer func() {
		if over {
			return
		}
		if v := recover(); v != nil {
			panic(v) // a hook's, which is not ours to catch
		}
		if l.moving = l.moves; !l.moving {
			defer l.run() // also if the hook goes as well
		}
		if l.interrupted != nil {
			l.ready.push(l.interrupted)
			l.interrupted = nil
		} else {
			l.report(Failure{Err: ErrGoexit})
		}
	}()
	for l.iterate() {
	}
	over = true
}

// iterate is one iteration of the loop. It reports false when the loop has closed.
//
//  1. Take over what other goroutines posted.
//  2. If nothing is ready, park until something is posted, a descriptor is ready or the next timer
//     is due. Append whoever waits for descriptors that are ready to the ready queue.
//  3. Append the timers that are due, by deadline.
//  4. Run what was ready when this step began. What becomes ready meanwhile has its turn in the next iteration.
//
// A task or coroutine that drives may have begun the iteration, and done some of it: see drive.
func (l *Loop) iterate() bool {
	if l.left == 0 {
		closes := l.closing.wanted
		if closes {
			l.beginClose()
		}
		l.collect()
		if l.ready.n == 0 && !l.owesTimer(closes) {
			if l.finished() {
				return false
			}
			if !l.due() {
				l.rest()
			}
		}
		l.beginTurn()
	}
	for l.left > 0 {
		r := l.take()
		if t, ok := r.(*task); ok && t.worker != nil { // by far the most frequent; a call less to return from after the switch
			l.resume(t.worker, nil)
			continue
		}
		r.run()
	}
	return true
}

// rest parks the loop, which has nothing to do.
func (l *Loop) rest() {
	l.ready.shrink()
	l.watch.rest()
	d := l.fds.all.Load()
	if d == nil || !d.park() {
		l.park()
	}
	l.watch.work()
	l.collect()
	if d != nil {
		d.unpark()
	}
}

// beginTurn is the end of step 2, step 3, and the beginning of 4.
func (l *Loop) beginTurn() {
	if d := l.fds.all.Load(); d != nil {
		d.poll()
	}
	l.fire()
	l.iterations++
	l.left = l.ready.n
}

// owesTimer reports whether a timer was due when the loop was closed: that is still called. first is
// for the iteration in which the closing begins.
func (l *Loop) owesTimer(first bool) bool {
	when, ok := l.nextTimer()
	return ok && (when < l.closing.at || first && when <= l.now())
}

// due reports whether a timer is.
func (l *Loop) due() bool {
	when, ok := l.nextTimer()
	return ok && when <= l.now()
}

// nextTimer is the deadline of the first timer that was not cancelled.
func (l *Loop) nextTimer() (when int64, ok bool) {
	if c := l.cancelled.Load(); c > 64 && c > int64(l.timers.Len()/2) {
		l.timers.Compact(l.dropCancelled)
	}
	return l.timers.Next()
}

func (l *Loop) dropCancelled(s *slot) bool {
	if s.word.Load()&slotState != slotCancelled {
		return false
	}
	s.recycle()
	return true
}

// fire appends the timers that are due.
func (l *Loop) fire() {
	if l.timers.Len() == 0 {
		return
	}
	now := l.now()
	for {
		when, ok := l.nextTimer()
		if !ok || when > now {
			return
		}
		if s := l.timers.Pop(); !l.dropCancelled(s) {
			l.ready.push(s)
		}
	}
}

// park waits until something is posted or a timer is due.
func (l *Loop) park() {
	if l.clock != nil {
		l.parkOnClock()
		return
	}
	b := &l.inbox
	when, timed := l.nextTimer()
	b.mu.Lock()
	if len(b.posts) > 0 {
		b.mu.Unlock()
		return
	}
	l.note()
	b.parked = true // and while it is, whoever holds mu may read what is loop only
	b.mu.Unlock()

	if !timed {
		<-b.wake
		return
	}
	d := time.Duration(when - l.now())
	if d > 0 {
		if l.parkTime == nil {
			l.parkTime = time.NewTimer(d)
		} else {
			l.parkTime.Reset(d)
		}
		select {
		case <-b.wake:
			l.parkTime.Stop()
			return
		case <-l.parkTime.C:
		}
	}
	b.mu.Lock()
	sent := !b.parked
	b.parked = false
	b.mu.Unlock()
	if sent { // a wake is in the channel, or about to be
		<-b.wake
	}
}

// recovered is deferred around a user's function on the loop's goroutine.
func (l *Loop) recovered() {
	if v := recover(); v != nil {
		l.report(Failure{Err: &PanicError{Value: v, Stack: debug.Stack()}})
	}
}
