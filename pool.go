package aio

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// PoolConfig configures NewPool. Its zero value is useful.
type PoolConfig struct {
	Workers    int           // at most; default 512
	Queue      int           // calls that may wait for a worker; 0: a call is accepted only if a worker can take it now; negative: no limit
	FailIfFull bool          // Submit returns ErrFull rather than wait; a worker is free a moment after its call's result is there
	IdleAfter  time.Duration // a worker without work ends after this; default 10 s
}

// Pool runs calls on a bounded number of goroutines, made when needed: Python's ThreadPoolExecutor.
// Make one with NewPool. All methods may be called from any goroutine.
//
// A call keeps its worker until it returns, also while it waits. So it must not wait for another
// call of its own pool, be it through a task of some loop that waits for one: as soon as every
// worker holds a call that does, none is left for those they wait for, and all wait until their
// contexts end (as in ThreadPoolExecutor). Nor must calls of two pools wait for each other. Have
// pools in layers, where a call waits only for calls of the layers behind its own; or wait in a
// task, which holds no worker, and make calls there one after the other rather than one in another;
// or only hand over and return, and let a [Promise] or [Future.OnDone] tell.
type Pool struct {
	config  PoolConfig // immutable
	mu      sync.Mutex
	queue   fifo[func()]  // guarded by mu
	idle    []*poolWorker // guarded by mu; the one that went idle last is the last
	count   int           // guarded by mu; workers
	done    uint64        // guarded by mu; calls
	waiting nodeList      // guarded by mu; Submits without room
	closed  bool          // guarded by mu
	reaper  *time.Timer   // guarded by mu; ends idle workers, armed while reaping
	reaping bool          // guarded by mu
	made    time.Time     // immutable
	workers sync.WaitGroup
	drained core // settled when the last call of a closed pool has returned
	line    line
}

// poolWorker is a goroutine of a pool. Whoever takes it off the idle list must send to wake, once.
type poolWorker struct {
	wake  chan func()  // room for one; what comes through it is a call, or nil: end
	since atomic.Int64 // when it went idle, after made; 0: it is about to note it
}

// PoolStats tells what a pool does at the moment.
type PoolStats struct {
	Workers int    // goroutines, busy or idle
	Busy    int    // of them, running a call
	Waiting int    // calls accepted and not begun
	Done    uint64 // calls that have returned, since the start
}

// NewPool makes a pool. Whoever makes it must Close it. From any goroutine; it does not suspend.
func NewPool(c PoolConfig) *Pool {
	if c.Workers <= 0 {
		c.Workers = 512
	}
	if c.IdleAfter <= 0 {
		c.IdleAfter = 10 * time.Second
	}
	p := &Pool{config: c, made: time.Now()}
	p.drained.of = ofPoolClose
	p.line.workers = c.Workers
	return p
}

// Submit hands call to a worker. While the pool is full it suspends a task and blocks any other
// goroutine, or returns ErrFull if so configured; its error is ErrClosed once the pool is closed,
// and ctx's if that ends first. A call that was accepted is run. In a callback a full pool is
// ErrWouldDeadlock.
func (p *Pool) Submit(ctx context.Context, call func()) error {
	mustCall(call)
	if err := ended(ctx); err != nil {
		return err
	}
	return p.submit(ctx, p.line.aside(ctx, call))
}

// submit is Submit when it is clear that there is something to submit.
func (p *Pool) submit(ctx context.Context, call func()) error {
	for {
		p.mu.Lock()
		accepted, err := p.accept(call)
		p.mu.Unlock()
		if accepted || err != nil {
			return err
		}
		if err := p.waitForRoom(ctx); err != nil {
			return err
		}
	}
}

// accept places call, if there is room and nobody was there before. Called with mu held.
func (p *Pool) accept(call func()) (bool, error) {
	if p.closed {
		return false, ErrClosed
	}
	switch n := len(p.idle); {
	case n > 0:
		w := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		w.wake <- call
	case p.count < p.config.Workers:
		p.count++
		p.workers.Add(1)
		go p.work(&poolWorker{}, call)
	case p.config.Queue < 0 || p.queue.n < p.config.Queue:
		p.queue.push(call)
	case p.config.FailIfFull:
		return false, ErrFull
	default:
		return false, nil
	}
	return true, nil
}

// hasRoom reports whether accept would place a call. Called with mu held.
func (p *Pool) hasRoom() bool {
	return p.closed || len(p.idle) > 0 || p.count < p.config.Workers || p.config.Queue < 0 || p.queue.n < p.config.Queue
}

func (p *Pool) waitForRoom(ctx context.Context) error {
	if p.config.Workers == 0 {
		panic("aio: this Pool has no workers and never will: make one with NewPool")
	}
	w, err := waiterFor(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	if p.hasRoom() {
		p.mu.Unlock()
		return nil
	}
	w.begin(ctx, onPool)
	p.waiting.push(&w.node)
	p.mu.Unlock()
	err = w.park(ctx)
	if err != nil {
		p.mu.Lock()
		p.waiting.remove(&w.node)
		if w.notified() && p.hasRoom() {
			p.waiting.notifyFirst()
		}
		p.mu.Unlock()
	}
	return err
}

// work is a worker's goroutine.
func (p *Pool) work(w *poolWorker, call func()) {
	defer p.workers.Done()
	returned := false
	defer func() {
		if !returned { // the call panicked, which crashes, or went by Goexit, which ends this worker
			p.leave(w)
			endOfCall()
		}
	}()
	for call != nil {
		call()
		call = p.next(w)
		endOfCall()
		if call == nil && w.wake != nil {
			w.since.Store(int64(time.Since(p.made)) + 1)
			call = <-w.wake
		}
	}
	returned = true
}

// next is the call that a worker runs after one has returned. If that is nil the worker is on the
// idle list, or counted out if its wake is nil.
func (p *Pool) next(w *poolWorker) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.queue.n > 0 {
		call := p.queue.pop()
		p.waiting.notifyFirst()
		return call
	}
	if p.closed {
		w.wake = nil
		p.gone(1)
		return nil
	}
	if w.wake == nil {
		w.wake = make(chan func(), 1)
	}
	w.since.Store(0)
	p.idle = append(p.idle, w)
	p.waiting.notifyFirst()
	switch {
	case p.reaping:
	case p.reaper == nil:
		p.reaper, p.reaping = time.AfterFunc(p.config.IdleAfter, p.reap), true
	default:
		p.reaper.Reset(p.config.IdleAfter)
		p.reaping = true
	}
	return nil
}

// reap ends the workers that have been idle for long enough. The list is in the order in which they
// went idle.
func (p *Pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Since(p.made)
	next := p.config.IdleAfter
	ended := 0
	for _, w := range p.idle {
		since := time.Duration(w.since.Load())
		if since == 0 { // only just
			break
		}
		if next = since + p.config.IdleAfter - now; next > 0 {
			break
		}
		w.wake <- nil
		ended++
	}
	p.idle = slices.Delete(p.idle, 0, ended)
	p.gone(ended)
	if p.reaping = len(p.idle) > 0; p.reaping {
		p.reaper.Reset(next)
	}
}

// leave ends a worker whose call did not return; the calls that wait get another.
func (p *Pool) leave(*poolWorker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.queue.n > 0 {
		call := p.queue.pop()
		p.workers.Add(1)
		p.count++
		go p.work(&poolWorker{}, call)
	}
	p.waiting.notifyFirst()
	p.gone(1)
}

// gone counts n workers out, whose goroutines may be on their way to their end. Called with mu held.
func (p *Pool) gone(n int) {
	p.count -= n
	if p.closed && p.count == 0 {
		p.drained.settle(Finished, nil)
	}
}

// Close takes no new calls, ends a Submit that waits for room with ErrClosed, and waits until the
// calls that were accepted have returned. It suspends a task and blocks any other goroutine; in a
// callback it closes and is ErrWouldDeadlock if there is anything to wait for. It is idempotent. One
// of the pool's own calls must not wait for it: it would wait for itself.
func (p *Pool) Close() error {
	p.stop()
	if p.drained.State() != Pending {
		return nil
	}
	return p.drained.wait(context.Background())
}

// stop is Close without the waiting.
func (p *Pool) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	for _, w := range p.idle {
		w.wake <- nil
	}
	idle := len(p.idle)
	p.idle = nil
	if p.reaper != nil {
		p.reaper.Stop()
	}
	p.waiting.notifyAll()
	p.gone(idle)
}

// Stats tells what the pool does at the moment. It does not suspend.
func (p *Pool) Stats() PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PoolStats{Workers: p.count, Busy: p.count - len(p.idle), Waiting: p.queue.n, Done: p.done}
}
