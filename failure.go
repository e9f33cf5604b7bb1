package aio

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// failure is an error that a task ended with and that nobody has taken. It is reported when nobody can reach the task any more, or when the loop
// closes, whichever comes first. It holds nothing of the task but what the report needs, so that it does not keep the task alive.
type failure struct {
	loop    *Loop
	what    Failure
	settled atomic.Bool // taken, or reported
}

// failures are those that may still be reported.
type failures struct {
	mu   sync.Mutex
	open map[*failure]struct{} // guarded by mu
}

// noteFailure is called on the loop for a task that has failed, if nobody is to be given its error.
func (l *Loop) noteFailure(t *task, err error) {
	r := &failure{loop: l, what: Failure{Task: t.info(), Err: err}}
	l.failures.mu.Lock()
	if l.failures.open == nil {
		l.failures.open = make(map[*failure]struct{})
	}
	l.failures.open[r] = struct{}{}
	l.failures.mu.Unlock()
	t.body().noteFailure(r)
}

// noteFailure implements taskBody.
func (t *Task[T]) noteFailure(r *failure) {
	t.mu.Lock()
	t.more.failure = r
	t.mu.Unlock()
	if t.wasTaken() {
		r.take()
		return
	}
	runtime.AddCleanup(t, (*failure).dropped, r)
}

// take settles r because somebody was given the error.
func (r *failure) take() {
	if r.settled.CompareAndSwap(false, true) {
		r.forget()
	}
}

func (r *failure) forget() {
	r.loop.failures.mu.Lock()
	delete(r.loop.failures.open, r)
	r.loop.failures.mu.Unlock()
}

// dropped is called by the garbage collector when nobody can reach the task any more.
func (r *failure) dropped() {
	if !r.settled.Load() && !r.loop.schedule(r) {
		r.run() // of a task that a closed loop refused
	}
}

// run implements runnable: the report on the loop.
func (r *failure) run() {
	if r.settled.CompareAndSwap(false, true) {
		r.forget()
		r.loop.report(r.what)
	}
}

// reportFailures reports what is left, oldest first, when the loop closes.
func (l *Loop) reportFailures() {
	l.failures.mu.Lock()
	left := make([]*failure, 0, len(l.failures.open))
	for r := range l.failures.open {
		left = append(left, r)
	}
	l.failures.mu.Unlock()
	sortFailures(left)
	for _, r := range left {
		r.run()
	}
}
