package aio_test

import (
	"context"
	"sync/atomic"

	"github.com/seed8b1f0744/aio"
)

// The trips over the bridge: from wherever one is to a loop, and from wherever to an executor.

// traveller is an actor on a trip.
type traveller struct {
	actor
	b          *bridge
	trip       *trip
	layer      int  // of the executors: the calls that this one waits for go there or behind
	loyal      bool // its context is sure to end, when the trip's does at the latest
	leaf       bool // it may not wait for others
	inCallback bool
	about      *atomic.Bool // is set by linger when it is about to wait; nil: nobody asks
}

// onward is what a function does that t starts: it is another traveller, which does that.
func (t *traveller) onward(do func(*traveller)) func(*actor) {
	next := *t
	next.inCallback = false
	return func(a *actor) {
		n := next
		n.actor = *a
		n.arrive()
		do(&n)
	}
}

// arrive checks what must hold wherever one comes.
func (t *traveller) arrive() {
	t.b.seen[min(t.depth, bridgeDepth)].Add(1)
	if got := t.ctx.Value(tripKey{}); got != t.trip {
		t.t.Error("the values of the context have not come along")
	}
	if aio.InTask() != (t.home != nil) {
		t.t.Errorf("in a task: %t, want the opposite", aio.InTask())
	}
}

// goOn does something, and sometimes something else.
func (t *traveller) goOn() {
	for range 1 + t.random.IntN(8)/5 {
		u, done := t.under()
		u.act()
		done()
	}
}

func (t *traveller) act() {
	t.dog.moves.Add(1)
	if t.depth >= bridgeDepth || t.leaf {
		t.rest()
		return
	}
	switch n := t.random.IntN(16); {
	case n == 0:
		t.linger()
	case n == 1 && t.random.IntN(2) == 0:
		t.rest()
	case n == 1:
		t.condemned()
	case n == 2:
		t.bare()
	case n == 3:
		t.several()
	case n == 4:
		t.crossInRun()
	case n < 7:
		t.blocking()
	case n < 9:
		t.crossToLoop()
	case t.home != nil:
		t.crossToExecutor()
	default:
		t.crossToLoop()
	}
}

// under is t under another context. Whoever calls it must call done.
func (t *traveller) under() (u *traveller, done func()) {
	c := *t
	u, done = &c, func() {}
	switch t.random.IntN(16) {
	case 0:
		u.ctx, u.loyal = context.WithoutCancel(t.ctx), false
	case 1:
		u.ctx, done = aio.WithTimeout(t.ctx, t.moment())
	case 2:
		u.ctx, done = context.WithTimeout(t.ctx, t.moment())
	case 3:
		ctx, cancel := context.WithCancelCause(t.ctx)
		u.ctx, done = ctx, func() { cancel(nil) }
		t.elsewhere(func() { cancel(errSoakCause) })
	case 4:
		ctx, cancel := context.WithCancel(t.ctx)
		u.ctx = ctx
		if t.random.IntN(3) == 0 {
			cancel()
		} else {
			done = cancel
		}
	case 5:
		u.ctx, u.loyal = context.WithValue(t.loop().Context(), tripKey{}, t.trip), false
	}
	return u, done
}

// collect waits for an outcome in one of the ways there are, or not.
func (t *traveller) collect(await func(context.Context) (settled bool)) {
	switch t.random.IntN(8) {
	case 0: // it is abandoned
	case 1:
		ctx, cancel := t.patience()
		_ = await(ctx)
		cancel()
	case 2, 3:
		if !await(context.WithoutCancel(t.ctx)) {
			t.t.Error("a wait that only an outcome ends has ended without one")
		}
	default:
		_ = await(t.ctx)
	}
}

// outcomeOf is an await of a task's or a call's outcome that is noted.
func (t *traveller) outcomeOf(w *soakWork, f *aio.Future[int]) func(context.Context) bool {
	return func(ctx context.Context) bool {
		w.await(&t.actor, ctx, f)
		return f.State() != aio.Pending
	}
}

// crossToLoop has a task do something, in one of the ways there are.
func (t *traveller) crossToLoop() {
	if t.random.IntN(3) == 0 {
		t.crossByCallback()
		return
	}
	l := t.loop()
	if t.home != nil && t.random.IntN(8) == 0 {
		l = nil // by Go
	}
	w, task := t.startTask(l, (*traveller).goOn)
	switch {
	case w.task != nil && t.random.IntN(6) == 0:
		t.onDone(w, &task.Future)
	case t.random.IntN(12) == 0:
		task.Cancel(errSoakCause)
	}
	t.collect(t.outcomeOf(&w.soakWork, &task.Future))
}

// startTask starts one, by Go if l is nil.
func (t *traveller) startTask(l *soakLoop, do func(*traveller)) (*soakTask, *aio.Task[int]) {
	if l == nil && t.loopOf(t.ctx) == nil {
		l = t.loop()
	}
	return t.start(l, t.onward(do))
}

// crossByCallback has a callback do something, which settles a promise when that is done.
func (t *traveller) crossByCallback() {
	l, p := t.loop(), t.b.newPromise()
	n := *t
	n.actor = t.child()
	n.inCallback, n.home = true, nil
	if !t.callback(l, func() { n.inCallbackOf(l, p) }) {
		p.settle(0, aio.ErrClosed)
	}
	if t.random.IntN(20) == 0 && p.Cancel(errSoakCause) {
		p.settled.Add(1)
	}
	t.collect(p.await(t.t))
}

func (t *traveller) inCallbackOf(l *soakLoop, p *soakPromise) {
	t.arrive()
	switch n := t.random.IntN(4); {
	case n == 0:
		p.settle(int(t.ids.Add(1)), nil)
	case n == 1 && t.layer < len(t.b.layers):
		c, future := t.newCallOn(t.place(), (*traveller).goOn)
		if c.future == nil {
			_, err := future.Result()
			p.settle(0, err)
			return
		}
		t.settleWith(p, &c.soakWork, future)
	default:
		if n == 2 {
			l = t.loops[t.random.IntN(len(t.loops))].Load()
		}
		w, task := t.startTask(l, (*traveller).goOn)
		t.settleWith(p, &w.soakWork, &task.Future)
	}
}

// settleWith hands an outcome on.
func (t *traveller) settleWith(p *soakPromise, w *soakWork, f *aio.Future[int]) {
	f.OnDone(context.Background(), func(v int, err error) { // in a goroutine, which no loop's end keeps from running
		w.saw(&t.actor, v, err)
		p.settle(v, err)
	})
}

func (t *traveller) place() *place {
	p, _ := pick(t.random, t.b.layers[t.layer])
	return p
}

// newCallOn hands a call to p. Its future is nil if that refuses.
func (t *traveller) newCallOn(p *place, do func(*traveller)) (*soakCall, *aio.Future[int]) {
	n := *t
	n.layer++
	c := t.newCall()
	c.do = n.onward(do)
	var ex aio.Executor = p
	if t.random.IntN(3) > 0 {
		do := c.do
		ex, c.do = p.ex, func(a *actor) {
			defer p.enter()()
			do(a)
		}
		p.asked.Add(1)
	}
	future := aio.InExecutor(t.ctx, ex, c.fn(&t.actor))
	if future.State() != aio.Pending && c.began.Load() == 0 {
		c.refused = true
		_, err := future.Result()
		if ex != p {
			p.refuses(t.ctx, err)
		}
		t.mayRefuse(err)
	} else {
		c.future = future
	}
	return c, future
}

// crossToExecutor has an executor do something.
func (t *traveller) crossToExecutor() {
	if t.layer == len(t.b.layers) {
		t.crossToLoop()
		return
	}
	c, future := t.newCallOn(t.place(), (*traveller).goOn)
	if c.future == nil {
		return
	}
	if t.random.IntN(12) == 0 && future.Cancel(errSoakCause) {
		c.cancelled.Store(true)
	}
	t.collect(t.outcomeOf(&c.soakWork, future))
}

// several has some executors do something, and waits for all.
func (t *traveller) several() {
	if t.layer == len(t.b.layers) {
		return
	}
	var calls []*soakCall
	var futures []*aio.Future[int]
	for range 2 + t.random.IntN(2) {
		if c, future := t.newCallOn(t.place(), (*traveller).goOn); c.future != nil {
			calls, futures = append(calls, c), append(futures, future)
		}
	}
	t.collect(func(ctx context.Context) bool {
		outcomes, err := aio.GatherAll(ctx, futures...)
		for i, o := range outcomes {
			calls[i].saw(&t.actor, o.Value, o.Err)
		}
		if err == nil && len(outcomes) != len(calls) {
			t.t.Errorf("GatherAll of %d gave %d", len(calls), len(outcomes))
		}
		return err == nil
	})
}

// blocking has the default executor of the task's loop do something; elsewhere it is done at once.
func (t *traveller) blocking() {
	ctx, cancel := t.patience()
	defer cancel()
	n := *t
	n.ctx = ctx
	c := n.newCall()
	c.blocking, c.loop = true, t.home
	switch {
	case t.home == nil:
		if c.do = n.onward((*traveller).goOn); c.plan == endsGone {
			c.plan = endsWell // it would take us with it
		}
	case t.home == t.loops[1].Load(), t.home == t.loops[2].Load():
		n.leaf = true
		c.do = n.onward((*traveller).goOn)
		if t.home == t.loops[2].Load() {
			do := c.do
			c.do = func(a *actor) {
				defer t.b.direct.enter()()
				do(a)
			}
		}
	default:
		c.do = func(a *actor) {
			n.leaf = t.b.holders.Add(1) > bridgeHolders
			defer t.b.holders.Add(-1)
			n.onward((*traveller).goOn)(a)
		}
	}
	c.v, c.got = aio.Blocking(ctx, c.fn(&n.actor))
	c.asked = true
}

// crossInRun runs a loop of its own, as synchronous code does that needs one.
func (t *traveller) crossInRun() {
	if t.home != nil {
		if _, err := aio.Run(t.ctx, value(1)); err != aio.ErrWouldDeadlock {
			t.t.Errorf("Run in a task: %v", err)
		}
		return
	}
	l := t.loop()
	id := int(t.ids.Add(1))
	got, err := aio.Run(t.ctx, func(ctx context.Context) (int, error) {
		w, task := t.start(l, func(a *actor) {})
		v, err := task.Await(ctx)
		w.saw(&t.actor, v, err)
		return id, ctx.Err()
	}, quiet())
	if err == nil && got != id || err != nil && !isWaitError(err) {
		t.t.Errorf("Run gave %d, %v", got, err)
	}
}
