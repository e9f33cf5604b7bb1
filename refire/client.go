package refire

import (
	"context"
	"errors"
	"time"
)

// Client sends requests.
type Client interface {
	// Attempt sends r once: at most one request on the wire, whatever happens to it. It reads the answer to its end (bounded), keeps nothing of it, follows
	// nothing, and returns when it is done with it. It may be called from many tasks at once, each of which it suspends; from any other goroutine, which it
	// blocks. When ctx ends it returns soon.
	Attempt(ctx context.Context, r *Request) Answer
}

// Answer is what came of an attempt.
type Answer struct {
	Status  int           // 0: none
	Bytes   int64         // of the body, as far as it was read
	Latency time.Duration // until the body's end, or until it failed
	Err     *Failure      // nil: a whole answer
	Unsent  bool          // no byte of the request left this machine

	RetryAfter time.Duration // how long the server asks to be left alone, at most MaxRetryAfter; 0: it does not
}

// overload reports whether a is what a server or what stands before it says when it is down or has too much to do. A 500 is not: more often it is about the page.
func (a *Answer) overload() bool {
	switch a.Status {
	case 429, 502, 503, 504:
		return true
	}
	return a.Err != nil
}

// mayRepeat reports whether another attempt makes sense and does no harm: the answer is one that time may heal, and the request either does the same when it
// arrives twice (RFC 9110, 9.2.2) or did not arrive.
func (a *Answer) mayRepeat(method string) bool {
	heals := a.Err != nil || a.Status >= 500 || a.Status == 429
	return heals && (a.Unsent || isIdempotent(method))
}

// endsRun is why nothing more can be fired from this machine, whatever the request; nil: it can. That says nothing about the entry.
func (a *Answer) endsRun() error {
	var proxy *ProxyError
	switch {
	case a.Err == nil:
		return nil
	case a.Unsent && isLocal(a.Err):
		return &LocalError{a.Err.Err}
	case errors.As(a.Err, &proxy) && proxy.WantsPassword():
		return proxy
	}
	return nil
}
