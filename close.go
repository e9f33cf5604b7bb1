package aio

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"
)

// closing is how far a loop's end has come: wanted -> begun -> hard (the grace period is over) ->
// the inbox is closed -> settled.
type closing struct {
	wanted bool  // by the end of the iteration
	begun  bool  // tasks are cancelled
	hard   bool  // what is left is no longer waited for
	over   bool  // wrapUp was here
	at     int64 // when it began; what was due by then is still called

	realGrace *time.Timer // with a clock
}

// Close ends the loop. It cancels all tasks, with the cause ErrClosed, and lets them run to
// completion, deferred calls and awaiting clean-up included; it waits for the calls that they made
// on executors, and returns when the loop has ended. It is idempotent, and waits for a concurrent
// Close.
//
// After the grace period (see [WithGrace]; [WithClock] says by which clock) a task that still waits
// is resumed with an error and ended at its next wait, and the log is warned, see [WithLogger], with
// what it waited for; a call, or a step that never ends, is abandoned and named in a *StuckError.
// Failures that nobody took are reported to Hooks.Unhandled before Close returns. Timers that are
// not due are dropped. What its own tasks start meanwhile, under a context that has not ended, runs:
// clean-up may need it. A task that another goroutine starts is Cancelled, with the cause ErrClosed,
// and never runs: others could keep the loop from ending.
//
// It suspends a task of another loop and blocks any other goroutine. From the loop's own tasks and
// callbacks it starts closing and returns ErrWouldDeadlock.
func (l *Loop) Close() error {
	if l.onLoop() {
		l.closing.wanted = true
		return ErrWouldDeadlock
	}
	l.post(closeRequest{l})
	err := l.settled.waitFor(l.grace)
	if errors.Is(err, context.DeadlineExceeded) {
		return l.waitWhileMoving()
	}
	if err != nil {
		return err
	}
	return l.settled.failedWith()
}

// waitWhileMoving is Close after the grace period: the loop is ending its tasks now, unless a step
// holds it.
func (l *Loop) waitWhileMoving() error {
	for {
		var turn core // settled in the loop's next iteration
		if !l.post(&firstTurn{turn: &turn}) {
			break // its last iteration is over
		}
		err := turn.waitFor(stillFor)
		if errors.Is(err, context.DeadlineExceeded) {
			return l.stuck()
		}
		if err == nil { // it moves, and may have begun its grace period later than this Close
			err = l.settled.waitFor(stillFor)
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
	if err := l.settled.wait(context.Background()); err != nil {
		return err
	}
	return l.settled.failedWith()
}

// stillFor is how long one iteration may take after the grace period before it counts as stuck.
const stillFor = 100 * time.Millisecond

// waitFor is wait for no longer than d, in real time.
func (c *core) waitFor(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return c.wait(ctx)
}

type firstTurn struct{ turn *core }

func (f *firstTurn) run() { f.turn.settle(Finished, nil) }

// stuck names what keeps the loop from closing.
func (l *Loop) stuck() *StuckError {
	return &StuckError{Calls: int(l.calls.Load()), Tasks: l.tasksAside()}
}

// Shutdown waits until the loop has no tasks, and closes it. When ctx ends first, it closes the
// loop with what still runs, as Close does, and returns ctx's error joined to Close's. It suspends
// a task of another loop and blocks any other goroutine. From the loop's own tasks and callbacks it
// returns ErrWouldDeadlock.
func (l *Loop) Shutdown(ctx context.Context) error {
	if l.onLoop() {
		return ErrWouldDeadlock
	}
	err := l.tasks.waitNone(ctx)
	if errors.Is(err, ErrWouldDeadlock) {
		return err
	}
	return errors.Join(err, l.Close())
}

// Done is closed when the loop has closed. From any goroutine; it does not suspend.
func (l *Loop) Done() <-chan struct{} { return l.settled.Done() }

// closeRequest is Close from another goroutine.
type closeRequest struct{ loop *Loop }

func (c closeRequest) run() { c.loop.closing.wanted = true }

// beginClose cancels everything.
func (l *Loop) beginClose() {
	l.closing.wanted = false
	if l.closing.begun {
		return
	}
	l.closing.begun = true
	l.closing.at = l.now()
	l.winds.Store(true) // before it is looked which tasks there are
	l.root.end(endedCancelled, ErrClosed)
	for _, t := range l.tasks.all() {
		t.ctx.end(endedCancelled, ErrClosed)
	}
	for _, s := range l.callsOut.all() {
		s.end(endedCancelled, ErrClosed)
	}
	l.callAt(l.after(l.grace), l.endHard)
	l.realGrace()
}

// endHard ends the grace period.
func (l *Loop) endHard() {
	l.closing.hard = true
	left := l.tasksHere() // while they wait
	for _, t := range l.tasks.all() {
		t.killed = true
		t.waiter.end()
	}
	l.warnKilled(left)
}

// maxKilledWarnings is how many tasks that did not end in the grace period are named.
const maxKilledWarnings = 100

// warnKilled tells of tasks that did not end in the grace period: asyncio's "Task was destroyed but
// it is pending", which also is not for debug mode only. Their clean-up is cut off, and nothing else
// would show it: Close has left nothing behind, and Run returns what main did.
func (l *Loop) warnKilled(left []TaskInfo) {
	const what = "aio: a task was destroyed while it was pending: it did not end in the grace period of Close; for a longer one, WithGrace"
	for i, t := range left {
		if i == maxKilledWarnings {
			l.warn(what, slog.Int("and so many more tasks", len(left)-i), slog.Duration("grace", l.grace))
			return
		}
		attrs := []slog.Attr{slog.String("task", t.Name), slog.Duration("grace", l.grace), slog.String("state", t.State)}
		on, _, _ := strings.Cut(t.On, createdAt)
		if on = strings.TrimSuffix(on, "; "); on != "" {
			attrs = append(attrs, slog.String("on", on))
		}
		l.protect(func() { l.warn(what, append(attrs, createdAttr(t)...)...) }) // a logger may panic
	}
}

// finished reports whether the loop may end, and if so closes the inbox.
func (l *Loop) finished() bool {
	if !l.closing.begun || l.tasks.len() > 0 || l.calls.Load() > 0 && !l.closing.hard {
		return false
	}
	l.inbox.mu.Lock()
	defer l.inbox.mu.Unlock()
	if len(l.inbox.posts) > 0 {
		return false
	}
	l.inbox.closed = true
	l.inbox.seen = glance{iterations: l.iterations} // timers that are left are dropped
	return true
}

// wrapUp releases what the loop holds, once, after run. Its error is a *StuckError.
func (l *Loop) wrapUp() error {
	if l.closing.over {
		return nil
	}
	l.closing.over = true
	l.watch.stop()
	l.closeSignals()
	l.closeDescriptors()
	l.forget(l.last)
	defer l.leaveClock() // at the very end: others may have to be told of ours first
	l.g.Store(0)         // from here on, what is handed to the loop is refused
	for _, w := range l.idle {
		w.co.Stop()
	}
	l.idle = nil
	if t := l.closing.realGrace; t != nil {
		t.Stop()
	}
	var stuck error
	if n := int(l.calls.Load()); n > 0 && l.closing.hard {
		stuck = &StuckError{Calls: n}
	}
	l.closeExecutor(stuck == nil)
	l.handOverTimeouts()
	defer l.settled.settle(Finished, stuck) // also if a hook ends this goroutine
	l.reportFailures()
	return stuck
}
