package aio

import (
	"context"
	"runtime"
	"time"
)

// Sleep waits for d, in a task on the clock of its loop, in any other goroutine on that of ctx's
// loop, also when that loop has closed; without a loop it is the machine's. It suspends a task,
// always, also when ctx has ended: then once, as Yield does, so that a loop which ignores errors
// starves nobody. It blocks any other goroutine. d <= 0 is [Yield].
//
// It returns ctx's error if ctx ended, and nil otherwise. In a callback it is ErrWouldDeadlock.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return Yield(ctx)
	}
	t, err := running(ctx)
	if err != nil {
		return err
	}
	if t == nil {
		return sleepGoroutine(ctx, d)
	}
	t.checkpoint()
	if ended(ctx) != nil {
		return t.yield(ctx)
	}
	l := t.ctx.loop
	s := l.slots.get(l, false)
	w := &t.waiter
	w.begin(ctx, onSleep)
	h := s.arm(nil, t, slotTimer)
	l.timers.Push(l.after(d), s)
	err = w.park(ctx)
	if !w.notified() {
		h.Cancel()
	}
	return err
}

func sleepGoroutine(ctx context.Context, d time.Duration) error {
	if err := ended(ctx); err != nil {
		return err
	}
	if s := scopeOf(ctx); s != nil && s.loop.clock != nil {
		s.loop.sleepOnClock(ctx, d)
		return ended(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// Yield lets everything run that is ready now: asyncio.sleep(0). It suspends a task, always; any
// other goroutine it has the scheduler of Go let others run. It returns ctx's error if ctx has
// ended. In a callback it is ErrWouldDeadlock.
func Yield(ctx context.Context) error {
	t, err := running(ctx)
	if err != nil {
		return err
	}
	if t == nil {
		runtime.Gosched()
		return ended(ctx)
	}
	t.checkpoint()
	return t.yield(ctx)
}

func (t *task) yield(ctx context.Context) error {
	t.ctx.loop.ready.push(t)
	t.suspend()
	return t.interrupted(ctx)
}

// WithTimeout is context.WithTimeout on the clock of ctx's loop, without a goroutine or a runtime
// timer of its own; without a loop in ctx it is context.WithTimeout. The context ends with
// context.DeadlineExceeded. Call cancel when done with it: until then, or until the deadline, it is
// held by its parent. From any goroutine; it does not suspend.
//
// The context's Deadline is a time on the loop's clock. With [WithClock] that misleads whoever
// compares it with time.Now, package context included: on a clock that shows a time long past, its
// WithTimeout takes this deadline for the nearer one and sets no timer of its own. The end of the
// context is right in any case.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	parent := scopeOf(ctx)
	if parent == nil {
		return context.WithTimeout(ctx, d)
	}
	l := parent.loop
	s := &scope{parent: ctx, loop: l, group: parent.joins()}
	deadline := l.Now().Add(d)
	s.more = &scopeMore{deadline: deadline}
	s.link()
	if d <= 0 {
		s.endAndRelease(endedDeadline, context.DeadlineExceeded)
		return s, func() {}
	}
	timer, accepted := l.arm(l.after(d), func() { s.endAndRelease(endedDeadline, context.DeadlineExceeded) }, slotTimer|slotOutlives)
	stop := timer.Cancel
	if !accepted { // the loop has closed
		stop = time.AfterFunc(d, func() { s.endAndRelease(endedDeadline, context.DeadlineExceeded) }).Stop
	}
	return s, func() {
		stop()
		s.endAndRelease(endedCancelled, nil)
	}
}

// handOverTimeouts gives the deadlines of WithTimeout that the closed loop leaves behind to the
// runtime: somebody may still wait under such a context.
func (l *Loop) handOverTimeouts() {
	for l.timers.Len() > 0 {
		when, _ := l.timers.Next()
		s := l.timers.Pop()
		word, fn := s.word.Load(), s.fn
		s.fn = nil // whoever keeps the closed loop does not keep what its timers hold
		if word&slotOutlives == 0 || word&slotState != slotPending {
			continue
		}
		time.AfterFunc(time.Duration(when-l.now()), func() {
			if s.word.CompareAndSwap(word&^slotState|slotPending, word&^slotState+slotGen) {
				fn()
			}
		})
	}
}
