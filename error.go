package aio

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// The conditions that callers test for with errors.Is.
var (
	// ErrCancelled is what awaiting a cancelled task, call or promise gives. The errors that carry
	// it also are context.Canceled, the cause given to Cancel, and, if a deadline is how the task's
	// context ended, context.DeadlineExceeded too. A wait under a context whose deadline has passed
	// gives DeadlineExceeded alone: who cleans up after either asks ctx.Err() != nil.
	ErrCancelled error = cancelled{}

	// ErrPending is the error of Future.Result before there is one.
	ErrPending = errors.New("aio: result not ready")

	// ErrNoLoop is the error of what needs a loop and got a context without one. Pass the context
	// of a task, or Loop.Context.
	ErrNoLoop = errors.New("aio: no loop in this context: pass the one that the task's function is given, or Loop.Context")

	// ErrClosed is the error of handing work to a loop or an executor that is closed, and the cause
	// with which a closing loop cancels.
	ErrClosed = errors.New("aio: closed: the loop or executor is closed or closing; await what must be done before that")

	// ErrWouldDeadlock is the error of waiting where nothing could end the wait:
	//
	//   - on a loop's goroutine outside a task, in a callback or a hook, and in an iterator that a
	//     task pulls by iter.Pull: wait in a task instead, Go starts one from a callback too;
	//   - Run in a task or callback of a running loop: call the function, or start it with Go;
	//   - Close and Shutdown in the loop's own tasks and callbacks: whoever started the loop closes
	//     it (Close does begin closing);
	//   - a task that awaits itself.
	ErrWouldDeadlock = errors.New("aio: would deadlock: it would wait for the very loop or task that it is called on; wait in another task (Go starts one)")

	// ErrFull is the error of a queue or an executor without room, where the caller asked not to
	// wait.
	ErrFull = errors.New("aio: full")

	// ErrEmpty is the error of Queue.TryGet on an empty queue.
	ErrEmpty = errors.New("aio: empty")

	// ErrQueueClosed is the error of putting into a closed Queue, and of getting from one that is
	// closed and empty.
	ErrQueueClosed = errors.New("aio: queue closed")

	// ErrBroken is the error of waiting at a Barrier that was aborted, or reset meanwhile.
	ErrBroken = errors.New("aio: barrier broken")

	// ErrGoexit is the outcome of a task that called runtime.Goexit, as testing.T.FailNow does.
	ErrGoexit = errors.New("aio: task called runtime.Goexit")
)

// cancelled is the type of ErrCancelled, which wraps context.Canceled.
type cancelled struct{}

func (cancelled) Error() string { return "aio: cancelled" }
func (cancelled) Unwrap() error { return context.Canceled }

// cancelledError is the outcome of something that was cancelled.
type cancelledError struct {
	err   error // what the task's function returned: Is its context's error. context.Canceled for what has no function
	cause error // nil if none was given
}

func newCancelledError(err, cause error) error {
	if cause == context.Canceled || cause == context.DeadlineExceeded {
		cause = nil // says no more than err
	}
	if cause == nil && err == context.Canceled {
		return ErrCancelled
	}
	return &cancelledError{err, cause}
}

func (e *cancelledError) Error() string {
	why := e.cause
	if why == nil {
		why = e.err
	}
	return "aio: cancelled: " + why.Error()
}

func (e *cancelledError) Unwrap() []error {
	if e.cause == nil {
		return []error{ErrCancelled, e.err}
	}
	return []error{ErrCancelled, e.err, e.cause}
}

// contextError is the error of a wait whose context ended, where the cause says more than the
// context's own error.
type contextError struct {
	err   error // context.Canceled or context.DeadlineExceeded
	cause error
}

func (e *contextError) Error() string   { return fmt.Sprintf("%v: %v", e.err, e.cause) }
func (e *contextError) Unwrap() []error { return []error{e.err, e.cause} }

// hidesFailure reports whether err, which Is ended (the error of a context that has ended), was
// joined from that and from a failure of another kind. Such an error says that something was
// cancelled, but also that something failed, and that must not be lost. WithGroup returns such
// errors.
func hidesFailure(err, ended, cause error) bool {
	for err != nil {
		if reflect.TypeOf(err) == joined {
			for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
				if !errors.Is(e, ended) && (cause == nil || !errors.Is(e, cause)) || hidesFailure(e, ended, cause) {
					return true
				}
			}
			return false
		}
		err = errors.Unwrap(err)
	}
	return false
}

// joined is the type of what errors.Join returns.
var joined = reflect.TypeOf(errors.Join(ErrPending))

// PanicError is what a panic in a task, or in a call on an executor, becomes: the outcome of that
// task or call.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // of the goroutine that panicked, as debug.Stack formats it
}

// Error is the panic's value and its stack, for whoever only prints the error.
func (e *PanicError) Error() string {
	return fmt.Sprintf("aio: panic: %v\n\n%s", e.Value, e.Stack)
}

// Unwrap returns Value if it is an error, and otherwise nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// StuckError is the error of a Close whose grace period ended first. It names what was left behind,
// still running, and says what each task did or waited for, see [Loop.Tasks].
type StuckError struct {
	Tasks []TaskInfo // one whose step does not end, and those that wait behind it
	Calls int        // on executors
}

func (e *StuckError) Error() string {
	var what []string
	for _, t := range e.Tasks {
		text := fmt.Sprintf("task %q", t.Name)
		switch {
		case t.On != "":
			text += " (" + t.State + ": " + t.On + ")"
		case t.State != "":
			text += " (" + t.State + ")"
		}
		what = append(what, text)
	}
	switch {
	case e.Calls == 1:
		what = append(what, "a call on an executor")
	case e.Calls > 1:
		what = append(what, fmt.Sprintf("%d calls on executors", e.Calls))
	}
	if len(what) == 0 {
		what = append(what, "a callback")
	}
	return "aio: still running when the grace period ended: " + strings.Join(what, ", ")
}
