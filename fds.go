package aio

import (
	"context"
	"sync/atomic"

	"github.com/seed8b1f0744/aio/internal/selector"
)

// What is wanted of a descriptor, and where that stands in descriptor.sides.
const (
	reading = iota
	writing
)

var wanted = [...]selector.Events{reading: selector.In, writing: selector.Out}

// AddReader has fn called on the loop, as by CallSoon, each time that a read of the descriptor fd
// would not block: asyncio's add_reader. It is level-triggered: fn is called once per iteration as
// long as there is something to read, or the other side has hung up, or fd has an error to tell. It
// takes the place of the fd's reader before, which is not called any more; any number of tasks can
// wait in [Readable] beside it. From any goroutine; it does not suspend.
//
// fd is a number, and stays the caller's: RemoveReader must come before fd is closed. A descriptor
// that is closed without that is found out at the next report, when it is watched anew, or by looking:
// within a second, a second more for each 256 descriptors that are watched (not in a testing/synctest
// bubble). Then fn is dropped, and Hooks.Unhandled told with an error that Is os.ErrClosed. What
// gets the number next is not watched by that fn. fd should be in non-blocking mode, so that a read
// that somebody else was quicker at does not hold the loop.
//
// Regular files, directories and the like are always ready and can't be watched: the error Is
// errors.ErrUnsupported (read them in [Blocking]), as it is on systems other than Linux, macOS and
// the BSDs. For what is no open descriptor it Is os.ErrClosed, on a closed loop ErrClosed; else it is the
// system's, which has limits for descriptors, and for those that are watched.
//
// Nor can that of a connection of package aionet be watched, once a task has used it: the error Is errors.ErrUnsupported,
// too. A callback that was added before is dropped then, and Hooks.Unhandled told so.
//
// With [WithClock] an event arrives at the time that the clock then shows; waiting for one does not
// hold the clock. The loop polls before it lets time pass: what its own tasks have written to a pipe or a
// socket is seen first, where it has arrived. Whoever writes elsewhere, in a goroutine, another process or
// another loop, can be jumped over: have it write in a call on an executor, or hold the clock. In a testing/synctest bubble time stands still while the loop waits for one, as it
// does for all I/O.
//
// The loop polls before each of its iterations while anything is watched: a system call of some 0.2 us.
// On macOS and the BSDs a loop that sleeps while it watches descriptors takes a thread.
func (l *Loop) AddReader(fd int, fn func()) error { return l.addFD(fd, reading, fn) }

// RemoveReader undoes AddReader and reports whether there was a reader: asyncio's remove_reader. It
// is not called any more, even if its turn had come. From any goroutine; it does not suspend, nor
// does it wait for a call that has begun.
func (l *Loop) RemoveReader(fd int) bool { return l.removeFD(fd, reading) }

// AddWriter is AddReader for writing: fn is called once per iteration as long as a write to the
// descriptor fd would not block, which is nearly always. From any goroutine; it does not suspend.
func (l *Loop) AddWriter(fd int, fn func()) error { return l.addFD(fd, writing, fn) }

// RemoveWriter undoes AddWriter and reports whether there was a writer. From any goroutine; it does
// not suspend. Everything else is as in RemoveReader.
func (l *Loop) RemoveWriter(fd int) bool { return l.removeFD(fd, writing) }

// Readable waits until a read of the descriptor fd would not block: because there is something to
// read, the other side has hung up, or fd has an error to tell. It suspends a task and blocks any
// other goroutine; if fd is ready, it returns at once. In a callback it is ErrWouldDeadlock, unless
// fd is ready. All who wait for one descriptor are woken; whoever reads first may leave nothing for
// the others, so fd should be in non-blocking mode.
//
// Its error is ctx's if that ended first; nothing is lost then. Without a loop in ctx it is ErrNoLoop, on a closed loop ErrClosed. It Is
// os.ErrClosed if fd is not open, and if it is closed meanwhile, which takes up to a second to be
// found out, or longer: see [Loop.AddReader], also for what can't be waited for
// (errors.ErrUnsupported), for what goes with clocks, and for all else.
func Readable(ctx context.Context, fd int) error { return waitFD(ctx, fd, reading) }

// Writable waits until a write to the descriptor fd would not block. It suspends a task and blocks
// any other goroutine; if fd is ready, it returns at once. Everything else is as in [Readable].
func Writable(ctx context.Context, fd int) error { return waitFD(ctx, fd, writing) }

// fdCall is the callback of AddReader or AddWriter. It stands in the ready queue each time that it is
// to be called.
type fdCall struct {
	loop   *Loop
	fn     func()
	off    atomic.Bool // removed, or another one has taken its place
	queued bool        // loop only: it is in the ready queue
}

// run implements runnable.
func (c *fdCall) run() {
	c.queued = false
	if !c.off.Load() {
		c.loop.protect(c.fn)
	}
}

func (l *Loop) addFD(fd, side int, fn func()) error {
	mustCall(fn)
	d, err := l.descriptors()
	if err != nil {
		return err
	}
	want := wanted[side]
	if selector.Levels {
		want |= selector.Level
	}
	d.mu.Lock()
	at, err := d.watch(fd, want)
	if err == nil {
		s := &at.sides[side]
		s.drop()
		s.call = &fdCall{loop: l, fn: fn}
		d.count(at)
	}
	d.mu.Unlock()
	return err
}

func (l *Loop) removeFD(fd, side int) bool {
	d := l.fds.all.Load()
	if d == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.of.at(fd)
	if at == nil || at.edge != nil || !at.sides[side].drop() { // a connection's callback is its own
		return false
	}
	d.settle(at)
	return true
}

var waitsFor = [...]reason{reading: onReading, writing: onWriting}

func waitFD(ctx context.Context, fd, side int) error {
	if err := ended(ctx); err != nil {
		return err
	}
	l, ok := LoopOf(ctx)
	if !ok {
		return ErrNoLoop
	}
	d, err := l.descriptors()
	if err != nil {
		return err
	}
	if ready, err := d.ready(fd, wanted[side]); ready || err != nil {
		return err
	}
	w, err := waiterFor(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	at, err := d.watch(fd, wanted[side])
	if err != nil {
		d.mu.Unlock()
		return err
	}
	w.begin(ctx, waitsFor[side])
	at.sides[side].waiters.push(&w.node)
	d.count(at)
	d.mu.Unlock()
	err = w.park(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		at.sides[side].waiters.remove(&w.node)
		d.count(at)
		return err
	}
	return at.gone
}
