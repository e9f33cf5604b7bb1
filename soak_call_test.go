package aio_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio"
)

// The callbacks and the calls on executors of the soak, and what must have become of each.

// soakCallback is a callback of a loop, or of a future.
type soakCallback struct {
	id      int64
	loop    *soakLoop // nil: in a goroutine
	timer   bool
	due     int64 // of a timer: it is due before that
	refused bool
	plan    soakEnd // endsWell, endsPanicked, endsGone
	ran     atomic.Int32
	stopped atomic.Int32

	of  *soakTask // whose outcome it got
	v   int
	err error
}

// callback has l call do, and reports whether that is sure: l may have closed. Only what comes of the callback itself is random.
func (a *actor) callback(l *soakLoop, do func()) bool {
	c := a.newCallback(l)
	c.refused = l.CallSoon(func() { c.run(a.soak, do) }).Err() != nil
	return !c.refused
}

func (a *actor) newCallback(l *soakLoop) *soakCallback {
	c := &soakCallback{id: a.ids.Add(1), loop: l}
	switch a.random.IntN(12) {
	case 0:
		c.plan = endsPanicked
	case 1:
		c.plan = endsGone
	}
	a.mu.Lock()
	a.callbacks = append(a.callbacks, c)
	a.mu.Unlock()
	return c
}

func (c *soakCallback) run(s *soak, do func()) {
	c.ran.Add(1)
	s.dog.moves.Add(1)
	if c.loop != nil {
		c.loop.step()
		if aio.InTask() {
			s.t.Error("a callback runs in a task")
		}
		if err := new(aio.Event).Wait(context.Background()); err != aio.ErrWouldDeadlock {
			s.t.Errorf("waiting in a callback: %v", err)
		}
	}
	do()
	switch c.plan {
	case endsPanicked:
		panic(&soakError{c.id})
	case endsGone:
		runtime.Goexit()
	}
}

// timers schedules callbacks in all ways, and cancels some.
func (a *actor) timers() {
	for range 1 + a.random.IntN(4) {
		l, d := a.loop(), a.moment()
		c := a.newCallback(l)
		child := a.child()
		child.ctx, child.group = l.Context(), nil
		fn := func() {
			c.run(a.soak, func() {
				if child.random.IntN(3) == 0 {
					child.spawnFromCallback()
				}
			})
		}
		var h aio.Handle
		switch a.random.IntN(4) {
		case 0:
			h = l.CallSoon(fn)
		case 1:
			h = l.CallAt(l.Now().Add(d), fn)
			c.timer = true
		default:
			h = l.CallLater(d, fn)
			c.timer = true
		}
		c.due = time.Now().Add(d).UnixNano()
		c.refused = h.Err() != nil
		if a.random.IntN(3) == 0 {
			_ = aio.Yield(a.ctx)
		}
		for range a.random.IntN(3) {
			if h.Cancel() {
				c.stopped.Add(1)
			}
		}
	}
}

func (a *actor) spawnFromCallback() {
	if a.depth < soakDepth {
		a.mayClose = false
		a.start(nil, nil)
	}
}

// onDone adds a callback to a future, and sometimes stops it.
func (a *actor) onDone(w *soakTask, f *aio.Future[int]) {
	ctx := context.Background()
	var l *soakLoop
	if a.random.IntN(3) > 0 {
		l = a.loop()
		ctx = l.Context()
	}
	c := a.newCallback(l)
	c.of = w
	if l == nil && c.plan == endsPanicked {
		c.plan = endsWell
	}
	stop := f.OnDone(ctx, func(v int, err error) {
		c.v, c.err = v, err
		w.saw(a, v, err)
		c.run(a.soak, func() {})
	})
	for range a.random.IntN(3) {
		_ = aio.Yield(a.ctx)
		if stop() {
			c.stopped.Add(1)
		}
	}
}

func (s *soak) auditCallback(c *soakCallback) {
	ran, stopped := c.ran.Load(), c.stopped.Load()
	refused := c.refused || c.of != nil && ran+stopped == 0 && c.loop != nil
	dropped := c.timer && ran+stopped == 0 && !c.refused
	if n := ran + stopped; n > 1 || n == 1 && c.refused || n == 0 && !refused && !dropped {
		s.t.Errorf("callback %d ran %d times, was stopped %d times, refused: %t, timer: %t", c.id, ran, stopped, c.refused, c.timer)
	}
	if c.of != nil && ran == 1 {
		if v, err := c.of.task.Result(); v != c.v || err != c.err {
			s.t.Errorf("the callback of task %d got %d, %v, its outcome is %d, %v", c.of.id, c.v, c.err, v, err)
		}
	}
	if closed := c.closedOn(); dropped && c.due < closed {
		s.t.Errorf("timer %d was due %v before its loop closed, and never ran", c.id, time.Duration(closed-c.due))
	}
	if n := len(s.reportsOf(c.id)); (n == 1) != (ran == 1 && c.plan == endsPanicked) || n > 1 {
		s.t.Errorf("callback %d, which ran %d times and ended as %d, is reported %d times", c.id, ran, c.plan, n)
	}
}

func (c *soakCallback) closedOn() int64 {
	if c.loop == nil {
		return 0
	}
	return c.loop.closedOn.Load()
}

// soakCall is a call on an executor.
type soakCall struct {
	soakWork
	ex        aio.Executor
	blocking  bool
	shielded  bool             // blocking, too
	future    *aio.Future[int] // nil: of Blocking, or whoever asked was ended by force
	cancelled atomic.Bool      // by Cancel
	asked     bool             // of Blocking: it returned
	late      bool             // what the function came to came after Cancel
	v         int
	got       error
}

func (a *actor) newCall() *soakCall {
	c := &soakCall{soakWork: soakWork{id: a.ids.Add(1), loop: a.loopOf(a.ctx), plan: a.ending()}}
	a.mu.Lock()
	a.calls = append(a.calls, c)
	a.mu.Unlock()
	return c
}

func (c *soakCall) fn(a *actor) func(context.Context) (int, error) {
	child := a.child()
	return func(ctx context.Context) (int, error) {
		b := child
		b.ctx, b.home, b.mayClose = ctx, nil, false
		return c.run(&b)
	}
}

// call has an executor do something, and waits for it, or not.
func (a *actor) call() {
	if a.depth == soakDepth {
		return
	}
	b, done := a.under()
	defer done()
	c := b.newCall()
	ex, _ := pick(a.random, a.places[a.depth])
	future := aio.InExecutor(b.ctx, ex, c.fn(b))
	if future.State() != aio.Pending && c.began.Load() == 0 {
		c.refused = true
		if _, err := future.Result(); !isRefusal(err) {
			a.t.Errorf("a call was not accepted: %v", err)
		}
		return
	}
	c.future = future
	for range a.random.IntN(3) {
		switch a.random.IntN(4) {
		case 0:
			if future.Cancel(errSoakCause) {
				c.cancelled.Store(true)
			}
		case 1:
			ctx, cancel := a.patience()
			c.await(a, ctx, future)
			cancel()
		case 2:
			c.await(a, a.ctx, future)
		case 3:
			c.await(a, context.WithoutCancel(a.ctx), future)
		}
	}
}

func isRefusal(err error) bool { return err == aio.ErrFull || isWaitError(err) }

// blocking is call by Blocking.
func (a *actor) blocking() {
	if a.depth == soakDepth {
		return
	}
	ctx, cancel := a.patience()
	defer cancel()
	b := *a
	b.ctx = ctx
	c := b.newCall()
	c.blocking = true
	if !aio.InTask() {
		c.loop = nil
		if c.plan == endsGone { // it would take us with it
			c.plan = endsWell
		}
	} else if c.loop != a.home { // the call is of the task's own loop: what it starts under its context joins no group of another one's
		c.loop, b.group = a.home, nil
	}
	c.v, c.got = aio.Blocking(ctx, c.fn(&b))
	c.asked = true
}

// shield is as blocking, by Shield: on the loop.
func (a *actor) shield() {
	if a.depth == soakDepth {
		return
	}
	ctx, cancel := a.patience()
	defer cancel()
	b := *a
	if b.ctx = ctx; a.loopOf(ctx) == nil {
		b.ctx = a.loop().Context()
	}
	b.group = nil
	if a.group != nil {
		return // its failure would be the group's
	}
	c := b.newCall()
	c.blocking, c.shielded = true, true
	if c.plan == endsGone { // that could be told without a name
		c.plan = endsWell
	}
	child := b.child()
	c.v, c.got = aio.Shield(b.ctx, func(ctx context.Context) (int, error) {
		d := child
		d.ctx, d.home, d.mayClose = ctx, c.loop, false
		c.loop.step()
		return c.run(&d)
	})
	c.asked = true
}

// submit hands a bare closure to an executor.
func (a *actor) submit() {
	ctx, cancel := a.patience()
	defer cancel()
	ex, _ := pick(a.random, a.places[a.depth])
	c := a.newCallback(nil)
	c.plan = endsWell
	err := ex.Submit(ctx, func() { c.run(a.soak, func() {}) })
	if c.refused = err != nil; c.refused && !isRefusal(err) {
		a.t.Errorf("Submit: %v", err)
	}
}

func (s *soak) auditCall(c *soakCall) {
	if began, returned := c.began.Load(), c.returned.Load(); began != returned || began > 1 {
		s.t.Errorf("the function of call %d began %d times and ended %d times", c.id, began, returned)
		return
	}
	told := len(s.reportsOf(c.id))
	if told > 1 || told == 1 && (c.began.Load() == 0 || !c.fails()) {
		s.t.Errorf("call %d, which ended as %d, is reported %d times", c.id, c.end, told)
	}
	switch {
	case c.blocking && c.asked:
		s.auditBlocking(c, told)
	case c.future != nil && c.began.Load() == 0:
		s.t.Errorf("call %d was accepted and never ran", c.id)
	case c.future != nil:
		s.auditFuture(c, told)
	}
}

func (s *soak) auditBlocking(c *soakCall, told int) {
	taken := c.hears(c.got)
	switch {
	case c.got == nil && (c.began.Load() == 0 || c.end != endsWell || c.v != int(c.id)):
		s.t.Errorf("Blocking %d gave %d though its function ended as %d", c.id, c.v, c.end)
	case c.began.Load() == 0 && !isRefusal(c.got) && !(c.shielded && c.got == aio.ErrClosed), c.began.Load() == 1 && c.got != nil && !taken && !isWaitError(c.got):
		s.t.Errorf("Blocking %d ended as %d and gave %v", c.id, c.end, c.got)
	case c.began.Load() == 1 && c.fails() && c.end != endsGone && taken == (told == 1):
		s.t.Errorf("Blocking %d ended as %d and gave %v; it is reported %d times", c.id, c.end, c.got, told)
	}
}

func (s *soak) auditFuture(c *soakCall, told int) {
	c.late = c.future.State() == aio.Cancelled && c.cancelled.Load() && c.end != endsCancelled
	taken := c.taken()
	owed := c.fails() && taken == 0 && told == 0 && c.loop != nil && !c.late
	if owed {
		if c.end != endsGone { // that has no name; see nameless
			s.owed = append(s.owed, &c.soakWork)
		}
		return // to ask for it would be to take it
	}
	state := c.future.State()
	v, err := c.future.Result()
	s.checkSights(&c.soakWork, v, err)
	if c.late = c.late && !c.hears(err); c.late {
		if c.fails() && c.end != endsGone && told != 1 {
			s.t.Errorf("call %d was cancelled, ended as %d and is reported %d times", c.id, c.end, told)
		}
		return
	}
	s.checkOutcome(&c.soakWork, state, err, false)
	switch {
	case told == 1 && (c.loop == nil || !c.fails()):
		s.t.Errorf("call %d ended as %d and is reported", c.id, c.end)
	case told == 1 && taken != 0 && taken < c.loop.closedAt.Load():
		s.t.Errorf("call %d ended as %d, was taken, and is reported", c.id, c.end)
	}
}

// nameless is how often l must have told of what has no name.
func (s *soak) nameless(l *soakLoop) (goexits, refusals, bare soakRange) {
	for _, c := range s.callbacks {
		if c.loop == l && l != nil {
			ran := c.ran.Load() == 1
			goexits.add(ran && c.plan == endsGone, ran && c.plan == endsGone)
			refused := c.refused || c.of != nil && !ran && c.stopped.Load() == 0
			refusals.add(refused, refused)
		}
	}
	for _, c := range s.calls {
		if c.loop != l || l == nil && c.future == nil {
			continue
		}
		bare.add(false, c.refused)
		if !c.blocking && !c.refused && c.future == nil { // whoever asked was ended by force
			goexits.add(false, true)
			bare.add(false, true)
			continue
		}
		if c.began.Load() == 0 || c.end != endsGone {
			continue
		}
		switch {
		case l == nil:
			goexits.add(c.late, c.late)
		case c.blocking:
			untaken := c.asked && c.got != aio.ErrGoexit
			goexits.add(untaken, untaken || !c.asked)
		case c.future != nil:
			taken := c.taken()
			goexits.add(c.late || taken == 0, c.late || taken == 0 || taken > l.closedAt.Load())
		}
	}
	for _, g := range s.groups {
		g.nameless(l, &goexits, &refusals)
	}
	return goexits, refusals, bare
}

// elsewhere has do called once, by somebody else.
func (a *actor) elsewhere(do func()) {
	switch a.random.IntN(4) {
	case 0:
		if a.callback(a.loop(), do) {
			return
		}
	case 1:
		if a.places[soakDepth][1].Submit(context.Background(), do) == nil { // never waits
			return
		}
	case 2:
		p := aio.NewPromise[int]()
		p.OnDone(context.Background(), func(int, error) { do() })
		p.Resolve(1)
		return
	}
	go do()
}
