package aio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed8b1f0744/aio"
)

// The tasks of the soak, and what must have become of each.

// soakError is a failure that is meant, and whose.
type soakError struct{ id int64 }

func (e *soakError) Error() string { return fmt.Sprintf("failure of %d, which is meant", e.id) }

var errSoakCause = errors.New("cancelled by the soak")

// soakEnd is how a function ends.
type soakEnd int

const (
	endsWell soakEnd = iota
	endsFailed
	endsPanicked
	endsGone      // by runtime.Goexit
	endsCancelled // with its context's error, if that has ended
	endsBoth      // with that and a failure, joined
	soakEnds
	endsByForce // it did not end by itself
)

// soakWork is a function of a task or a call, and what was seen of it.
type soakWork struct {
	id              int64
	loop            *soakLoop // nil: none
	plan            soakEnd
	do              func(*actor) // nil: anything
	began, returned atomic.Int32
	end             soakEnd // written before returned
	refused         bool    // by a loop that had closed, or by an executor

	mu   sync.Mutex
	seen []soakSight // guarded by mu
}

// soakSight is what somebody got who asked for an outcome. An error may be of the asking itself.
type soakSight struct {
	v   int
	err error
	at  int64
}

func (w *soakWork) saw(a *actor, v int, err error) {
	at := a.clock.Add(1)
	w.mu.Lock()
	w.seen = append(w.seen, soakSight{v, err, at})
	w.mu.Unlock()
}

// sights is all that was seen, also by goroutines that are gone and told nobody so.
func (w *soakWork) sights() []soakSight {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// run is the function; a is whoever runs it.
func (w *soakWork) run(a *actor) (int, error) {
	if w.began.Add(1) > 1 {
		a.t.Errorf("the function of %d runs twice", w.id)
	}
	w.end = endsByForce
	defer func() {
		a.dog.moves.Add(1)
		w.returned.Add(1)
	}()
	if w.do != nil {
		w.do(a)
	} else {
		for range a.random.IntN(4) {
			a.act()
		}
	}
	ctxErr := a.ctx.Err()
	if (w.plan == endsCancelled || w.plan == endsBoth) && ctxErr == nil {
		w.plan = endsWell
	}
	w.end = w.plan
	switch failure := (&soakError{w.id}); w.end {
	case endsFailed:
		return 0, failure
	case endsPanicked:
		panic(failure)
	case endsGone:
		runtime.Goexit()
	case endsCancelled:
		return 0, ctxErr
	case endsBoth:
		return 0, errors.Join(ctxErr, failure)
	}
	return int(w.id), nil
}

// fails reports whether w ended in a way that somebody must hear of.
func (w *soakWork) fails() bool {
	return w.end == endsFailed || w.end == endsPanicked || w.end == endsGone || w.end == endsBoth
}

// hears reports whether err tells of w's failure, and not only of a wait that w's failure has ended.
func (w *soakWork) hears(err error) bool {
	return anyOf(err, func(e error) bool {
		failed, ok := e.(*soakError)
		return ok && failed.id == w.id || w.end == endsGone && e == aio.ErrGoexit || w.refused && e == aio.ErrClosed
	})
}

func anyOf(err error, is func(error) bool) bool {
	if err == nil || isEndedContext(err) {
		return false
	}
	if is(err) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			if anyOf(one, is) {
				return true
			}
		}
		return false
	default:
		return anyOf(errors.Unwrap(err), is)
	}
}

type soakTask struct {
	soakWork
	named bool
	task  *aio.Task[int] // nil: nobody holds it
	group *soakGroup     // that it is a member of
	never bool           // it was started under a context that had ended
}

// spawn starts a task, and does something with it.
func (a *actor) spawn() {
	if a.depth == soakDepth {
		return
	}
	b, done := a.under()
	defer done()
	sheltered := a.random.IntN(4) == 0 // nothing but its own end ends our waiting for it: so it must not wait for the end of our loop
	b.mayClose = b.mayClose && !sheltered
	var l *soakLoop // by Go
	if b.loopOf(b.ctx) == nil || a.random.IntN(2) == 0 {
		l = a.loop()
	}
	w, task := b.start(l, nil)
	if w.task == nil {
		return
	}
	if a.random.IntN(3) == 0 {
		a.onDone(w, &task.Future)
	}
	switch {
	case sheltered:
		w.await(a, context.WithoutCancel(a.ctx), &task.Future)
	case a.random.IntN(3) == 0:
		w.await(a, a.ctx, &task.Future)
	case a.random.IntN(3) == 0:
		ctx, cancel := a.patience()
		defer cancel()
		w.await(a, ctx, &task.Future)
	case a.random.IntN(4) == 0:
		task.Cancel(errSoakCause)
	}
}

// await notes what it got.
func (w *soakWork) await(a *actor, ctx context.Context, f *aio.Future[int]) {
	v, err := f.Await(ctx)
	w.saw(a, v, err)
}

// start starts a task on l, or by Go where that is nil, under a's context.
func (a *actor) start(l *soakLoop, do func(*actor)) (*soakTask, *aio.Task[int]) {
	r := &soakTask{soakWork: soakWork{id: a.ids.Add(1), loop: l, do: do, plan: a.ending()}}
	r.named = r.plan == endsGone || a.random.IntN(8) != 0 // or a report could not tell whose it is
	held := !r.named || a.random.IntN(6) != 0
	r.never = a.ctx.Err() != nil
	var opts []aio.TaskOption
	if r.named {
		opts = append(opts, aio.Named(fmt.Sprintf("soak-%d", r.id)))
	}
	if a.random.IntN(4) == 0 {
		opts = append(opts, aio.Eager())
	}
	child := a.child()
	fn := func(ctx context.Context) (int, error) {
		b := child
		b.ctx, b.home, b.group = ctx, r.loop, nil
		r.loop.step()
		if !aio.InTask() || b.loopOf(ctx) != r.loop {
			b.t.Errorf("task %d runs on another loop, or as no task", r.id)
		}
		b.lend(ctx)
		return r.run(&b)
	}
	var task *aio.Task[int]
	if l == nil {
		r.loop, r.group = a.loopOf(a.ctx), a.group
		a.group.add(r)
		task = aio.Go(a.ctx, fn, opts...)
	} else {
		task = aio.Submit(a.ctx, l.Loop, fn, opts...)
	}
	if task.State() != aio.Pending && r.began.Load() == 0 {
		r.refused = task.State() == aio.Finished
	}
	if held {
		r.task = task
	}
	a.mu.Lock()
	a.tasks = append(a.tasks, r)
	a.mu.Unlock()
	return r, task
}

// lend has others use a task's context.
func (s *soak) lend(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.contexts) < 32 {
		s.contexts = append(s.contexts, ctx)
	} else {
		s.contexts[rand.IntN(32)] = ctx
	}
}

// some is a few tasks that somebody holds; they may still run, or be over.
func (a *actor) some(n int) []*soakTask {
	a.mu.Lock()
	defer a.mu.Unlock()
	var some []*soakTask
	for range n {
		last := a.tasks[max(0, len(a.tasks)-100):]
		if r, ok := pick(a.random, last); ok && r.task != nil {
			some = append(some, r)
		}
	}
	return some
}

// became classes what became of a task.
type became struct{ succeeded, failed, cancelled, refused int }

// auditTask checks the outcome against how the function ended.
func (s *soak) auditTask(r *soakTask, sum *became) {
	began, returned := r.began.Load(), r.returned.Load()
	if began != returned || began > 1 {
		s.t.Errorf("the function of task %d began %d times and ended %d times", r.id, began, returned)
		return
	}
	if r.never && began > 0 {
		s.t.Errorf("task %d was started under an ended context, and ran", r.id)
	}
	if r.task != nil && r.task.State() == aio.Pending {
		s.t.Errorf("task %d is pending though its loop has closed", r.id)
		return
	}
	defer s.auditFailure(r)
	if (r.refused || r.fails()) && r.taken() == 0 && len(s.reportsOf(r.id)) == 0 {
		r.task = nil // to ask it would be to take
	}
	state, err := aio.Finished, error(nil)
	if r.task != nil {
		var v int
		state = r.task.State()
		v, err = r.task.Result()
		s.checkSights(&r.soakWork, v, err)
	}
	switch {
	case began == 0 && r.refused:
		sum.refused++
		if r.task != nil && err != aio.ErrClosed {
			s.t.Errorf("task %d, which was refused, ended with %v", r.id, err)
		}
	case began == 0:
		sum.cancelled++
		if r.task != nil && (state != aio.Cancelled || !errors.Is(err, aio.ErrCancelled)) {
			s.t.Errorf("task %d, which never ran, is %v with %v", r.id, state, err)
		}
	default:
		s.count(r, sum)
		if r.task != nil {
			s.checkOutcome(&r.soakWork, state, err, r.loop.killable)
		}
	}
}

func (s *soak) count(r *soakTask, sum *became) {
	switch {
	case r.end == endsWell:
		sum.succeeded++
	case r.end == endsCancelled || r.end == endsByForce || r.end == endsBoth:
		sum.cancelled++
	default:
		sum.failed++
	}
}

// checkOutcome compares an outcome with how the function ended, which it must tell, and nothing else.
func (s *soak) checkOutcome(w *soakWork, state aio.State, err error, killable bool) {
	ok := state == aio.Finished
	switch w.end {
	case endsWell:
		ok = ok && err == nil
	case endsFailed, endsPanicked, endsGone:
		var panicked *aio.PanicError
		ok = (killable && !ok || errors.As(err, &panicked) == (w.end == endsPanicked)) && (ok || killable) && w.hears(err)
	case endsCancelled:
		ok = state == aio.Cancelled && errors.Is(err, aio.ErrCancelled) && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
	case endsBoth:
		ok = state == aio.Cancelled && errors.Is(err, aio.ErrCancelled) && w.hears(err)
	case endsByForce:
		ok = killable && state == aio.Cancelled
	}
	if !ok {
		s.t.Errorf("%d ended as %d but its outcome is %v with %s (of a loop whose tasks may be ended by force: %t)", w.id, w.end, state, errText(err), killable)
	}
}

// checkSights compares what was seen of an outcome with what it is.
func (s *soak) checkSights(w *soakWork, v int, err error) {
	for _, sight := range w.sights() {
		switch {
		case sight.err == nil && (err != nil || sight.v != int(w.id)):
			s.t.Errorf("%d gave %d to one, but its outcome is %d with %v", w.id, sight.v, v, err)
		case sight.err != nil && sight.err != err && sight.err != errSoakGathered && !isWaitError(sight.err):
			s.t.Errorf("%d gave %v to one, but its outcome is %v", w.id, sight.err, err)
		}
	}
}

// isWaitError reports whether err can be that of a wait itself.
func isWaitError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || err == aio.ErrWouldDeadlock
}

// taken is when somebody first got w's failure; 0: nobody has.
func (w *soakWork) taken() int64 {
	for _, sight := range w.sights() {
		if w.hears(sight.err) || sight.err == errSoakGathered {
			return sight.at
		}
	}
	return 0
}

// auditFailure checks that a failure was taken or reported, and not both.
func (s *soak) auditFailure(r *soakTask) {
	told := len(s.reportsOf(r.id))
	fails := r.refused || r.began.Load() == 1 && r.fails()
	taken := r.taken()
	switch {
	case r.group != nil:
		if fails && !r.refused {
			r.group.owes(s, r)
		}
	case r.loop.killable && r.end == endsGone: // it may have been cancelled, too: by force
	case told > 1 || told == 1 && !fails:
		s.t.Errorf("task %d of a loop of kind %d, which ended as %d, is reported %d times", r.id, r.loop.kind, r.end, told)
	case told == 1 && taken != 0 && taken < r.loop.closedAt.Load():
		s.t.Errorf("task %d of a loop of kind %d, which ended as %d, is reported though somebody took that", r.id, r.loop.kind, r.end)
	case fails && told == 0 && taken == 0 && r.named:
		s.owed = append(s.owed, &r.soakWork)
	}
}

// auditOwed waits for the reports of what nobody took and nobody can reach any more.
func (s *soak) auditOwed() {
	s.contexts = nil
	for _, r := range s.tasks {
		r.task = nil
	}
	for _, c := range s.calls {
		c.future = nil
	}
	s.eventually(func() bool {
		return !slices.ContainsFunc(s.owed, func(w *soakWork) bool { return len(s.reportsOf(w.id)) == 0 })
	})
	for _, w := range s.owed {
		if n := len(s.reportsOf(w.id)); n != 1 {
			s.t.Errorf("%d of a loop of kind %d ended as %d; nobody took that, and it is reported %d times", w.id, w.loop.kind, w.end, n)
		}
	}
}

// audit is asked when all is over.
func (s *soak) audit() {
	s.auditGathers()
	var sum became
	for _, r := range s.tasks {
		s.auditTask(r, &sum)
	}
	for _, c := range s.calls {
		s.auditCall(c)
	}
	for _, c := range s.callbacks {
		s.auditCallback(c)
	}
	for _, g := range s.groups {
		s.auditGroup(g)
	}
	loops := s.auditLoops()
	s.auditOwed()
	loops()
	s.auditThings()
	if all := sum.succeeded + sum.failed + sum.cancelled + sum.refused; all != len(s.tasks) {
		s.t.Errorf("%d tasks were started; %+v is %d", len(s.tasks), sum, all)
	}
	if sum.succeeded == 0 || sum.failed == 0 || sum.cancelled == 0 || sum.refused == 0 {
		s.t.Errorf("of %d tasks %+v: this mixes too little", len(s.tasks), sum)
	}
	s.t.Logf("seed %d, in a bubble: %t: %d loops, %d tasks %+v, %d calls, %d callbacks, %d groups, %d items, %d reports", s.seed, s.bubble, len(s.all), len(s.tasks), sum, len(s.calls), len(s.callbacks), len(s.groups), len(s.things.items), len(s.reports))
}
