package procpool

import (
	"fmt"
	"slices"
	"time"
)

// Who gets which call, and when workers are started and ended. What is here is called with Pool.mu
// held, unless it says otherwise.

const (
	// giveUpAfter is how many workers in a row may end before they had a call. Then the calls that
	// wait fail, and each later one is worth one more try.
	giveUpAfter = 3

	// Between tries: doubled from the first to the last.
	firstBackoff = 10 * time.Millisecond
	lastBackoff  = time.Second
)

// endWithin is how long a worker that is to end may take. A variable for tests.
var endWithin = 5 * time.Second

func (p *Pool) takeIdle() *worker {
	n := len(p.idle) - 1
	if n < 0 {
		return nil
	}
	w := p.idle[n]
	p.idle[n] = nil
	p.idle = p.idle[:n]
	return w
}

// assign makes c the worker's call. Somebody has to exchange its frames then.
func (p *Pool) assign(w *worker, c *call) {
	if c.place != nil {
		p.queue.Remove(c.place)
		c.place = nil
	}
	if w.seq == 0 {
		p.failures = 0
	}
	w.seq++
	w.call, c.worker, c.seq = c, w, w.seq
	if c.placed != nil {
		c.placed.Resolve(struct{}{})
	}
}

// next gives a worker that serves and has no call what it does next: a call, which it returns, or
// nothing, or its end.
func (p *Pool) next(w *worker) *call {
	switch first := p.queue.Front(); {
	case w.worn:
		p.retire(w)
	case first != nil:
		c := first.Value.(*call)
		p.assign(w, c)
		return c
	default:
		p.idle = append(p.idle, w)
	}
	p.wind() // after Close nobody stays idle
	return nil
}

// end notes that a call has its outcome, or that nobody waits for it.
func (p *Pool) end(c *call) {
	c.over = true
	p.calls--
	if c.place != nil {
		p.queue.Remove(c.place)
		c.place = nil
	}
	if c.worker != nil {
		c.worker.call, c.worker = nil, nil
	}
	p.wind()
}

// expel sees to it that the worker gets no more calls.
func (p *Pool) expel(w *worker) {
	if !w.serves {
		return
	}
	w.serves = false
	p.serving--
	if i := slices.Index(p.idle, w); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
}

// retire ends a worker that has no call: it sees the end of its calls.
func (p *Pool) retire(w *worker) {
	p.expel(w)
	w.retired = true
	_ = w.calls.Close()
	w.late = time.AfterFunc(endWithin, func() { w.kill("it was told to end, and did not") })
}

// wind ends what a closed pool does not need any more.
func (p *Pool) wind() {
	if !p.closed || p.over || p.queue.Len() > 0 {
		return
	}
	for len(p.idle) > 0 {
		p.retire(p.idle[0])
	}
	if p.calls > 0 || p.workers > 0 {
		return
	}
	p.over = true
	if p.retry != nil {
		p.retry.Stop()
	}
	_, _ = p.life.Close(), p.parent.Close()
	if p.starts != nil {
		close(p.starts) // the starter ends, and is the last
	} else {
		p.drained.Resolve(struct{}{})
	}
}

// startNeeded starts workers for the calls that wait and have none on its way.
func (p *Pool) startNeeded() {
	need := p.queue.Len() - p.starting
	if !p.closed && p.failures < giveUpAfter {
		need = max(need, p.config.MinWorkers-p.workers)
	}
	for ; need > 0 && p.workers < p.config.Workers; need-- {
		if p.failures > 0 {
			if p.starting > 0 { // which will tell
				return
			}
			if wait := time.Until(p.retryAt); wait > 0 {
				p.startLater(wait)
				return
			}
		}
		if p.starts == nil {
			p.starts = make(chan *worker)
			go p.starter()
		}
		p.workers++
		p.starting++
		go (&worker{pool: p}).live()
	}
}

func (p *Pool) startLater(wait time.Duration) {
	if p.retry != nil {
		return
	}
	p.retry = time.AfterFunc(wait, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.retry = nil
		p.startNeeded()
	})
}

// starter starts all workers of the pool: on Linux they die with the thread that started them, so
// that must be one that nothing else ends. Without the lock.
func (p *Pool) starter() {
	keepThread()
	for w := range p.starts {
		w.started <- w.start()
	}
	p.drained.Resolve(struct{}{})
}

// ready is called when a worker has said hello. Without the lock.
func (p *Pool) ready(w *worker) {
	p.mu.Lock()
	p.starting--
	p.serving++
	w.serves = true
	if p.config.MaxAge > 0 {
		w.age = time.AfterFunc(p.config.MaxAge, func() { p.aged(w) })
	}
	c := p.next(w)
	p.mu.Unlock()
	if c != nil {
		go w.work(c)
	}
}

func (p *Pool) aged(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.worn = true
	if slices.Contains(p.idle, w) {
		p.retire(w)
	}
}

// answered is called with the answer to a worker's call. It returns the call that the worker has
// then, if any. Without the lock.
func (p *Pool) answered(w *worker, c *call, f *frame) (following *call) {
	p.mu.Lock()
	if w.call != c { // its ctx has ended, and the worker is being killed
		p.mu.Unlock()
		return nil
	}
	p.stats.Done++
	limit := p.config.MaxMemoryBytes
	if p.config.MaxCalls > 0 && w.seq >= uint64(p.config.MaxCalls) || limit > 0 && f.memory > uint64(limit) {
		w.worn = true
	}
	p.end(c)
	if w.serves {
		following = p.next(w)
	}
	p.mu.Unlock()
	c.settle(f)
	return following
}

// unsent is called when a call could not be written: the worker cannot have read all of it, so
// another may run it. Without the lock.
func (p *Pool) unsent(w *worker, c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expel(w)
	if w.call != c || c.resent {
		return
	}
	c.resent = true
	w.call, c.worker = nil, nil
	c.place = p.queue.PushFront(c)
	if other := p.takeIdle(); other != nil {
		p.assign(other, c)
		go other.work(c)
		return
	}
	p.startNeeded()
}

// leave is called when a worker is found to have ended. Without the lock.
func (p *Pool) leave(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expel(w)
}

// gone is called when a worker has ended, or could not be started: err tells how. Without the lock.
func (p *Pool) gone(w *worker, err error) {
	p.mu.Lock()
	w.stopTimers()
	if w.helloed {
		p.expel(w)
	} else {
		p.starting--
	}
	p.workers--
	if !w.retired && !w.cancelled && w.pid != 0 {
		p.stats.Died++
	}
	var failed []*call
	if c := w.call; c != nil {
		failed = append(failed, c)
		p.end(c)
		if died, ok := err.(*WorkerDied); ok {
			died.job = c.Name
		}
	} else if w.seq == 0 && !w.retired {
		if stuck := p.failedStart(); len(stuck) > 0 {
			err = fmt.Errorf("aio: procpool: no worker could be started in %d tries, the last: %w", p.failures, err)
			failed = stuck
		}
	}
	p.startNeeded()
	p.wind()
	p.mu.Unlock()
	for _, c := range failed {
		c.fail(err)
	}
}

// failedStart notes a worker that ended before it had a call, and gives up the calls that wait if it
// was one too many.
func (p *Pool) failedStart() []*call {
	p.failures++
	backoff := firstBackoff << min(p.failures-1, 10)
	p.retryAt = time.Now().Add(min(backoff, lastBackoff))
	if p.failures < giveUpAfter || p.serving > 0 {
		return nil
	}
	var stuck []*call
	for first := p.queue.Front(); first != nil; first = p.queue.Front() {
		c := first.Value.(*call)
		p.end(c)
		stuck = append(stuck, c)
	}
	return stuck
}
