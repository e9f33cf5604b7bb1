package job

import (
	"context"
	"crypto/rand"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/seed8b1f0744/aio"
)

// Executor carries encoded calls to somewhere that calls [Serve], and brings the encoded outcome
// back. It may be used from any goroutine.
//
// Execute waits for room and for the outcome; it is of one color: it suspends a task and blocks any
// other goroutine. Its error means that there is no outcome (the worker died, nobody serves, the
// executor is closed: aio.ErrClosed, ctx ended), not that the job failed: that is in the outcome.
// When ctx ends it stops the job, as well as it can, and returns. It must not change c.Payload, nor
// what it returned. Close takes no new calls and waits for those it took.
type Executor interface {
	Execute(ctx context.Context, c Call) (outcome []byte, err error)
	Close() error
}

// Accepter is an Executor that can tell that it has taken a call on before there is an outcome. In
// waits for that, so that whoever starts many calls is held back; with an Executor that cannot tell,
// In returns at once.
//
// Accept waits for room, and is of one color. Then outcome is called, once and in another goroutine,
// also if ctx has ended since; it waits for the outcome as Execute does, under a ctx of its own.
type Accepter interface {
	Executor
	Accept(ctx context.Context, c Call) (outcome func(context.Context) ([]byte, error), err error)
}

// Call is one call on the wire.
type Call struct {
	ID      string // unique, for executors that may deliver twice
	Name    string // of the job
	Payload []byte // the argument, encoded; any worker can read it, without another call before it
}

// In encodes in, runs the job on ex and returns its result to come. Whatever goes wrong is the
// future's error. When In has returned, in may be changed.
//
// It may be called in a task, which it suspends while ex has no room, and in any other goroutine,
// which it blocks; with an executor that is no [Accepter] it does not wait. Cancel of the future and
// the end of ctx reach the worker; the future is then cancelled at once. If ctx has a loop, Close of
// that loop waits for the call, and a failure that nobody takes goes to its Hooks.Unhandled; if it
// has none, such a failure is told to nobody.
//
// The error is what the job returned, as [*RemoteError], or its panic, as *aio.PanicError with the
// worker's stack; *EncodeError if the argument or the result cannot travel; *UnknownError if the
// worker has no such job; and otherwise ex's. On a [Local] executor nothing is encoded.
func (j *Job[In, Out]) In(ctx context.Context, ex Executor, in In) *aio.Future[Out] {
	if ex == nil {
		panic("aio: " + strconv.Quote(j.entry.name) + ".In needs an executor, got nil")
	}
	if l, ok := ex.(*local); ok {
		return aio.InExecutor(ctx, l, func(ctx context.Context) (Out, error) { return j.fn(ctx, in) })
	}
	s := &sending[In, Out]{job: j, ex: ex, in: &in}
	return aio.InExecutor(ctx, s, s.run)
}

// sending is a call on its way to ex: the aio.Executor of that one call.
type sending[In, Out any] struct {
	job     *Job[In, Out]
	ex      Executor
	in      *In // nil once encoded
	call    Call
	outcome func(context.Context) ([]byte, error) // from an Accepter
}

// Submit implements aio.Executor. It runs in the goroutine that called In.
func (s *sending[In, Out]) Submit(ctx context.Context, call func()) error {
	payload, err := s.job.encodeCall(ctx, s.in)
	if err != nil {
		return err
	}
	s.in = nil
	s.call = Call{ID: nextID(), Name: s.job.entry.name, Payload: payload}
	if a, ok := s.ex.(Accepter); ok {
		if s.outcome, err = a.Accept(ctx, s.call); err != nil {
			return err
		}
		s.call.Payload = nil
	}
	go call()
	return nil
}

// Close implements aio.Executor.
func (s *sending[In, Out]) Close() error { return nil }

// run is the function of the call.
func (s *sending[In, Out]) run(ctx context.Context) (Out, error) {
	var outcome []byte
	var err error
	if s.outcome != nil {
		outcome, err = s.outcome(ctx)
	} else {
		outcome, err = s.ex.Execute(ctx, s.call)
	}
	if err != nil {
		var none Out
		return none, err
	}
	return s.job.decodeOutcome(outcome)
}

// idPrefix tells this process from all others.
var idPrefix = sync.OnceValue(func() string { return rand.Text() + "-" })

var idCount atomic.Uint64

func nextID() string {
	var buf [48]byte
	return string(strconv.AppendUint(append(buf[:0], idPrefix()...), idCount.Add(1), 10))
}
