package job

import (
	"context"
	"fmt"
)

// Serve runs a call on the far side: it looks the name up, decodes, runs the job, and encodes the
// result, the error or the panic. There always is an outcome, for a name it does not know and for a
// payload it cannot read, too.
//
// The job runs in the calling goroutine, so Serve may be called in a task, which it suspends if the
// job does, and in any other goroutine. The job's ctx ends when ctx does, or when the caller's
// deadline has passed. c.Payload belongs to the job from then on: parts of it may be in the job's
// argument, so a second delivery needs a copy.
//
// A job that calls runtime.Goexit ends the goroutine that called Serve, which then does not return:
// an executor notices that by a defer, and has its Execute return aio.ErrGoexit.
func Serve(ctx context.Context, c Call) (outcome []byte) {
	m, err := parseMessage(c.Payload)
	if err != nil {
		return encodeRefusal(err)
	}
	e, ok := jobs.find(c.Name)
	if !ok {
		return encodeUnknown(c.Name)
	}
	if m.left > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, m.left)
		defer cancel()
	}
	return e.serve(ctx, m)
}

// serve is the part of Serve that knows the types.
func (j *Job[In, Out]) serve(ctx context.Context, m message) (outcome []byte) {
	defer func() {
		if p := recover(); p != nil {
			outcome = encodePanic(p)
		}
	}()
	in, err := j.in.decode(m)
	if err != nil {
		return encodeRefusal(fmt.Errorf("its argument cannot be read on the other side: %w", err))
	}
	out, err := j.fn(ctx, in)
	if err != nil {
		return encodeError(err)
	}
	outcome, err = j.out.encode(0, &out)
	if err != nil {
		return encodeRefusal(fmt.Errorf("its result cannot travel: %w", err))
	}
	return outcome
}
