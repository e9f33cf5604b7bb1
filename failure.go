package aio

import (
	"bytes"
	"runtime"
	"sync"
	"sync/atomic"
)

// failure is an error that a task or a call ended with and that nobody has taken. It is reported
// when nobody can reach the future any more, or when the loop closes, whichever comes first. It
// holds nothing of the future but what the report needs, so that it does not keep it alive; and
// nothing at all once it is settled: what the loop's hooks know may well lead to the future, and
// the runtime holds a failure until the future is gone.
type failure struct{ open atomic.Pointer[report] } // nil: taken, or reported

type report struct {
	loop   *Loop
	what   Failure
	unread bool // no failure, but a value that nobody asked for: for debug mode
}

// failures are those that may still be reported.
type failures struct {
	mu   sync.Mutex
	open []*failure // guarded by mu; oldest first, some settled
	left int        // guarded by mu; not settled
	over bool       // guarded by mu; the loop has closed
}

// noteFailure has the failure of c reported unless somebody takes it. future is what holds c: when
// that can't be reached any more, nobody will.
func noteFailure[F any](l *Loop, future *F, c *core, info TaskInfo) {
	noteOutcome(l, future, c, report{what: Failure{Task: info, Err: c.failedWith()}})
}

// noteOutcome is the part of noteFailure that a forgotten value shares.
func noteOutcome[F any](l *Loop, future *F, c *core, what report) {
	what.loop = l
	r := new(failure)
	r.open.Store(&what)
	c.mu.Lock()
	if c.taken.Load() || c.more.failure != nil {
		c.mu.Unlock()
		return
	}
	c.more.failure = r
	c.mu.Unlock()
	if !l.failures.add(r) && l.bubbled {
		r.run() // the loop has closed, and reported the others
		return
	}
	if !l.bubbled { // a cleanup runs outside of every synctest bubble, and may not wake a loop in one
		runtime.AddCleanup(future, (*failure).dropped, r)
	}
}

// noteFailure implements reporter.
func (t *Task[T]) noteFailure() {
	noteFailure(t.task.ctx.loop, t, &t.core, t.task.info())
}

// add notes r; it reports false when the loop has closed.
func (f *failures) add(r *failure) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return false
	}
	if len(f.open) > 64 && f.left < len(f.open)/2 {
		kept := f.open[:0]
		for _, r := range f.open {
			if r.open.Load() != nil {
				kept = append(kept, r)
			}
		}
		clear(f.open[len(kept):])
		f.open = kept
	}
	f.open = append(f.open, r)
	f.left++
	return true
}

// settle makes r taken or reported; it returns what there is to report, nil if that was before.
func (r *failure) settle() *report {
	open := r.open.Swap(nil)
	if open != nil {
		open.loop.failures.mu.Lock()
		open.loop.failures.left-- // of one that a closed loop did not note, too: nobody counts any more
		open.loop.failures.mu.Unlock()
	}
	return open
}

// dropped is called by the garbage collector when nobody can reach the future any more.
func (r *failure) dropped() {
	if open := r.open.Load(); open != nil && !open.loop.schedule(r) {
		r.run() // the loop has closed
	}
}

// run implements runnable: the report on the loop.
func (r *failure) run() {
	open := r.settle()
	switch {
	case open == nil:
	case open.unread:
		open.loop.warnUnread(open.what.Task)
	default:
		open.loop.report(open.what)
	}
}

// reportFailures reports what is left, oldest first, when the loop closes. A hook that ends this
// goroutine (testing.T.Fatal) keeps none from being reported.
func (l *Loop) reportFailures() {
	l.failures.mu.Lock()
	l.failures.over = true
	left := l.failures.open
	l.failures.open = nil
	l.failures.mu.Unlock()
	reportAll(left)
}

func reportAll(left []*failure) {
	for i, r := range left {
		reported := false
		func() {
			defer func() {
				if !reported {
					reportAll(left[i+1:])
				}
			}()
			r.run()
			reported = true
		}()
	}
}

// inBubble reports whether the calling goroutine is in a testing/synctest bubble. The header of its
// stack says so.
func inBubble() bool {
	var buf [128]byte
	header, _, _ := bytes.Cut(buf[:runtime.Stack(buf[:], false)], []byte("\n"))
	return bytes.Contains(header, []byte("synctest bubble"))
}
