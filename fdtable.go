package aio

import (
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"sync/atomic"

	"github.com/seed8b1f0744/aio/internal/selector"
)

// fds is a loop's part in files: nothing, until a descriptor is watched for the first time.
type fds struct {
	all  atomic.Pointer[descriptors]
	mu   sync.Mutex
	over bool // guarded by mu; the loop has closed
	turn turn // loop only
}

// descriptors are the files that are watched for a loop, by number.
//
// Each is in the selector under a tag, a generation of its number. While it has a callback it is
// reported as long as it is ready, but the callback is called only after a look whether this still is
// the same file. While it only has waiters it is reported once, and armed again by the next who waits,
// which also tells whether it is the same file. If not, it is lost: whoever waited is told so, callbacks are
// dropped and reported, and the number is free for another descriptor. One for which nobody waits
// any more stays in the table, and in the selector, silent; only callbacks that are removed take it
// out.
type descriptors struct {
	loop   *Loop
	sel    *selector.Selector
	inline bool // the loop itself waits for the selector; else a helper does

	watched atomic.Int32 // how many are; written under mu

	batch  selector.Batch // loop only, as these: what was reported
	parked bool           // the batch is from park, and not yet delivered
	fresh  bool           // the iteration begins with what ended park: to poll can wait for the next
	asked  bool           // the helper waits
	again  chan struct{}  // asks the helper to wait
	helped chan struct{}  // closed when the helper has ended

	mu     sync.Mutex
	closed bool // guarded by mu, as all of these
	of     byNumber
	tags   uint32        // the last that was given
	list   []*descriptor // those that are watched, in no order
	lost   []error       // callbacks that were dropped, still to be reported
	sweeps sweep
}

// descriptor is one generation of a number.
type descriptor struct {
	fd    int32           // immutable
	tag   uint32          // immutable
	place int32           // guarded by the table's mu, as all of these: in the list, from 1; 0: in no list
	had   selector.Events // what it was ever armed for
	last  selector.Events // what it was armed for last; 0: it is silent
	sides [2]fdSide
	gone  error // why those who waited were let go
	edge  *edge // of a connection's; nil: of anybody's
}

// fdSide is who waits for a descriptor, to read or to write.
type fdSide struct {
	call    *fdCall // nil: none
	waiters nodeList
}

// drop takes the callback away and reports whether there was one.
func (s *fdSide) drop() bool {
	if s.call == nil {
		return false
	}
	s.call.off.Store(true)
	s.call = nil
	return true
}

// wants is what is waited for at a.
func (a *descriptor) wants() (e selector.Events) {
	for i := range a.sides {
		s := &a.sides[i]
		if s.call != nil || s.waiters.first != nil {
			e |= wanted[i]
		}
		if s.call != nil && selector.Levels {
			e |= selector.Level
		}
	}
	return e
}

// descriptors makes them when they are first needed. From any goroutine.
func (l *Loop) descriptors() (*descriptors, error) {
	if d := l.fds.all.Load(); d != nil {
		return d, nil
	}
	f := &l.fds
	f.mu.Lock()
	defer f.mu.Unlock()
	if d := f.all.Load(); d != nil {
		return d, nil
	}
	if f.over {
		return nil, ErrClosed
	}
	sel, err := selector.New()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, fmt.Errorf("aio: descriptors can't be waited for on this system; read and write in Blocking: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("aio: a loop needs descriptors of its own to wait for others: %w", err)
	}
	d := &descriptors{loop: l, sel: sel, inline: selector.Inline && !l.bubbled}
	d.sweeps.init(d)
	if !d.inline {
		d.again = make(chan struct{}, 1)
		d.helped = make(chan struct{})
		go d.help()
	}
	f.all.Store(d)
	return d, nil
}

// ready tells whether fd is ready now. It finds out what can't be waited for: only the selector knows
// that of a file.
func (d *descriptors) ready(fd int, want selector.Events) (bool, error) {
	if !isNumber(fd) {
		return false, explain(fd, selector.ErrNotOpen)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.of.at(fd)
	if known == nil || known.edge != nil {
		if _, err := d.watch(fd, want); err != nil {
			return false, err
		}
	}
	ready, err := d.sel.Ready(fd, want)
	if err == nil && ready != 0 && known != nil && !d.sel.Has(fd, known.had, known.last, known.tag) { // another file has the number
		_, err := d.watch(fd, want)
		return err == nil, err
	}
	return ready != 0, explain(fd, err)
}

// isNumber reports whether fd may be a descriptor: of larger ones the system looks at the lower half.
func isNumber(fd int) bool { return fd >= 0 && fd <= math.MaxInt32 }

// errOwned is the error for a connection's descriptor: what anybody waits for would take the place of the edge for which the
// connection's tasks wait.
var errOwned = errors.New("aio: a descriptor of a connection")

// watch has fd be reported once it is ready for want, or for what else is waited for there. Called
// with mu held.
func (d *descriptors) watch(fd int, want selector.Events) (*descriptor, error) {
	if d.closed {
		return nil, ErrClosed
	}
	if !isNumber(fd) {
		return nil, explain(fd, selector.ErrNotOpen)
	}
	if a := d.of.at(fd); a != nil && a.edge != nil && d.sel.Has(fd, a.had, a.last, a.tag) {
		return nil, explain(fd, errOwned)
	} else if a != nil {
		err := d.arm(a, want|a.wants())
		if err != selector.ErrGone {
			return a, explain(fd, err)
		}
		d.lose(a, err)
	}
	return d.add(fd, want)
}

// add puts fd into the table and the selector. Called with mu held.
func (d *descriptors) add(fd int, want selector.Events) (*descriptor, error) {
	a := new(descriptor)
	if err := d.enter(a, fd, want); err != nil {
		return nil, err
	}
	return a, nil
}

// enter is add of a descriptor that has been made.
func (d *descriptors) enter(a *descriptor, fd int, want selector.Events) error {
	d.tags = (d.tags + 1) % selector.MaxTag
	a.fd, a.tag, a.had, a.last = int32(fd), d.tags, want, want
	if err := d.sel.Add(fd, want, a.tag); err != nil {
		return explain(fd, err)
	}
	d.of.set(fd, a)
	return nil
}

// arm has a be reported once it is ready for want. Called with mu held.
func (d *descriptors) arm(a *descriptor, want selector.Events) error {
	err := d.sel.Arm(int(a.fd), a.had, want, a.tag)
	if err == nil {
		a.had |= want
		a.last = want
	}
	return err
}

// rearm is arm for what is waited for at a; what can't be armed is lost. Called with mu held.
func (d *descriptors) rearm(a *descriptor) {
	if err := d.arm(a, a.wants()); err != nil {
		d.lose(a, err)
	}
}

// settle acts on it that somebody does not wait for a any more. Called with mu held.
func (d *descriptors) settle(a *descriptor) {
	if a.wants() != 0 {
		d.rearm(a)
	} else {
		d.sel.Remove(int(a.fd), a.had)
		d.of.remove(int(a.fd))
	}
	d.count(a)
}

// count keeps the list of those that are watched. Called with mu held.
func (d *descriptors) count(a *descriptor) {
	if watched := a.gone == nil && a.wants() != 0; watched == (a.place > 0) {
		return
	} else if watched {
		d.list = append(d.list, a)
		a.place = int32(len(d.list))
	} else {
		last := d.list[len(d.list)-1]
		d.list[a.place-1], last.place = last, a.place
		d.list[len(d.list)-1] = nil
		d.list = d.list[:len(d.list)-1]
		a.place = 0
	}
	d.watched.Store(int32(len(d.list)))
	if a.place == 1 && len(d.list) == 1 {
		d.sweeps.begin()
		if !d.loop.onLoop() {
			d.loop.post(stirred{})
		}
	}
}

// lose takes out a, which is not the file any more that it was, or which the system can't watch any
// more. Called with mu held.
func (d *descriptors) lose(a *descriptor, err error) {
	why := explain(int(a.fd), err)
	if err == selector.ErrGone {
		why = fmt.Errorf("aio: descriptor %d was closed while it was waited for: %w", a.fd, os.ErrClosed)
	}
	if err != selector.ErrGone {
		d.sel.Remove(int(a.fd), a.had)
	}
	d.release(a, why)
	d.of.remove(int(a.fd))
	for i := range a.sides {
		if !a.sides[i].drop() {
			continue
		}
		if what := [...]string{reading: "Reader", writing: "Writer"}[i]; err == selector.ErrGone {
			why = fmt.Errorf("aio: descriptor %d was closed while it was watched; call Remove%s before it is closed: %w", a.fd, what, os.ErrClosed)
		}
		d.lost = append(d.lost, why)
	}
	d.count(a)
	if len(d.lost) > 0 {
		d.loop.schedule(lostCalls{d})
	}
}

// release lets go of those who wait for a. Called with mu held.
func (d *descriptors) release(a *descriptor, why error) {
	a.gone = why
	for i := range a.sides {
		a.sides[i].waiters.notifyAll()
	}
}

// lostCalls reports callbacks that were dropped, on the loop.
type lostCalls struct{ of *descriptors }

// run implements runnable.
func (c lostCalls) run() {
	for {
		c.of.mu.Lock()
		if len(c.of.lost) == 0 {
			c.of.mu.Unlock()
			return
		}
		err := c.of.lost[0]
		c.of.lost = c.of.lost[1:]
		c.of.mu.Unlock()
		c.of.loop.report(Failure{Err: err})
	}
}

// awaitedFDs tells which descriptor each of those waits for who wait for one of the loop's. From any
// goroutine.
func (l *Loop) awaitedFDs() map[*waiter]int {
	d := l.fds.all.Load()
	if d == nil || d.watched.Load() == 0 {
		return nil
	}
	by := make(map[*waiter]int)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.list {
		for i := range a.sides {
			list := &a.sides[i].waiters
			for n := list.first; n != nil; n = list.after(n) {
				by[n.owner.(*waiter)] = int(a.fd)
			}
		}
	}
	return by
}

// closeDescriptors lets go of all descriptors; part of wrapUp.
func (l *Loop) closeDescriptors() {
	l.fds.mu.Lock()
	l.fds.over = true
	l.fds.mu.Unlock()
	d := l.fds.all.Load()
	if d == nil {
		return
	}
	d.mu.Lock()
	d.closed = true
	d.sweeps.end()
	for _, a := range d.of.all {
		d.release(a, ErrClosed)
		a.sides[reading].drop()
		a.sides[writing].drop()
		d.count(a)
	}
	d.of = byNumber{}
	d.mu.Unlock()
	if !d.inline {
		close(d.again)
		d.sel.Interrupt()
		<-d.helped
	}
	_ = d.sel.Close()
	lostCalls{d}.run()
}

// explain says what to do about an error of the selector.
func explain(fd int, err error) error {
	switch err {
	case nil:
		return nil
	case selector.ErrNotOpen, selector.ErrGone:
		return fmt.Errorf("aio: descriptor %d is not open: %w", fd, os.ErrClosed)
	case errOwned:
		return fmt.Errorf("aio: descriptor %d belongs to a connection of package aionet, on which tasks wait by Read and Write: %w", fd, errors.ErrUnsupported)
	case selector.ErrAlwaysReady:
		return fmt.Errorf("aio: descriptor %d can't be waited for: regular files, directories and the like are always ready, and a read may take its time all the same; use Blocking: %w", fd, errors.ErrUnsupported)
	}
	return fmt.Errorf("aio: descriptor %d can't be waited for: %w", fd, err)
}
