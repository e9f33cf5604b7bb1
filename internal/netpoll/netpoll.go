// Package netpoll is the door through which packages aionet and procpool reach the loop that their
// caller runs on. Package aio puts itself behind it when it is initialised; nobody else uses it, and
// nothing of it is promised.
//
// Through it a connection, which owns its descriptor, is registered once with each loop whose tasks
// use it, edge-triggered: the loop notes that it got ready, without calling any code, and a task that
// waits is put into the ready queue in that same step. What a task learns by a system call (there is
// nothing left) it notes too, so that the next one need not ask. See docs/adr/0012.
package netpoll

import (
	"context"
	"errors"
	"time"
)

// What can be waited for.
const (
	In  = iota // a read
	Out        // a write
)

// ErrTimeout is the error of a Wait whose time is over.
var ErrTimeout = errors.New("netpoll: time is over")

// Task is a running task.
type Task interface {
	// Own is its own context.
	Own() context.Context
	// Watch registers a descriptor with its loop.
	Watch(fd int) (Watch, error)
	// Direct reports whether its loop waits for descriptors itself, in real time: there is no clock, no
	// bubble, and no helper between them.
	Direct() bool
	// Turn counts a call to the system that does not wait, of those that no Watch's Ready is asked for; every so many it
	// suspends the task, so that others have their turn. Its error is ctx's.
	Turn(ctx context.Context) error
}

// Watch is the registration of a descriptor with one loop. Unless said otherwise it is for tasks and
// callbacks of that loop only.
type Watch interface {
	// Here is the own context of the task of the loop that the calling goroutine, which may be any, runs; nil if
	// none.
	Here() context.Context
	// OnLoop reports whether the calling goroutine has the loop, be it in a task or a callback. From any.
	OnLoop() bool
	// Of reports whether the watch is of t's loop.
	Of(t Task) bool
	// On reports whether the watch is of loop, an *aio.Loop. From any goroutine.
	On(loop any) bool
	// Ready reports whether to try is worth a system call. It is also false when the caller must let
	// others run.
	Ready(side int) bool
	// Known reports whether side is ready, as far as is known: Ready for a callback, which does one thing at a time.
	Known(side int) bool
	// Suspect has Ready say so once, whatever is known: what is tried need not be a read or a write.
	Suspect(side int)
	// Clear notes that side is not ready: the system has just said so.
	Clear(side int)
	// Drained notes that a read of a tcp connection got less than it asked for: nothing is left then, unless urgent data
	// ended it, which Drained knows of.
	Drained()
	// Wait suspends the calling task until side may be ready, Wake, or Close, but not longer than
	// within; 0: as long as it takes. Its errors are ctx's and ErrTimeout.
	Wait(ctx context.Context, side int, within time.Duration) error
	// OnReady has fn called on the loop each time that side gets ready from now on; nil: not any more.
	// From any goroutine.
	OnReady(side int, fn func())
	// Again has what is ready now be reported anew, as if it had just got so: in the next iteration.
	Again()
	// Wake ends all Waits for side, from any goroutine.
	Wake(side int)
	// Close ends the registration and all Waits, from any goroutine. The descriptor must still be open.
	Close()
	// Over reports whether the loop has closed, from any goroutine.
	Over() bool
}

// What package aio gives.
var (
	// Running is the task that the calling goroutine runs, nil if none; onLoop: it is a loop's all the same,
	// so that it must not wait.
	Running func() (t Task, onLoop bool)
	// WatchOn registers a descriptor with ctx's loop, from any goroutine.
	WatchOn func(ctx context.Context, fd int) (Watch, error)
	// MayBlock fails where the calling goroutine, which is no loop's, must not wait either.
	MayBlock func() error
	// Ended is the error with which a wait under ctx ends.
	Ended func(ctx context.Context) error
	// Report tells Hooks.Unhandled of ctx's loop of a failure of t, an aio.Task or nil.
	Report func(ctx context.Context, t any, err error)
)
