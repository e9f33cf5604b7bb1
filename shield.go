package aio

import "context"

// Shield runs fn in a task that ctx's end does not reach, and waits for it while ctx lasts:
// asyncio's shield. It is for what must not stop half way when its caller is cancelled, such as a
// commit. It suspends a task and blocks any other goroutine; ctx must carry a loop (ErrNoLoop). In a
// callback it is ErrWouldDeadlock. fn is not started then, nor under a ctx that has ended.
//
// When ctx ends first, Shield returns its error at once and fn goes on; its late error or panic goes
// to Hooks.Unhandled, its late result to nobody. fn's context has ctx's values and neither its end
// nor its deadline: only Close of the loop, which waits for fn, ends it. In the body of a group fn's
// task is a member, as one started by Go is: WithGroup waits for it too, and its failure is the
// group's.
func Shield[T any](ctx context.Context, fn func(context.Context) (T, error)) (T, error) {
	var none T
	t := newTask(fn)
	s := scopeOf(ctx)
	if s == nil {
		return none, ErrNoLoop
	}
	if err := ended(ctx); err != nil {
		return none, err
	}
	c, err := newCountdown(ctx, 1, onShield, false, func(*core) bool { return true })
	if err != nil {
		return none, err
	}
	t.claims = 1 // its error is returned here, or reported by late
	t.start(context.WithoutCancel(ctx), s.loop, s.joins(), nil)
	if !c.watch(&t.core) {
		c.count(&t.core) // a loop that has closed refused it
	}
	err = c.wait(ctx)
	c.giveBack()
	if err != nil {
		t.leaveLate()
		return none, err
	}
	return t.outcome()
}

// leaveLate has the loop told of the outcome of a task that nobody waits for any more.
func (t *Task[T]) leaveLate() {
	late := &lateOutcome{task: &t.task}
	late.owner = late
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state.Load() == int32(Pending) {
		t.watchers.push(&late.node)
	} else {
		late.notify()
	}
}

// lateOutcome waits for the end of a task in order to report its failure.
type lateOutcome struct {
	node
	task *task
}

func (o *lateOutcome) notify() bool {
	if !o.task.ctx.loop.schedule(o) {
		go o.run() // not under the future's lock
	}
	return true
}

// run implements runnable.
func (o *lateOutcome) run() {
	t := o.task
	if t.core.hasFailed() && !t.core.taken.Swap(true) { // by a group it may be taken
		t.ctx.loop.report(Failure{Task: t.info(), Err: t.core.failedWith()})
	}
}
