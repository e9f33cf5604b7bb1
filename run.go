package aio

import (
	"context"
	"errors"
	"runtime"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// Run runs main as the first task of a new loop, on the calling goroutine, and returns what main
// returned: asyncio.run. A main without a result: see [Do]. When main has ended, the loop is closed
// as by [Loop.Close]: what still runs is cancelled and waited for, for no longer than the grace
// period, 5 seconds unless [WithGrace] says otherwise. If a call on an executor outlasts that, a
// *StuckError is joined to main's error. If main panicked, Run panics with its *PanicError; if it
// called runtime.Goexit, the error is ErrGoexit.
//
// When ctx ends, main's context does. Run blocks; in a task or a callback of a running loop it
// returns ErrWouldDeadlock.
func Run[T any](ctx context.Context, main func(context.Context) (T, error), opts ...Option) (T, error) {
	t := newTask(main)
	if ctx == nil {
		noContext()
	}
	if runnerOf(goid.Get()) != nil {
		var none T
		return none, ErrWouldDeadlock
	}
	l := newLoop(opts)
	if l.onThread {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	if l.clock != nil { // in a call on an executor: what that waits for is this loop
		l.callers = callerOf(goid.Get())
		l.callers.pause()
	}
	defer l.enter()()
	defer l.wrapUp()    // also when a callback's Goexit unwinds this goroutine, or ctx panics
	t.taken.Store(true) // Run passes its outcome on
	t.start(ctx, l, nil, nil)
	stop := mainDone{loop: l}
	stop.owner = &stop
	t.watchers.push(&stop.node)
	l.run()
	stuck := l.wrapUp()

	v, err := t.Result()
	if t.task.panicked {
		panic(err) // its *PanicError
	}
	if stuck != nil {
		err = errors.Join(err, stuck)
	}
	return v, err
}

// mainDone closes the loop of Run once its main task is done: as in asyncio.run, after what is
// ready by then.
type mainDone struct {
	node
	loop *Loop
}

func (m *mainDone) notify() bool { return m.loop.schedule(m) }
func (m *mainDone) run()         { m.loop.closing.wanted = true }

// Start runs a new loop on a goroutine of its own; with [OnThread], on an OS thread of its own.
// Whoever calls it owns the loop and must Close it. From any goroutine; it does not suspend.
func Start(opts ...Option) *Loop {
	l := newLoop(opts)
	l.moves = !l.onThread
	go l.own()
	return l
}

// own is a goroutine of a loop that Start made.
func (l *Loop) own() {
	if l.onThread {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
	}
	defer l.goOn()
	defer l.enter()()
	defer func() {
		if !l.moving {
			l.wrapUp()
		}
	}()
	l.run()
}

// goOn gives the loop another goroutine if this one, which ends, was made to by a callback.
func (l *Loop) goOn() {
	if l.moving {
		l.moving = false
		go l.own()
	}
}

// enter makes the calling goroutine the loop's.
func (l *Loop) enter() (leave func()) {
	g := goid.Get()
	l.g.Store(g)
	new(runner).enroll(g)
	return func() {
		l.g.Store(0)
		strike(g)
	}
}
