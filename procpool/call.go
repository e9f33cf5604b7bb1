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
// While it runs a goroutine exchanges its frames: the one that made the call, if there was a worker at
// once and it may block, or else one of the pool's.
type call struct {
	job.Call
	place   *list.Element          // guarded by Pool.mu; while queued
	worker  *worker                // guarded by Pool.mu; while running
	seq     uint64                 // set when it gets a worker; its number there
	over    bool                   // guarded by Pool.mu
	resent  bool                   // guarded by Pool.mu
	placed  *aio.Promise[struct{}] // resolved when it runs or has failed; nil: nobody waits for that alone
	outcome aio.Promise[[]byte]
}

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
	call := &call{Call: c}
	w, err := p.accept(ctx, call)
	if err != nil {
		return nil, err
	}
	if w != nil {
		go w.work(call)
	}
	return p.await(ctx, call)
}

// block is Execute in a goroutine that is no task.
func (p *Pool) block(ctx context.Context, c job.Call) ([]byte, error) {
	call := &call{Call: c}
	w, err := p.accept(ctx, call)
	if err != nil {
		return nil, err
	}
	if w != nil {
		return p.exchangeHere(ctx, w, call)
	}
	return p.await(ctx, call)
}

// Accept is the first half of Execute: it waits until a worker has the call, so that whoever starts
// many calls is held back ([job.Accepter]). It suspends a task and blocks any other goroutine until
// then; if there is a worker it returns at once. Its errors, and what happens when ctx ends, are
// Execute's.
//
// outcome is the other half. It must be called, once; it blocks a goroutine, also one of a task. When
// its own ctx ends first, the worker is killed.
func (p *Pool) Accept(ctx context.Context, c job.Call) (outcome func(context.Context) ([]byte, error), err error) {
	call := &call{Call: c, placed: aio.NewPromise[struct{}]()}
	w, err := p.accept(ctx, call)
	if err != nil {
		return nil, err
	}
	if w != nil {
		return func(ctx context.Context) ([]byte, error) { return p.exchangeHere(ctx, w, call) }, nil
	}
	if _, err := call.placed.Await(ctx); err != nil {
		p.withdraw(call)
		return nil, err
	}
	return func(ctx context.Context) ([]byte, error) { return p.await(ctx, call) }, nil
}

// accept gives the call to an idle worker, which it returns, or has it wait for one.
func (p *Pool) accept(ctx context.Context, c *call) (*worker, error) {
	if err := p.canTravel(&c.Call); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		_, err := c.outcome.Await(ctx) // which words it
		return nil, err
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
	outcome, err := c.outcome.Await(ctx)
	if err != nil {
		p.withdraw(c)
		return nil, err
	}
	return outcome, nil
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
		c.outcome.Resolve(f.body)
	case frameRefused:
		c.fail(&job.EncodeError{Name: c.Name, Err: errors.New(string(f.body))})
	default:
		c.fail(aio.ErrGoexit)
	}
}

// fail rejects the outcome.
func (c *call) fail(err error) {
	c.outcome.Reject(err)
	if c.placed != nil {
		c.placed.Resolve(struct{}{})
	}
}
