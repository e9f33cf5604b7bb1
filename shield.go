package aio

import "context"

// Shield runs fn in a task that ctx's end does not reach, and waits for it while ctx lasts:
// asyncio's shield. It is for what must not stop half way when its caller is cancelled, such as a
// commit. It suspends a task and blocks any other goroutine; ctx must carry a loop (ErrNoLoop). In a
// callback it is ErrWouldDeadlock. fn is not started then, nor under a ctx that has ended.
//
// When ctx ends first, Shield returns its error at once and fn goes on; its late error or panic goes
// to Hooks.Unhandled, its late result to nobody. fn's context has ctx's values and neither its end
// nor its deadline: only Close of the loop, which waits for fn, ends it.
//
// In the body of a group WithGroup waits for fn, too. An error that Shield returns is its caller's
// to handle; a late one is the group's.
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
	o := &shielded{task: &t.task, group: s.joins()}
	if o.group != nil && !o.group.join() {
		return none, context.Canceled // the group is over, if only just
	}
	o.owner = o
	t.watchers.push(&o.node)
	t.claims = 1 // its error is returned here, or told of by o
	t.start(context.WithoutCancel(ctx), s.loop, nil, nil)
	if !c.watch(&t.core) {
		c.count(&t.core) // a loop that has closed refused it
	}
	err = c.wait(ctx)
	c.giveBack()
	if err != nil {
		o.leave()
		return none, err
	}
	return t.outcome()
}

// shielded waits for the end of a shielded task, for the group that waits for it, and for its
// failure, if the caller has left by then.
type shielded struct {
	node
	task  *task
	group *group // nil: none
	left  bool   // guarded by the task's core.mu; the caller has
	ended bool   // guarded by the task's core.mu; run was here
}

// leave is called by the caller, who does not wait any more.
func (o *shielded) leave() {
	c := o.task.core
	c.mu.Lock()
	o.left = true
	ended := o.ended
	c.mu.Unlock()
	if !ended || !c.hasFailed() {
		return
	}
	if o.group != nil && !o.group.join() {
		o.group = nil
	}
	if !o.task.ctx.loop.schedule(o) {
		o.run()
	}
}

func (o *shielded) notify() bool {
	if !o.task.ctx.loop.schedule(o) {
		go o.run() // not under the future's lock
	}
	return true
}

// run implements runnable: the task has ended, which as a member's end comes first of what that
// sets off; or has ended and then the caller left.
func (o *shielded) run() {
	c := o.task.core
	c.mu.Lock()
	o.ended = true
	left := o.left
	c.mu.Unlock()
	if left {
		o.over()
	} else if o.group != nil {
		o.group.leave()
	}
}

// over tells of the failure of a task that has ended and whose caller has left.
func (o *shielded) over() {
	t := o.task
	failed := t.core.hasFailed() && !t.core.taken.Swap(true)
	switch {
	case o.group != nil:
		if failed {
			o.group.fail(t.core.failedWith())
		}
		o.group.leave()
	case failed:
		t.ctx.loop.report(Failure{Task: t.info(), Err: t.core.failedWith()})
	}
}
