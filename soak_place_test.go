package aio_test

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/seed8b1f0744/aio"
)

// The executors of the bridge, and what they must have done.

// place is an executor that is watched. It is one itself, of a kind that aio does not know, which hands everything on.
type place struct {
	b      *bridge
	ex     aio.Executor
	pool   *aio.Pool // nil: ex is a Thread
	config aio.PoolConfig

	asked   atomic.Int64 // to take a call
	refused atomic.Int64
	full    atomic.Int64 // of those
	ran     atomic.Int64
	ended   atomic.Int64
	running atomic.Int64
	closing atomic.Bool  // somebody is about to call Close
	thread  atomic.Int64 // a Thread's
}

func (b *bridge) newPlace(c aio.PoolConfig) *place {
	p := aio.NewPool(c)
	return &place{b: b, ex: p, pool: p, config: c}
}

func (b *bridge) newThread() *place {
	return &place{b: b, ex: aio.NewThread(), config: aio.PoolConfig{Workers: 1, Queue: 1024}}
}

func (p *place) String() string {
	if p.pool == nil {
		return "the thread"
	}
	return fmt.Sprintf("the pool with %+v", p.config)
}

// Submit implements Executor.
func (p *place) Submit(ctx context.Context, call func()) error {
	p.asked.Add(1)
	err := p.ex.Submit(ctx, func() {
		defer p.enter()()
		call()
	})
	if err != nil {
		p.refuses(ctx, err)
	}
	return err
}

// Close implements Executor.
func (p *place) Close() error {
	p.closing.Store(true)
	err := p.ex.Close()
	if p.running.Load() > 0 || p.ran.Load() != p.ended.Load() {
		p.b.t.Errorf("%s is closed and runs %d calls", p, p.running.Load())
	}
	return err
}

// enter is called by a call that runs, and leave when it has.
func (p *place) enter() (leave func()) {
	p.ran.Add(1)
	if n := p.running.Add(1); n > int64(p.config.Workers) {
		p.b.t.Errorf("%s runs %d calls", p, n)
	}
	if on := int64(threadID()); p.pool == nil && !p.thread.CompareAndSwap(0, on) && p.thread.Load() != on {
		p.b.t.Errorf("thread %d runs a call on %d", p.thread.Load(), on)
	}
	if aio.InTask() {
		p.b.t.Error("a call on an executor runs in a task")
	}
	p.look()
	return func() {
		p.running.Add(-1)
		p.ended.Add(1)
	}
}

// refuses is told of each refusal, which must have its reason.
func (p *place) refuses(ctx context.Context, err error) {
	p.refused.Add(1)
	ok := false
	switch {
	case err == aio.ErrFull:
		p.full.Add(1)
		ok = p.config.FailIfFull
	case err == aio.ErrWouldDeadlock:
		ok = !p.config.FailIfFull && p.config.Queue >= 0 // in a callback; who asks checks that
	case err == aio.ErrClosed:
		ok = p.closing.Load()
	default:
		ok = ctx.Err() != nil && isEndedContext(err)
	}
	if !ok {
		p.b.t.Errorf("%s, closing: %t, refuses a call under a context with %v: %v", p, p.closing.Load(), ctx.Err(), err)
	}
}

// stats are a pool's.
func (p *place) stats() (s aio.PoolStats) {
	if p.pool != nil {
		s = p.pool.Stats()
	}
	return s
}

// look checks that what a pool says makes sense.
func (p *place) look() {
	if p.pool == nil {
		return
	}
	before := p.pool.Stats()
	s := p.pool.Stats()
	ran := uint64(p.ran.Load())
	if s.Workers > p.config.Workers || s.Busy < 0 || s.Busy > s.Workers || p.config.Queue >= 0 && s.Waiting > p.config.Queue || s.Done < before.Done || s.Done > ran {
		p.b.t.Errorf("%s, of whose calls %d have begun, has %+v and then %+v", p, ran, before, s)
	}
}

func (p *place) audit() {
	ran, done := p.ran.Load(), int64(p.stats().Done)
	if ran != p.ended.Load() || p.pool != nil && done != ran {
		p.b.t.Errorf("%s has ended %d calls, %d began and %d returned", p, done, ran, p.ended.Load())
	}
	if asked, refused := p.asked.Load(), p.refused.Load(); p != p.b.direct && asked != ran+refused {
		p.b.t.Errorf("%s was asked %d times; it ran %d calls and refused %d", p, asked, ran, refused)
	}
	if s := p.stats(); s.Workers+s.Busy+s.Waiting != 0 {
		p.b.t.Errorf("%s is closed and has %+v", p, s)
	}
}

// bare hands a plain closure to an executor.
func (t *traveller) bare() {
	if t.layer == len(t.b.layers) {
		return
	}
	p, _ := pick(t.random, t.b.layers[t.layer])
	ctx, cancel := t.patience()
	defer cancel()
	c := t.newCallback(nil)
	c.plan = endsWell // a panic would crash the program
	if t.random.IntN(2) == 0 {
		c.plan = endsGone
	}
	done := t.b.newPromise()
	err := p.Submit(ctx, func() {
		defer func() { done.settle(int(c.ran.Load()), nil) }()
		c.run(t.soak, func() {})
	})
	if c.refused = err != nil; c.refused {
		t.mayRefuse(err)
		done.settle(0, err)
		return
	}
	t.collect(done.await(t.t))
}

// mayRefuse checks that only a callback is told that it would deadlock.
func (t *traveller) mayRefuse(err error) {
	if err == aio.ErrWouldDeadlock && !t.inCallback {
		t.t.Errorf("waiting for room where that is fine, in a task: %t: %v", aio.InTask(), err)
	}
}
