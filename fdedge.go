package aio

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio/internal/goid"
	"github.com/seed8b1f0744/aio/internal/netpoll"
	"github.com/seed8b1f0744/aio/internal/selector"
)

func init() {
	netpoll.Running = func() (netpoll.Task, bool) {
		t, onLoop := runningHere()
		if t == nil { // not a nil *task in an interface
			return nil, onLoop
		}
		return t, true
	}
	netpoll.MayBlock = func() error {
		if pulledByTask() {
			return ErrWouldDeadlock
		}
		return nil
	}
	netpoll.WatchOn = watchOn
	netpoll.Ended = ended
	netpoll.Report = reportFor
}

// edge is a descriptor of a connection's, which owns it: nobody else closes it, so nobody needs to look
// whether it still is the same file. It is reported each time that it gets ready, and once armed it
// stays so. It implements netpoll.Watch.
type edge struct {
	table *descriptors // immutable, as the descriptor
	of    *descriptor

	timers *[2]edgeTimer // loop only, as these; nil: none was ever armed
	timed  atomic.Bool   // the same, for others
	ready  [2]bool       // as far as is known
	hup    bool          // the other side will send no more: that is reported once
	urgent bool          // there has been urgent data, at which reads end
}

// edges is what a connection is registered for.
const edges = selector.In | selector.Out | selector.Edge

// edgeTimer wakes those who wait for a side when the first of their times is over.
type edgeTimer struct {
	handle Handle // loop only, as these
	when   int64  // 0: not armed
	fn     func() // made when first armed
}

// Own implements netpoll.Task.
func (t *task) Own() context.Context { return &t.ctx }

// Watch implements netpoll.Task.
func (t *task) Watch(fd int) (netpoll.Watch, error) { return t.ctx.loop.watchOwned(fd) }

// Direct implements netpoll.Task.
func (t *task) Direct() bool { return selector.Inline && !t.ctx.loop.bubbled }

func watchOn(ctx context.Context, fd int) (netpoll.Watch, error) {
	l, ok := LoopOf(ctx)
	if !ok {
		return nil, ErrNoLoop
	}
	return l.watchOwned(fd)
}

func (l *Loop) watchOwned(fd int) (netpoll.Watch, error) {
	d, err := l.descriptors()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	e, err := d.watchEdge(fd)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// runningHere is the task that the calling goroutine runs; nil if it runs none, and then onLoop tells
// whether it is a loop's.
func runningHere() (t *task, onLoop bool) {
	r := runnerOf(goid.Get())
	if r == nil {
		return nil, false
	}
	return r.task, true
}

// taskHere is the task of l that the calling goroutine, which may be any, runs; nil if none.
func (l *Loop) taskHere() *task {
	if w := l.current.Load(); w != nil && w.co.G() == goid.Get() {
		return w.task
	}
	return nil
}

// watchEdge registers fd, which its owner has just made or was the only one to use. Called with mu held.
func (d *descriptors) watchEdge(fd int) (*edge, error) {
	if d.closed {
		return nil, ErrClosed
	}
	switch a := d.of.at(fd); {
	case a == nil:
	case a.edge == nil && d.sel.Has(fd, a.had, a.last, a.tag): // somebody waited for it before, as for any descriptor
		d.lose(a, errOwned)
	default: // of a file that had the number before
		d.lose(a, selector.ErrGone)
	}
	both := new(struct { // of each connection that rests: one piece of memory, which has no room to spare
		descriptor
		edge
	})
	a, e := &both.descriptor, &both.edge
	if err := d.enter(a, fd, edges); err != nil {
		return nil, err
	}
	a.edge = e
	e.table, e.of, e.ready = d, a, [2]bool{true, true}
	return e, nil
}

// got notes a report. On the loop, with the table's mu held.
func (e *edge) got(ready selector.Events) {
	for i := range e.ready {
		if ready&wanted[i] != 0 {
			e.ready[i] = true
			e.table.wake(&e.of.sides[i])
		}
	}
	e.hup = e.hup || ready&selector.Hup != 0
	e.urgent = e.urgent || ready&selector.Urgent != 0
	e.table.count(e.of)
}

// Here implements netpoll.Watch.
func (e *edge) Here() context.Context {
	if t := e.table.loop.taskHere(); t != nil {
		return &t.ctx
	}
	return nil
}

// OnLoop implements netpoll.Watch.
func (e *edge) OnLoop() bool { return e.table.loop.onLoop() }

// Of implements netpoll.Watch.
func (e *edge) Of(t netpoll.Task) bool { return t.(*task).ctx.loop == e.table.loop }

// On implements netpoll.Watch.
func (e *edge) On(loop any) bool { return loop == any(e.table.loop) }

// Ready implements netpoll.Watch.
func (e *edge) Ready(side int) bool {
	return e.ready[side] && e.table.loop.mayGoOn()
}

// Known implements netpoll.Watch.
func (e *edge) Known(side int) bool { return e.ready[side] }

// Suspect implements netpoll.Watch.
func (e *edge) Suspect(side int) { e.ready[side] = true }

// Clear implements netpoll.Watch.
func (e *edge) Clear(side int) { e.ready[side] = false }

// Drained implements netpoll.Watch. What comes later is reported; the end of the other side may have
// been already.
//
// A read of tcp also ends at urgent data, whatever comes behind. The system wakes its set for that when the byte has
// come, and reports it from then on until a read has passed it. So if it ended this read, either that was reported
// before the read, and is known; or it is still to be reported, and makes the side ready again. Urgent data that somebody
// read by itself is reported no more, but still ends reads: whoever lends the descriptor to others must not call
// Drained any more.
func (e *edge) Drained() {
	if selector.TellsUrgent && !e.hup && !e.urgent {
		e.ready[reading] = false
	}
}

// Wait implements netpoll.Watch.
func (e *edge) Wait(ctx context.Context, side int, within time.Duration) error {
	t := e.table.loop.taskHere()
	if t == nil { // whom another one pulls
		t, _ = runningHere()
	}
	t.checkpoint()
	if e.ready[side] { // but others had no turn for long
		return t.letOthers(ctx)
	}
	d, l := e.table, e.table.loop
	var when int64
	if within > 0 {
		when = l.after(within)
		e.arm(side, when)
	}
	w := &t.waiter
	d.mu.Lock()
	if gone := e.of.gone; gone != nil {
		d.mu.Unlock()
		return gone
	}
	w.begin(ctx, waitsFor[side])
	e.of.sides[side].waiters.push(&w.node)
	d.count(e.of)
	d.mu.Unlock()
	err := w.park(ctx)
	if err != nil {
		d.mu.Lock()
		e.of.sides[side].waiters.remove(&w.node)
		d.count(e.of)
		d.mu.Unlock()
		return err
	}
	if when != 0 && !e.ready[side] && l.now() >= when {
		return netpoll.ErrTimeout
	}
	return nil
}

// arm has those who wait for side woken at when, at the latest. A timer is not taken back when there is
// nobody to wake any more: a connection whose deadline is moved with each request would do nothing
// else.
func (e *edge) arm(side int, when int64) {
	if e.timers == nil {
		e.timers = new([2]edgeTimer)
		e.timed.Store(true)
	}
	t := &e.timers[side]
	if t.when != 0 {
		if t.when <= when {
			return
		}
		t.handle.Cancel()
	}
	if t.fn == nil {
		t.fn = func() {
			t.when = 0
			e.Wake(side)
		}
	}
	t.when = when
	t.handle, _ = e.table.loop.arm(when, t.fn, slotTimer)
}

// OnReady implements netpoll.Watch.
func (e *edge) OnReady(side int, fn func()) {
	d := e.table
	d.mu.Lock()
	defer d.mu.Unlock()
	s := &e.of.sides[side]
	s.drop()
	if fn != nil && e.of.gone == nil {
		s.call = &fdCall{loop: d.loop, fn: fn}
	}
	d.count(e.of)
}

// Again implements netpoll.Watch.
func (e *edge) Again() {
	d := e.table
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.of.gone != nil {
		return
	}
	if err := d.arm(e.of, edges); err != nil {
		d.lose(e.of, err)
	}
}

// Wake implements netpoll.Watch.
func (e *edge) Wake(side int) {
	d := e.table
	d.mu.Lock()
	defer d.mu.Unlock()
	e.of.sides[side].waiters.notifyAll()
	d.count(e.of)
}

// Close implements netpoll.Watch.
func (e *edge) Close() {
	d, a := e.table, e.of
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.gone != nil {
		return
	}
	d.sel.Remove(int(a.fd), a.had)
	a.sides[reading].drop()
	a.sides[writing].drop()
	d.release(a, ErrClosed)
	d.of.remove(int(a.fd))
	d.count(a)
	switch {
	case !e.timed.Load():
	case d.loop.onLoop():
		e.disarm()
	default:
		d.loop.schedule((*disarm)(e))
	}
}

// disarm takes back the timers of a connection that was closed, on the loop.
type disarm edge

// run implements runnable.
func (e *disarm) run() { (*edge)(e).disarm() }

func (e *edge) disarm() {
	for i := range e.timers {
		if t := &e.timers[i]; t.when != 0 {
			t.handle.Cancel()
			t.when = 0
		}
	}
}

// Over implements netpoll.Watch.
func (e *edge) Over() bool {
	d := e.table
	d.mu.Lock()
	defer d.mu.Unlock()
	return e.of.gone != nil
}

// reportFor hands a failure to the hook of ctx's loop, on that loop: at once in a callback, else in the next iteration,
// for a hook is never called inside a task.
func reportFor(ctx context.Context, of any, err error) {
	what := Failure{Err: err}
	if t, ok := of.(interface{ taskInfo() TaskInfo }); ok {
		what.Task = t.taskInfo()
	}
	l, ok := LoopOf(ctx)
	if !ok {
		return
	}
	r := lateFailure{l, what}
	if t, _ := runningHere(); t == nil && l.onLoop() || !l.schedule(r) {
		r.run()
	}
}

func (t *Task[T]) taskInfo() TaskInfo { return t.task.info() }
