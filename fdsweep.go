package aio

import (
	"time"

	"github.com/seed8b1f0744/aio/internal/selector"
)

// sweep looks for descriptors that were closed: the system drops them without a word. It looks at
// some of those that are watched at a time, soon after the first is, then more and more rarely.
type sweep struct {
	of     *descriptors
	off    bool        // there is none in a bubble, whose time is not the one in which others close files
	timer  *time.Timer // guarded by the table's mu, as all of these
	period time.Duration
	going  bool
	next   int // in the list
}

const (
	firstSweep = 50 * time.Millisecond
	lastSweep  = time.Second
	sweepMost  = 256 // at a time
)

func (s *sweep) init(of *descriptors) { s.of, s.off = of, inBubble() }

// begin is called when there is something to look at. Called with the table's mu held, as end.
func (s *sweep) begin() {
	if s.off || s.going {
		return
	}
	s.going, s.period = true, firstSweep
	if s.timer == nil {
		s.timer = time.AfterFunc(s.period, s.tick)
	} else {
		s.timer.Reset(s.period)
	}
}

func (s *sweep) end() {
	s.off = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// tick looks, on the timer's goroutine.
func (s *sweep) tick() {
	d := s.of
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.off {
		return
	}
	for range min(sweepMost, len(d.list)) {
		if len(d.list) == 0 {
			break
		}
		s.next %= len(d.list)
		if a := d.list[s.next]; d.sel.Has(int(a.fd), a.had, a.last, a.tag) {
			s.next++
		} else {
			d.lose(a, selector.ErrGone)
		}
	}
	if s.going = len(d.list) > 0; s.going {
		s.period = min(2*s.period, lastSweep)
		s.timer.Reset(s.period)
	}
}
