package aio

import (
	"time"

	"github.com/seed8b1f0744/aio/internal/selector"
)

// How a loop waits for its descriptors.
//
// While it is busy it polls before each iteration, which is a system call that does not wait. When it
// has nothing to do it parks: with nothing to watch on a channel, as ever; otherwise its goroutine is
// parked in the poller of Go's runtime until the selector has something to report. Who posts wakes it
// there by a deadline that has passed, and timers are a deadline as well.
//
// Where that can't be (in a bubble or by a clock, whose time has to pass while the loop waits, and
// where the selector's Wait holds a thread) the loop parks as ever, and a helper waits for the
// selector, for one report at a time: asked by the loop when that parks, it posts what was reported.
//
// By a clock the loop polls once more before it parks, for what its last steps wrote may already have
// arrived at another of its descriptors, and time must not pass before that is looked at. For the same
// reason the helper takes no reports then, it only waits until there are some: one that it had taken
// and not posted yet would be nowhere.

// deliver puts into the ready queue whom b is of interest to: of each descriptor the reader, who waits
// for reading, the writer, who waits for writing. On the loop; no code of a user's runs.
func (d *descriptors) deliver(b *selector.Batch) {
	if b.Len() == 0 {
		return
	}
	stays := false
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range b.Len() {
		if e := b.At(i); !d.report(e) && e.Ready&selector.Level != 0 {
			stays = true
		}
	}
	if stays {
		d.renew()
	}
}

// report is deliver for one descriptor. It reports false if that is not the file any more that is
// watched. Called with mu held.
func (d *descriptors) report(e selector.Event) bool {
	a := d.of.at(e.FD)
	if a == nil || selector.Tagged && a.tag != e.Tag {
		return false
	}
	if a.edge != nil {
		a.edge.got(e.Ready)
		return true
	}
	if e.Ready&selector.Level == 0 {
		a.last = 0
	} else if !d.sel.Has(int(a.fd), a.had, a.last, a.tag) {
		d.lose(a, selector.ErrGone)
		return false
	}
	for i := range a.sides {
		if e.Ready&wanted[i] != 0 {
			d.wake(&a.sides[i])
		}
	}
	if want := a.wants(); want != a.last {
		d.rearm(a)
	}
	d.count(a)
	return true
}

// renew puts all that is watched into a new set: in the old one there is something that is reported
// again and again, and can't be taken out. Called with mu held.
func (d *descriptors) renew() {
	if d.sel.Renew() != nil {
		return // for want of a descriptor: at the next report we try again
	}
	for fd, a := range d.of.all {
		want := a.wants()
		if a.edge != nil {
			want = a.last
		}
		switch {
		case want == 0:
			d.of.remove(fd)
		case d.sel.Add(fd, want, a.tag) != nil:
			d.lose(a, selector.ErrGone)
		default:
			a.had, a.last = want, want
		}
	}
}

func (d *descriptors) wake(s *fdSide) {
	if c := s.call; c != nil && !c.queued {
		c.queued = true
		d.loop.ready.push(c)
	}
	s.waiters.notifyAll()
}

// poll delivers what is ready now, before an iteration; after park that has been done.
func (d *descriptors) poll() {
	fresh := d.fresh
	d.fresh = false
	if !fresh && d.watched.Load() > 0 {
		d.sel.Poll(&d.batch)
		d.deliver(&d.batch)
	}
}

// park is the loop's park, if there is anything to watch: then it reports true. Otherwise, and where
// a helper watches, the loop parks as ever.
func (d *descriptors) park() bool {
	if d.watched.Load() == 0 {
		return false
	}
	if !d.inline {
		if d.loop.clock != nil {
			if d.poll(); d.loop.ready.n > 0 {
				return true
			}
		}
		if !d.asked {
			d.asked = true
			d.again <- struct{}{}
		}
		return false
	}
	l, b := d.loop, &d.loop.inbox
	var until time.Time
	if when, timed := l.nextTimer(); timed && when != never {
		until = l.start0.Add(time.Duration(when))
	}
	d.sel.Until(until) // before anybody can see that there is a wait to interrupt
	b.mu.Lock()
	if len(b.posts) > 0 {
		b.mu.Unlock()
		return true
	}
	l.note()
	b.parked, b.fds = true, d
	b.mu.Unlock()
	d.sel.Wait(&d.batch)
	b.mu.Lock()
	b.parked, b.fds = false, nil
	b.mu.Unlock()
	d.parked = true
	return true
}

// unpark delivers what ended park, after what was posted.
func (d *descriptors) unpark() {
	if d.parked {
		d.parked = false
		d.fresh = true
		d.deliver(&d.batch)
	}
}

// stirred is posted when there is something to watch: a loop that sleeps on a channel does not.
type stirred struct{}

// run implements runnable. There is nothing to do but to park again.
func (stirred) run() {}

// help waits for the selector beside the loop, on a goroutine of its own.
func (d *descriptors) help() {
	defer close(d.helped)
	for range d.again {
		r := &helped{of: d}
		if d.loop.clock != nil {
			d.sel.Await()
		} else {
			d.sel.Wait(&r.batch)
		}
		d.loop.post(r)
	}
}

// helped is what a helper has seen: nothing where it only waits. Then the iteration has polled.
type helped struct {
	of    *descriptors
	batch selector.Batch
}

// run implements runnable.
func (h *helped) run() {
	h.of.asked = false
	h.of.deliver(&h.batch)
}
