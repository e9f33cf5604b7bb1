package aio_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Who acts in the soak, and with what: a goroutine, a task, a call on an executor.

// actor does things at random. It is a value: whoever runs under another context has a copy.
type actor struct {
	*soak
	random   *rand.Rand
	ctx      context.Context
	home     *soakLoop  // in a task
	group    *soakGroup // that tasks started under ctx by Go are members of
	depth    int
	mayClose bool // wait for a Close: nobody who is waited for by the loop waits for this actor, come what may
}

// child is an actor for another goroutine.
func (a *actor) child() actor {
	b := *a
	b.random = rand.New(rand.NewPCG(a.random.Uint64(), 0))
	b.depth++
	return b
}

// act does one thing.
func (a *actor) act() {
	a.dog.moves.Add(1)
	switch a.random.IntN(44) {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		a.spawn()
	case 8, 9, 10:
		a.call()
	case 11, 12:
		a.blocking()
	case 13:
		a.submit()
	case 14, 15, 16:
		a.timers()
	case 17, 18:
		a.withGroup()
	case 19:
		a.forEach()
	case 20:
		a.gather()
	case 21:
		a.wait()
	case 22:
		a.awaitAnother()
	case 23:
		a.cancelAnother()
	case 24, 25:
		a.promise()
	case 26:
		a.event()
	case 27, 28:
		a.mutex()
	case 29:
		a.semaphore()
	case 30:
		a.cond()
	case 31:
		a.barrier()
	case 32, 33, 34:
		a.queue()
	case 35:
		a.pass()
	case 36:
		a.poll()
	case 37, 38:
		a.sleep()
	case 39:
		a.gatherAll()
	case 40:
		a.asCompleted()
	case 41:
		a.shield()
	case 42:
		a.look()
	case 43:
		if a.random.IntN(4) == 0 {
			a.restart()
		}
	}
}

func (a *actor) ending() soakEnd {
	if a.random.IntN(2) == 0 {
		return endsWell
	}
	return soakEnd(a.random.IntN(int(soakEnds)))
}

// loop is one that is there to be used, or now and then any there has been.
func (a *actor) loop() *soakLoop {
	if a.random.IntN(20) == 0 {
		a.mu.Lock()
		defer a.mu.Unlock()
		l, _ := pick(a.random, a.all)
		return l
	}
	return a.loops[a.random.IntN(len(a.loops))].Load()
}

func (a *actor) moment() time.Duration {
	return time.Duration(a.random.IntN(2000)) * time.Microsecond
}

// patience is a context that lasts as long as a's, or not so long.
func (a *actor) patience() (context.Context, context.CancelFunc) {
	switch a.random.IntN(4) {
	case 0:
		return a.ctx, func() {}
	case 1:
		return context.WithTimeout(a.ctx, a.moment())
	default:
		return aio.WithTimeout(a.ctx, a.moment())
	}
}

// sure is a context for what is sure to come.
func (a *actor) sure() context.Context {
	if a.random.IntN(2) == 0 {
		return context.WithoutCancel(a.ctx)
	}
	return a.ctx
}

// under is a under another context. Whoever calls it must call done.
func (a *actor) under() (b *actor, done func()) {
	c := *a
	b, done = &c, func() {}
	switch a.random.IntN(12) {
	case 0, 1, 2:
	case 3:
		b.ctx = context.WithoutCancel(a.ctx)
	case 4:
		b.ctx, done = aio.WithTimeout(a.ctx, a.moment())
	case 5:
		b.ctx, done = context.WithTimeout(a.ctx, a.moment())
	case 6:
		ctx, cancel := context.WithCancelCause(a.ctx)
		b.ctx, done = ctx, func() { cancel(nil) }
		if a.random.IntN(2) == 0 {
			a.elsewhere(func() { cancel(errSoakCause) })
		}
	case 7:
		ctx, cancel := context.WithCancel(a.ctx)
		b.ctx = ctx
		cancel()
	case 8:
		ctx, cancel := context.WithCancel(context.WithValue(a.ctx, key{}, a.depth))
		b.ctx, done = context.WithValue(ctx, key{}, 0), cancel
	case 9:
		b.ctx, b.group = a.loop().Context(), nil
	case 10, 11:
		a.mu.Lock()
		if ctx, ok := pick(a.random, a.contexts); ok {
			b.ctx, b.group = ctx, nil
		}
		a.mu.Unlock()
	}
	return b, done
}

func (a *actor) awaitAnother() {
	for _, r := range a.some(1) {
		ctx, cancel := aio.WithTimeout(a.ctx, a.moment()) // it may wait for us
		defer cancel()
		r.await(a, ctx, &r.task.Future)
	}
}

func (a *actor) cancelAnother() {
	for _, r := range a.some(1) {
		r.task.Cancel(errSoakCause)
	}
}

// soakGather is a Gather that failed, perhaps by one of its tasks.
type soakGather struct {
	of  []*soakTask
	err error
	at  int64
}

func (a *actor) gather() {
	of := a.some(1 + a.random.IntN(4))
	futures := make([]*aio.Future[int], len(of))
	for i, r := range of {
		futures[i] = &r.task.Future
	}
	ctx, cancel := aio.WithTimeout(a.ctx, a.moment())
	defer cancel()
	values, err := aio.Gather(ctx, futures...)
	if err != nil {
		at := a.clock.Add(1)
		a.mu.Lock()
		a.gathers = append(a.gathers, soakGather{of, err, at})
		a.mu.Unlock()
		return
	}
	for i, r := range of {
		r.saw(a, values[i], nil)
	}
}

// errSoakGathered stands for an error that a Gather took by giving that of another.
var errSoakGathered = errors.New("taken by a Gather")

// auditGathers notes what was taken by one: if it ended by the failure of a task, those of all.
func (s *soak) auditGathers() {
	for _, g := range s.gathers {
		if isEndedContext(g.err) {
			continue
		}
		known := errors.Is(g.err, aio.ErrCancelled) || g.err == aio.ErrClosed
		for _, r := range g.of {
			known = known || r.hears(g.err)
			r.seen = append(r.seen, soakSight{err: errSoakGathered, at: g.at})
		}
		if !known {
			s.t.Errorf("Gather gave %v, which is no task's error", g.err)
		}
	}
}

func (a *actor) gatherAll() {
	of := a.some(1 + a.random.IntN(4))
	futures := make([]*aio.Future[int], len(of))
	for i, r := range of {
		futures[i] = &r.task.Future
	}
	ctx, cancel := aio.WithTimeout(a.ctx, a.moment())
	defer cancel()
	outcomes, err := aio.GatherAll(ctx, futures...)
	for i, o := range outcomes {
		of[i].saw(a, o.Value, o.Err)
	}
	if err == nil && len(outcomes) != len(of) || err != nil && !isWaitError(err) {
		a.t.Errorf("GatherAll of %d gave %d, %v", len(of), len(outcomes), err)
	}
}

func (a *actor) asCompleted() {
	of := a.some(1 + a.random.IntN(4))
	left := make(map[*aio.Task[int]]bool) // it gives each once, as CPython does
	tasks := make([]*aio.Task[int], len(of))
	for i, r := range of {
		tasks[i] = r.task
		left[r.task] = true
	}
	ctx, cancel := aio.WithTimeout(a.ctx, a.moment())
	defer cancel()
	for task := range aio.AsCompleted(ctx, tasks...) {
		if !left[task] || task.State() == aio.Pending {
			a.t.Errorf("AsCompleted gave one too often, or one that is %v", task.State())
		}
		delete(left, task)
	}
	if len(left) > 0 && ctx.Err() == nil && (a.home == nil || !a.home.killable) {
		a.t.Errorf("AsCompleted did not give %d of %d", len(left), len(of))
	}
}

func (a *actor) look() {
	l := a.loop()
	checkSense(a.t, l.Loop, checkSense(a.t, l.Loop, 0))
}

func (a *actor) wait() {
	var tasks []*aio.Task[int]
	for _, r := range a.some(1 + a.random.IntN(4)) {
		if !slices.Contains(tasks, r.task) { // given twice, one that ends meanwhile may be in both lists
			tasks = append(tasks, r.task)
		}
	}
	ctx, cancel := aio.WithTimeout(a.ctx, a.moment())
	defer cancel()
	when := aio.When(a.random.IntN(3))
	done, pending, err := aio.Wait(ctx, when, tasks...)
	ok := len(done)+len(pending) == len(tasks)
	for _, task := range tasks {
		switch {
		case len(done) > 0 && done[0] == task:
			done = done[1:]
			ok = ok && task.State() != aio.Pending
		case len(pending) > 0 && pending[0] == task:
			pending = pending[1:]
			ok = ok && (err != nil || when != aio.AllDone)
		default:
			ok = false
		}
	}
	if !ok || err == nil && when == aio.FirstDone && len(tasks) > 0 && len(pending) == len(tasks) {
		a.t.Errorf("Wait(%d) of %d tasks: error %v; the lists do not hold what they must", when, len(tasks), err)
	}
}

// promise has several settle one promise and waits for what comes.
func (a *actor) promise() {
	p := aio.NewPromise[int]()
	won := make(chan int, 4) // the value, -1: rejected, -2: cancelled
	for i := range 3 {
		way := a.random.IntN(6)
		a.elsewhere(func() {
			switch {
			case way == 0 && p.Reject(errSoakCause):
				won <- -1
			case way == 1 && p.Cancel(errSoakCause):
				won <- -2
			case way > 1 && p.Resolve(i):
				won <- i
			}
		})
	}
	ctx, cancel := a.sure(), func() {}
	if a.random.IntN(3) == 0 {
		ctx, cancel = a.patience()
	}
	defer cancel()
	v, err := p.Await(ctx)
	if p.State() == aio.Pending {
		if err == nil || ctx.Err() == nil && (a.home == nil || !a.home.killable) {
			a.t.Errorf("Await of a pending promise: %d, %v", v, err)
		}
		return
	}
	again, outcome := p.Result()
	if err != outcome && !isWaitError(err) || err == nil && v != again {
		a.t.Errorf("a promise gave %d, %v and then %d, %v", v, err, again, outcome)
	}
	switch w := <-won; {
	case w >= 0 && (outcome != nil || again != w), w == -1 && outcome != errSoakCause,
		w == -2 && (!errors.Is(outcome, aio.ErrCancelled) || !errors.Is(outcome, errSoakCause)), len(won) > 0:
		a.t.Errorf("a promise that %d won gave %d, %v", w, again, outcome)
	}
}

func (a *actor) sleep() {
	ctx, cancel := a.patience()
	defer cancel()
	d := a.moment() - time.Millisecond
	began := time.Now()
	if err := aio.Sleep(ctx, d); err == nil && time.Since(began) < d {
		a.t.Errorf("Sleep(%v) took %v", d, time.Since(began))
	}
	_ = aio.Yield(ctx)
}

func (a *actor) poll() {
	ctx, cancel := a.patience()
	defer cancel()
	n := 0
	v, err := aio.Poll(ctx, a.moment()/4, func() (int, bool, error) {
		n++
		return n, n == 4, nil
	})
	if err == nil && v != 4 {
		a.t.Errorf("Poll gave %d", v)
	}
}
