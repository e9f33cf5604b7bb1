package aio

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio/internal/invariant"
)

// PoolConfig configures NewPool. Its zero value is useful.
type PoolConfig struct {
	Workers    int           // at most; default 512
	Queue      int           // calls that may wait for a worker; 0: a call is accepted only if a worker can take it now; negative: no limit
	FailIfFull bool          // Submit returns ErrFull rather than wait; a worker is free a moment after its call's result is there
	IdleAfter  time.Duration // a worker without work ends after this; default 10 s
}

// Pool runs calls on a bounded number of goroutines, made when needed: Python's ThreadPoolExecutor.
// Make one with NewPool. All methods may be called from any goroutine. Calls begin in the order in
// which they were accepted, and a Submit that waits for room gets it in its turn.
//
// A call keeps its worker until it returns, also while it waits. So it must not wait for another
// call of its own pool, be it through a task of some loop that waits for one: as soon as every
// worker holds a call that does, none is left for those they wait for, and all wait until their
// contexts end (as in ThreadPoolExecutor); in the call of an only worker, Await is ErrWouldDeadlock.
// Nor must calls of two pools wait for each other. Have pools in layers, where a call waits only for
// calls of the layers behind its own; or wait in a task, which holds no worker, and make calls there
// one after the other rather than one in another; or only hand over and return, and let a [Promise]
// or [Future.OnDone] tell.
type Pool struct {
	config  PoolConfig // immutable
	room    int        // immutable; for calls that run or wait; negative: no limit
	mu      sync.Mutex
	queue   fifo[runnable] // guarded by mu; calls that have not begun
	idle    []*poolWorker  // guarded by mu; the one that went idle last is the last
	looking bool           // guarded by mu; a worker is on its way to the queue
	count   int            // guarded by mu; workers
	busy    int            // guarded by mu; workers that run a call
	done    uint64         // guarded by mu; calls
	waiting nodeList       // guarded by mu; of roomless: no room, while one of them still wants it
	closed  bool           // guarded by mu
	reaper  *time.Timer    // guarded by mu; ends idle workers, armed while reaping
	reaping bool           // guarded by mu
	made    time.Time      // immutable
	workers sync.WaitGroup
	drained core // settled when the last call of a closed pool has returned
	line    line
}

// poolWorker is a goroutine of a pool. It runs calls until none is left. One at a time is looking: on
// its way to the queue, woken or made because of a call that might be left lying; if it finds calls
// for others, too, it sends the next one. So a burst of tiny calls wakes few workers; and yet, while
// calls wait and a worker is idle or could be made, one is on its way.
//
//	looking (made, or woken) -> running -> running ... -> idle -> looking ...
//	looking, running -> ended, if the pool has closed; idle -> ended, also by the reaper
//
// Whoever takes one off the idle list must send to wake, once.
type poolWorker struct {
	wake  chan bool    // made when it first goes idle; room for one: look (true), or end
	since atomic.Int64 // when it went idle, after made; 0: it is about to note it
}

// roomless is a Submit that waits for room. Whoever makes room accepts its call.
type roomless struct {
	node
	waiter   *waiter
	call     runnable
	accepted bool // guarded by the pool's mu; not written once notified
}

func (r *roomless) notify() bool { return r.waiter.notify() }

// PoolStats tells what a pool does at the moment.
type PoolStats struct {
	Workers int    // goroutines, busy or idle
	Busy    int    // of them, running a call or about to
	Waiting int    // calls accepted that no worker is free for
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
	p := &Pool{config: c, room: -1, made: time.Now()}
	if c.Queue >= 0 {
		p.room = c.Workers + c.Queue
	}
	p.queue.keep = keepCalls
	p.drained.of = ofPoolClose
	p.line.workers = c.Workers
	return p
}

// keepCalls is how many places for calls a pool keeps of a burst, of 16 bytes each.
const keepCalls = 8192

// Submit hands call to a worker. While the pool is full it suspends a task and blocks any other
// goroutine, or returns ErrFull if so configured; its error is ErrClosed once the pool is closed,
// and ctx's if that ends first. A call that was accepted is run. In a callback, and in a call of the
// pool's only worker, a full pool is ErrWouldDeadlock.
func (p *Pool) Submit(ctx context.Context, call func()) error {
	mustCall(call)
	if err := ended(ctx); err != nil {
		return err
	}
	return p.submit(ctx, bareCall(p.line.aside(ctx, call)))
}

// bareCall is a call that was handed over by Submit.
type bareCall func()

func (f bareCall) run() { f() }

// submit is Submit when it is clear that there is something to submit.
func (p *Pool) submit(ctx context.Context, call runnable) error {
	p.mu.Lock()
	err := p.accept(call)
	w := p.needsWorker()
	p.mu.Unlock()
	p.look(w)
	if err == errNoRoom {
		return p.waitForRoom(ctx, call)
	}
	return err
}

// errNoRoom is accept's answer to who must wait.
var errNoRoom = errors.New("aio: internal: a pool without room")

// accept places call, if there is room. Called with mu held.
func (p *Pool) accept(call runnable) error {
	switch {
	case p.closed:
		return ErrClosed
	case p.hasRoom():
		p.queue.push(call)
		return nil
	case p.config.FailIfFull:
		return ErrFull
	default:
		return errNoRoom
	}
}

// hasRoom reports whether one more call may be accepted. Called with mu held.
func (p *Pool) hasRoom() bool { return p.room < 0 || p.queue.n+p.busy < p.room }

// waitForRoom is submit when there is none.
func (p *Pool) waitForRoom(ctx context.Context, call runnable) error {
	if p.config.Workers == 0 {
		panic("aio: this Pool has no workers and never will: make one with NewPool")
	}
	if p.line.isBehindCaller() {
		return ErrWouldDeadlock
	}
	w, err := waiterFor(ctx)
	if err != nil {
		return err
	}
	r := &roomless{waiter: w, call: call}
	r.owner = r
	p.mu.Lock()
	if err := p.accept(call); err != errNoRoom {
		w := p.needsWorker()
		p.mu.Unlock()
		p.look(w)
		return err
	}
	w.begin(ctx, onPool)
	p.waiting.push(&r.node)
	p.mu.Unlock()
	if err = w.park(ctx); err != nil {
		p.mu.Lock()
		p.waiting.remove(&r.node)
		p.mu.Unlock()
	}
	switch {
	case r.accepted: // also if ctx has ended since: the call will run
		return nil
	case err == nil:
		return ErrClosed
	default:
		return err
	}
}

// admit gives room that has come to those who wait for it. Called with mu held.
func (p *Pool) admit() {
	for n := p.waiting.first; n != nil && p.hasRoom(); n = p.waiting.first {
		r := n.owner.(*roomless)
		p.waiting.remove(n)
		r.accepted = true // before it may be read
		if !r.notify() {
			r.accepted = false
			continue
		}
		p.queue.push(r.call)
	}
}

// lacksWorker reports whether calls wait and nobody is on the way to them, though somebody could be.
// Called with mu held.
func (p *Pool) lacksWorker() bool {
	return p.queue.n > 0 && !p.looking && (len(p.idle) > 0 || p.count < p.config.Workers)
}

// needsWorker is a worker to be told to look, nil if none need be. Called with mu held.
func (p *Pool) needsWorker() *poolWorker {
	if p.lacksWorker() {
		return p.aWorker()
	}
	return nil
}

// aWorker is an idle worker, or a new one, which will look. Called with mu held.
func (p *Pool) aWorker() *poolWorker {
	p.looking = true
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		return w
	}
	p.count++
	p.workers.Add(1)
	return new(poolWorker)
}

// look has w, which is new or was idle, look for a call. On nil it does nothing.
func (p *Pool) look(w *poolWorker) {
	if w != nil {
		p.send(w)
	}
}

func (p *Pool) send(w *poolWorker) {
	if w.wake == nil {
		go p.work(w)
	} else {
		w.wake <- true
	}
}

// work is a worker's goroutine.
func (p *Pool) work(w *poolWorker) {
	defer p.workers.Done()
	p.line.crew.enroll()
	defer p.line.crew.strike()
	returned := false
	defer func() {
		if !returned { // the call panicked, which crashes, or went by Goexit, which ends this worker
			p.leave()
			endOfCall()
		}
	}()
	for again := true; again; {
		for call := p.first(w); call != nil; call = p.next(w) {
			call.run()
		}
		if again = w.wake != nil; again {
			w.since.Store(int64(time.Since(p.made)) + 1)
			again = <-w.wake
		}
	}
	returned = true
}

// first is the next call of a worker that looks.
func (p *Pool) first(w *poolWorker) runnable {
	p.mu.Lock()
	p.looking = false
	call := p.take(w)
	other := p.needsWorker()
	p.mu.Unlock()
	p.look(other)
	return call
}

// next is the next call of a worker whose call has returned.
func (p *Pool) next(w *poolWorker) runnable {
	p.mu.Lock()
	p.returned()
	call := p.take(w)
	invariant.Check(!p.lacksWorker(), "a worker that goes on leaves no calls for which another one could be had")
	p.mu.Unlock()
	endOfCall()
	return call
}

// returned counts a call that is over, whose room others may have. Called with mu held.
func (p *Pool) returned() {
	p.done++
	p.busy--
	if p.waiting.first != nil {
		p.admit()
	}
}

// take is the call that w runs next. If there is none, w is on the idle list; or it is counted out
// and its wake is nil. Called with mu held.
func (p *Pool) take(w *poolWorker) runnable {
	switch {
	case p.queue.n > 0:
		p.busy++
		return p.queue.pop()
	case p.closed:
		w.wake = nil
		p.gone(1)
	default:
		p.rest(w)
	}
	return nil
}

// rest puts w on the idle list. Called with mu held.
func (p *Pool) rest(w *poolWorker) {
	if w.wake == nil {
		w.wake = make(chan bool, 1)
	}
	w.since.Store(0)
	p.idle = append(p.idle, w)
	switch {
	case p.reaping:
	case p.reaper == nil:
		p.reaper, p.reaping = time.AfterFunc(p.config.IdleAfter, p.reap), true
	default:
		p.reaper.Reset(p.config.IdleAfter)
		p.reaping = true
	}
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
		w.wake <- false
		ended++
	}
	p.idle = slices.Delete(p.idle, 0, ended)
	p.gone(ended)
	if p.reaping = len(p.idle) > 0; p.reaping {
		p.reaper.Reset(next)
	}
}

// leave ends a worker whose call did not return; the calls that wait get another.
func (p *Pool) leave() {
	p.mu.Lock()
	p.count--
	p.returned()
	other := p.needsWorker()
	p.gone(0)
	p.mu.Unlock()
	p.look(other)
}

// gone counts n workers out, whose goroutines may be on their way to their end. Called with mu held.
func (p *Pool) gone(n int) {
	p.count -= n
	if p.closed && p.count == 0 {
		p.drained.settle(Finished, nil)
	}
}

// Close takes no new calls, ends a Submit that waits for room with ErrClosed, and waits until the
// calls that were accepted have returned. It suspends a task and blocks any other goroutine; it is
// idempotent, and waits for a concurrent Close. In a callback, in one of the pool's own calls, and in
// a task of a loop that such a call runs, it closes and is ErrWouldDeadlock if there is anything to
// wait for.
func (p *Pool) Close() error {
	p.stop()
	if p.drained.State() != Pending {
		return nil
	}
	if p.line.crew.isBelow() {
		return ErrWouldDeadlock
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
		w.wake <- false
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
	soon := min(p.queue.n, p.config.Workers-p.busy) // calls for which a worker is, or will be, on its way
	busy := p.busy + soon
	return PoolStats{Workers: max(p.count, busy), Busy: busy, Waiting: p.queue.n - soon, Done: p.done}
}
