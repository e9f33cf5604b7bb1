package aio

import "context"

// Waiter is whatever gets done: futures of any type, a context.
type Waiter interface{ Done() <-chan struct{} }

// When tells Wait what to wait for.
type When int

// What Wait can wait for.
const (
	AllDone    When = iota // all are done
	FirstDone              // any is done
	FirstError             // any future has failed, or all are done. A cancelled one has not failed, and only our futures can
)

// Wait waits until when holds, and returns which are done and which are not, both in argument
// order. It cancels nothing and takes no error: what has failed must still be awaited. Of nothing
// it returns at once.
//
// It suspends a task, always (asyncio's wait takes two turns of the loop even for what is done),
// and blocks any other goroutine. Its error is ctx's, if that ended first; the lists are as of
// then. A Waiter that is not ours costs a goroutine while it is waited for; a context does not. In
// a callback it is ErrWouldDeadlock.
func Wait[W Waiter](ctx context.Context, when When, ws ...W) (done, pending []W, err error) {
	if len(ws) == 0 {
		return nil, nil, ended(ctx)
	}
	cores := make([]*core, len(ws))
	var stops []func()
	defer func() {
		for _, stop := range stops {
			stop()
		}
	}()
	err = ended(ctx)
	if err == nil {
		for i, w := range ws {
			var stop func()
			if cores[i], stop = coreOf(w); stop != nil {
				stops = append(stops, stop)
			}
		}
		err = wait(ctx, when, cores)
	}
	for i, w := range ws {
		if isDone(w, cores[i]) {
			done = append(done, w)
		} else {
			pending = append(pending, w)
		}
	}
	return done, pending, err
}

func wait(ctx context.Context, when When, cores []*core) error {
	c, err := newCountdown(ctx, len(cores), onWait, false, func(f *core) bool {
		return when == FirstDone || when == FirstError && f.failedWith() != nil && f.State() == Finished
	})
	if err != nil {
		return err
	}
	defer c.giveBack()
	for _, f := range cores {
		c.watchAnyway(f)
	}
	return c.wait(ctx)
}

// watchAnyway has f counted when it is done; if it is, in the turn that its done callback would
// have.
func (c *countdown) watchAnyway(f *core) {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := c.watchLocked(f)
	if f.state.Load() != int32(Pending) {
		f.watchers.remove(&m.node)
		m.notify()
	}
}

// ours is what our futures have, and what embeds them.
type ours interface{ futureCore() *core }

// coreOf is the core of w, or one that is settled when w, somebody else's, is done or stop is
// called.
func coreOf(w Waiter) (c *core, stop func()) {
	if f, ok := w.(ours); ok {
		return f.futureCore(), nil
	}
	c = new(core)
	if ctx, ok := w.(context.Context); ok {
		release := loopHere().afterForeign(ctx, func() { c.settle(Finished, nil) })
		return c, func() { release() }
	}
	stopped := make(chan struct{})
	settle, forget := func() { c.settle(Finished, nil) }, func() {}
	if l := loopHere(); l != nil && l.clock != nil {
		forget = l.watchForeign(w.Done(), settle)
		settle = func() { l.whileHeld(func() { c.settle(Finished, nil) }) }
	}
	go func() {
		select {
		case <-w.Done():
			settle()
		case <-stopped:
		}
	}()
	return c, func() {
		forget()
		close(stopped)
	}
}

// isDone reports whether w is; c is its core, if that is known.
func isDone(w Waiter, c *core) bool {
	if c != nil && c.State() != Pending {
		return true
	}
	if f, ok := w.(ours); ok {
		return f.futureCore().State() != Pending
	}
	select {
	case <-w.Done():
		return true
	default:
		return false
	}
}
