package accesslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/seed8b1f0744/aio/refire/internal/mark"
)

// fileScan shares out the segments of a file. They are claimed in order, by workers that run ahead of the caller, and by the
// caller while there are no workers. So a scan ends even if no worker ever starts, and memory is bounded by the number of tickets.
type fileScan struct {
	s       *Scanner
	ctx     context.Context // ends when the scan does
	count   int             // of segments
	first   []string        // the states of the grammars at the beginning
	tickets chan struct{}   // held from a worker's claim until the caller has taken the segment

	mu      sync.Mutex
	changed sync.Cond        // on mu: claimed and running
	closed  bool             // guarded by mu: workers that start now are too late
	running int              // guarded by mu: workers at work
	next    int              // guarded by mu: the next segment to claim
	claimed map[int]*segment // guarded by mu: claimed by workers, not taken by the caller
	guess   []string         // guarded by mu: the states with which a worker begins a segment
	workers sync.WaitGroup   // Add is guarded by mu
}

// segment is a worker's result. All fields but records are set before records is closed.
type segment struct {
	records chan []record
	done    bool // false after the close: the worker died
	stats   Stats
	span    span
	err     error

	began, ended []string // the states of the grammars: what the worker began with is a guess, except for the first segment
}

// span says where the lines of a segment are: the first begins at first (-1: there is none), the last ends at end.
type span struct{ first, end int64 }

// batchesAhead is how many batches of one segment may wait for the caller.
const batchesAhead = 2

// scanFile walks the file's segments and yields their records in order.
//
// Grammars with a state make a segment depend on those before it. Nearly always their state is what it was at the beginning of the
// file, or at the end of the last segment that the caller has taken; so a worker begins with that, and says so. Where the caller then knows better, it drops
// the worker's result and walks the segment itself.
func (s *Scanner) scanFile(ctx context.Context, yield func(Entry, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	p := &fileScan{s: s, ctx: ctx, claimed: map[int]*segment{}}
	p.changed.L = &p.mu
	own := newWalker(&s.opts, s.key, s.reader) // for what the caller walks
	p.first, p.guess = own.grammars.start, own.grammars.after(s.head)
	states := p.first
	p.count = int(max(1, s.size/s.stride)) // the last one takes the rest, so that it is no shorter than a line usually is
	defer p.close(cancel)
	p.start()

	deliver := s.yielder(yield)
	var end int64 // of the last line so far
	for k := range p.count {
		var span span
		var err error
		seg := p.take(k)
		if seg != nil && !sameStates(seg.began, states) {
			p.drop(seg)
			seg = nil
		}
		if seg != nil {
			if span, err = p.drain(seg, deliver); err == nil {
				states = seg.ended // the worker has ended
			}
		} else {
			own.grammars.restore(states)
			own.stats = Stats{}
			span, err = s.inline(ctx, p.cursor(k, nil), own, deliver)
			states = own.grammars.states()
		}
		if err != nil {
			return err
		}
		p.confirm(states)
		if span.first >= 0 {
			if span.first != end {
				return fmt.Errorf("accesslog: %s: %w: around byte %d", s.opts.Source, ErrChanged, end)
			}
			end = span.end
		}
	}
	return nil
}

// start offers the work to as many workers as there is work for, without waiting: Submit may wait for room.
func (p *fileScan) start() {
	workers := min(p.s.opts.Workers, p.count-1)
	p.tickets = make(chan struct{}, 2*max(1, workers))
	if workers == 0 {
		return
	}
	p.workers.Go(func() {
		for range workers {
			if p.s.opts.Submit(p.ctx, p.work) != nil {
				return // the workers that we have, or the caller alone, do it all
			}
		}
	})
}

// work is a worker: it claims segments until there are none.
func (p *fileScan) work() {
	if !p.enter() {
		return
	}
	defer p.leave()
	w := newWalker(&p.s.opts, p.s.key, p.s.reader)
	var buf []byte
	for {
		select {
		case p.tickets <- struct{}{}:
		case <-p.ctx.Done():
			return
		}
		k, seg := p.claim()
		if seg == nil {
			return
		}
		buf = p.fill(seg, k, w, buf)
		runtime.Gosched() // workers on all cores leave none for the caller, whose tickets they need
	}
}

func (p *fileScan) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.running++
	p.workers.Add(1)
	return true
}

func (p *fileScan) leave() {
	p.mu.Lock()
	p.running--
	p.changed.Broadcast()
	p.mu.Unlock()
	p.workers.Done()
}

// claim takes the next segment for a worker.
func (p *fileScan) claim() (int, *segment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.next >= p.count {
		return 0, nil
	}
	k, seg := p.next, &segment{records: make(chan []record, batchesAhead), began: p.guess}
	if k == 0 {
		seg.began = p.first
	}
	p.next++
	p.claimed[k] = seg
	p.changed.Broadcast()
	return k, seg
}

// take gives the caller segment k: from the worker that has it, or nil, if there is no worker and the caller shall walk it. All
// segments before k are taken, so the workers it may wait for have tickets.
func (p *fileScan) take(k int) *segment {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.next == k && p.running > 0 {
		p.changed.Wait()
	}
	if p.next == k {
		p.next++
		return nil
	}
	seg := p.claimed[k]
	delete(p.claimed, k)
	return seg
}

// close waits for the workers that have started and sends away those that have not.
func (p *fileScan) close(cancel context.CancelFunc) {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	cancel()
	p.workers.Wait()
}

// fill walks segment k in a worker and returns the buffer for the next one.
func (p *fileScan) fill(seg *segment, k int, w *walker, buf []byte) []byte {
	defer close(seg.records)
	w.stats, w.stopped = Stats{}, false
	w.grammars.restore(seg.began)
	w.deliver = func(records []record) bool {
		select {
		case seg.records <- slices.Clone(records):
			return true
		case <-p.ctx.Done():
			return false
		}
	}
	c := p.cursor(k, buf)
	seg.err = p.s.readError(c, c.scan(p.ctx, w, false))
	if w.stopped {
		seg.err = ctxError(p.ctx)
	}
	seg.stats, seg.span, seg.ended = w.stats, span{c.first, c.end}, w.grammars.states()
	seg.done = true
	return c.buf
}

// confirm tells workers what the states are at the end of what the caller has taken.
func (p *fileScan) confirm(states []string) {
	if states != nil {
		p.mu.Lock()
		p.guess = states
		p.mu.Unlock()
	}
}

// drop waits for a worker to finish a segment that it began in a wrong state, and forgets the result.
func (p *fileScan) drop(seg *segment) {
	for range seg.records {
	}
	<-p.tickets
}

// drain yields a worker's records.
func (p *fileScan) drain(seg *segment, deliver func([]record) bool) (span, error) {
	for records := range seg.records {
		if !deliver(records) {
			return span{}, errStopped
		}
	}
	<-p.tickets
	if !seg.done {
		return span{}, errors.New("accesslog: a worker ended before its work")
	}
	p.s.stats.Add(&seg.stats)
	return seg.span, seg.err
}

// cursor returns a cursor over segment k.
func (p *fileScan) cursor(k int, buf []byte) *cursor {
	s := p.s
	c := &cursor{step: s.step, buf: buf, offset: int64(k) * s.stride, limit: int64(k+1) * s.stride, first: -1}
	if k == p.count-1 {
		c.limit = s.opts.End
	}
	if k > 0 {
		c.offset-- // if this byte is a newline, a line begins with the segment
		c.seek = true
	}
	pos := c.offset
	var was mark.Mark // its own, because others ask at the same time
	if s.mark != nil {
		was = *s.mark
	}
	c.read = func(b []byte) (int, error) {
		n, err := s.file.ReadAt(b, pos)
		if n > 0 && !was.Holds(s.file) {
			return 0, rewritten(pos)
		}
		pos += int64(n)
		if err == io.EOF && pos < s.size {
			err = shrunk(s.size, pos)
		}
		return n, err
	}
	return c
}

func rewritten(at int64) error {
	return fmt.Errorf("%w: when byte %d was to be read, the file was another text", ErrChanged, at)
}

func shrunk(from, to int64) error {
	return fmt.Errorf("%w: it shrank from %d bytes to %d", ErrChanged, from, to)
}
