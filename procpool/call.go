package procpool

import (
	"container/list"
	"context"
	"errors"
	"fmt"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

// call is one call.
//
//	queued -> running, in a worker -> over
//	queued, running -> over, when its ctx ends
//	running -> queued, once, if its worker cannot have read it
//
// While it runs somebody exchanges its frames. If there was a worker at once, that is who made the call: a
// goroutine that may block, or a task and its loop (see onloop.go). Otherwise a goroutine of the pool's.
type call struct {
	job.Call
	place  *list.Element // guarded by Pool.mu; while queued
	worker *worker       // guarded by Pool.mu; while running
	seq    uint64        // set when it gets a worker; its number there
	over   bool          // guarded by Pool.mu
	resent bool          // guarded by Pool.mu
	// placed is closed when it runs or has failed; nil: was closed, or nobody waits for that alone.
	placed  chan struct{} // guarded by Pool.mu until it is over
	done    chan struct{} // closed when outcome and err are there; never, if its ctx ended first
	outcome []byte
	err     error
	settled *aio.Promise[struct{}] // resolved after done is closed; nil: nobody waits so
}

func newCall(c job.Call) *call { return &call{Call: c, done: make(chan struct{})} }

// The waits of a call are a goroutine's, on bare channels: a task that does not leave the answer to its
// loop has one wait for it, as a call on an executor. So a loop's [aio.Clock] stands still while its call is out, or is to have a
// worker. A wait for something of aio's would let time pass, which means nothing to a process.

// apart has a goroutine wait for a task.
func apart[T any](ctx context.Context, wait func(context.Context) (T, error)) (T, error) {
	if aio.InTask() {
		return aio.InExecutor(ctx, goroutines{}, wait).Await(ctx)
	}
	return aio.Blocking(ctx, wait) // a goroutine calls it here; a callback is refused
}

// goroutines is an executor that gives each call a goroutine.
type goroutines struct{}

func (goroutines) Submit(_ context.Context, call func()) error { go call(); return nil }
func (goroutines) Close() error                                { return nil }

// Execute runs a call in a worker and returns its outcome. It suspends a task and blocks any other
// goroutine until then: calls wait for a free worker in the order they came. When ctx ends first, a
// call that waits never runs, and the worker of one that runs is killed, with whatever the job has
// started; Execute returns ctx's error. After an error c.Payload must not be changed: it may still be
// on its way.
//
// Its error is *WorkerDied if the worker ended under the call, or wraps what kept workers from
// starting, several times in a row; *job.EncodeError if the argument or the result is larger than
// Config.MaxFrameBytes; aio.ErrGoexit if the job called runtime.Goexit; aio.ErrClosed after Close; in
// a callback aio.ErrWouldDeadlock. How the job itself fails is in the outcome.
func (p *Pool) Execute(ctx context.Context, c job.Call) ([]byte, error) {
	if !aio.InTask() {
		// A goroutine calls this here; in a callback it is refused before anything is sent.
		return aio.Blocking(ctx, func(ctx context.Context) ([]byte, error) { return p.block(ctx, c) })
	}
	call := newCall(c)
	w, err := p.accept(ctx, call)
	if err != nil {
		return nil, err
	}
	if w != nil {
		if t := direct(call); t != nil {
			return p.onLoop(ctx, t, w, call)
		}
	}
	outcome, err := apart(ctx, func(ctx context.Context) ([]byte, error) { return p.settled(ctx, w, call) })
	if err != nil {
		p.withdraw(call)
	}
	return outcome, err
}

// block is Execute in a goroutine that is no task.
func (p *Pool) block(ctx context.Context, c job.Call) ([]byte, error) {
	call := newCall(c)
	w, err := p.accept(ctx, call)
	if err != nil {
		return nil, err
	}
	return p.settled(ctx, w, call)
}

// settled is the outcome of an accepted call, which w has, or nobody yet.
func (p *Pool) settled(ctx context.Context, w *worker, c *call) ([]byte, error) {
	if w != nil {
		return p.exchangeHere(ctx, w, c)
	}
	return p.await(ctx, c)
}

// Accept is the first half of Execute: it waits until a worker has the call, so that whoever starts
// many calls is held back ([job.Accepter]). It suspends a task and blocks any other goroutine until
// then; if there is a worker it returns at once. Its errors, and what happens when ctx ends, are
// Execute's.
//
// outcome is the other half. It must be called, once; it blocks a goroutine, also one of a task. When
// its own ctx ends first, the worker is killed.
func (p *Pool) Accept(ctx context.Context, c job.Call) (outcome func(context.Context) ([]byte, error), err error) {
	call, placed := newCall(c), make(chan struct{})
	call.placed = placed
	w, err := p.accept(ctx, call)
	if err != nil {
		return nil, err
	}
	if w == nil {
		_, err := apart(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, wait(ctx, placed) })
		if err != nil {
			p.withdraw(call)
			return nil, err
		}
	}
	return func(ctx context.Context) ([]byte, error) { return p.settled(ctx, w, call) }, nil
}

// accept gives the call to an idle worker, which it returns, or has it wait for one.
func (p *Pool) accept(ctx context.Context, c *call) (*worker, error) {
	if err := p.canTravel(&c.Call); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, endOf(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, aio.ErrClosed
	}
	p.calls++
	w := p.takeIdle()
	if w == nil {
		c.place = p.queue.PushBack(c)
		p.startNeeded()
		return nil, nil
	}
	p.assign(w, c)
	return w, nil
}

// exchangeHere has the calling goroutine exchange the call's frames.
func (p *Pool) exchangeHere(ctx context.Context, w *worker, c *call) ([]byte, error) {
	if ctx.Err() != nil {
		p.release(w, c)
		return p.await(ctx, c)
	}
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, func() { p.withdraw(c) })()
	}
	if following := w.exchange(c); following != nil {
		go w.work(following)
	}
	return p.await(ctx, c)
}

// canTravel refuses what is too large before anything is sent.
func (p *Pool) canTravel(c *job.Call) error {
	var err error
	switch {
	case len(c.Payload) > p.config.MaxFrameBytes:
		err = errors.New(tooLarge("argument", len(c.Payload), p.config.MaxFrameBytes))
	case len(c.ID)+len(c.Name) > maxFrameHead:
		err = fmt.Errorf("its id and name have %d bytes, at most %d may be", len(c.ID)+len(c.Name), maxFrameHead)
	default:
		return nil
	}
	return &job.EncodeError{Name: c.Name, Err: err}
}

// tooLarge is, for people, what is wrong with an argument or a result.
func tooLarge(what string, size, limit int) string {
	return fmt.Sprintf("its %s has %d bytes encoded, more than the pool's MaxFrameBytes, %d: raise that, or have the %s be the name of a file", what, size, limit, what)
}

// await waits for the outcome of an accepted call.
func (p *Pool) await(ctx context.Context, c *call) ([]byte, error) {
	if err := wait(ctx, c.done); err != nil {
		p.withdraw(c)
		return nil, err
	}
	return c.outcome, c.err
}

// wait blocks until done is closed, or ctx has ended.
func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return endOf(ctx)
	}
}

// endOf is ctx's error as aio words it.
func endOf(ctx context.Context) error {
	_, err := aio.NewPromise[struct{}]().Await(ctx)
	return err
}

// release takes back a call that its worker has not been sent.
func (p *Pool) release(w *worker, c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.call != c {
		return
	}
	p.end(c)
	if w.serves {
		if following := p.next(w); following != nil {
			go w.work(following)
		}
	}
}

// withdraw ends a call whose caller does not wait for it any more, if it is not over.
func (p *Pool) withdraw(c *call) {
	p.mu.Lock()
	if c.over {
		p.mu.Unlock()
		return
	}
	w := c.worker
	if w != nil {
		w.cancelled = true
		p.stats.Killed++
		p.expel(w)
	}
	p.end(c)
	p.mu.Unlock()
	if w != nil {
		w.kill("")
	}
}

// settle gives the call its outcome.
func (c *call) settle(f *frame) {
	switch f.kind {
	case frameOutcome:
		c.outcome = f.body
		c.tell()
	case frameRefused:
		c.fail(&job.EncodeError{Name: c.Name, Err: errors.New(string(f.body))})
	default:
		c.fail(aio.ErrGoexit)
	}
}

// fail makes err the outcome of a call that is over.
func (c *call) fail(err error) {
	c.err = err
	c.tell()
	c.hasPlace()
}

// tell tells who waits that there is an outcome.
func (c *call) tell() {
	close(c.done)
	if c.settled != nil {
		c.settled.Resolve(struct{}{})
	}
}

// frame is what its worker is sent.
func (c *call) frame() frame {
	return frame{kind: frameCall, seq: c.seq, id: c.ID, name: c.Name, body: c.Payload}
}

// hasPlace tells who waits for it that the call runs, or has failed.
func (c *call) hasPlace() {
	if c.placed != nil {
		close(c.placed)
		c.placed = nil
	}
}
