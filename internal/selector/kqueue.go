//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package selector

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// Tagged: reports carry no tag. None is needed: what was added goes with the number that it was
// added by, when that is closed, whoever else has the description. All that is left is a report that
// was fetched before and looked at after: it is of the file that had the number then.
const Tagged = false

// Levels: who wants to be told again arms again.
const Levels = false

// TellsUrgent: only macOS has a flag for it.
const TellsUrgent = false

// Inline: Wait holds a thread. A kqueue could be waited for through another one, but not through that
// of Go's runtime, which asks of each descriptor whether it can be written to as well: a kqueue
// refuses that (EINVAL).
const Inline = false

// Selector is a set of descriptors. Make one with New. Wait or Await may be called by one goroutine at
// a time, Interrupt by any at any time. All else is called by one at a time, also while another one waits.
type Selector struct {
	fd    int    // immutable, as these
	bell  [2]int // a pipe in the set: a byte in it ends Wait
	probe int    // another kqueue, empty, for Ready
	outer int    // of who is in Await: another kqueue, with fd in it
}

// New makes an empty set. Its error is the system's: too many open files, mostly.
func New() (*Selector, error) {
	s := &Selector{fd: -1, bell: [2]int{-1, -1}, probe: -1, outer: -1}
	if err := s.open(); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Selector) open() (err error) {
	if s.fd, err = kqueue(); err != nil {
		return err
	}
	if s.probe, err = kqueue(); err != nil {
		return err
	}
	if s.outer, err = kqueue(); err != nil {
		return err
	}
	if err = change(s.outer, s.fd, syscall.EVFILT_READ, syscall.EV_ADD); err != nil {
		return os.NewSyscallError("kevent", err)
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err = syscall.Pipe(s.bell[:]); err != nil {
		return os.NewSyscallError("pipe", err)
	}
	for _, fd := range s.bell {
		syscall.CloseOnExec(fd)
		if err = syscall.SetNonblock(fd, true); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
	}
	return os.NewSyscallError("kevent", change(s.fd, s.bell[0], syscall.EVFILT_READ, syscall.EV_ADD))
}

func kqueue() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Kqueue()
	if err != nil {
		return -1, os.NewSyscallError("kqueue", err)
	}
	syscall.CloseOnExec(fd)
	return fd, nil
}

// Close lets go of the set. Nothing may be called afterwards, nor meanwhile.
func (s *Selector) Close() error {
	var errs []error
	for _, fd := range []int{s.outer, s.fd, s.probe, s.bell[0], s.bell[1]} {
		if fd >= 0 {
			errs = append(errs, syscall.Close(fd))
		}
	}
	return errors.Join(errs...)
}

// evDispatch is EV_DISPATCH, which package syscall does not have on all of them: silence after a
// report.
const evDispatch = 0x80

// filters are what the system calls events.
var filters = [...]struct {
	events Events
	filter int
}{{In, syscall.EVFILT_READ}, {Out, syscall.EVFILT_WRITE}}

// Add puts fd into the set, to be reported once when it is ready for any of want.
func (s *Selector) Add(fd int, want Events, tag uint32) error {
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil {
		return ErrNotOpen
	}
	if kind := stat.Mode & syscall.S_IFMT; kind == syscall.S_IFREG || kind == syscall.S_IFDIR {
		return ErrAlwaysReady
	}
	err := s.Arm(fd, 0, want, tag)
	if err == ErrGone {
		return ErrNotOpen
	}
	if err != nil {
		s.Remove(fd, want)
	}
	return err
}

// Arm has fd, which is in the set, be reported anew. had is what it was ever armed for.
func (s *Selector) Arm(fd int, had, want Events, tag uint32) error {
	for _, known := range []bool{true, false} { // first what shows whether it still is that file
		for _, f := range filters {
			if had&f.events != 0 != known || (had|want)&f.events == 0 {
				continue
			}
			flags := syscall.EV_DISABLE
			switch {
			case want&Edge != 0:
				flags = syscall.EV_ADD | syscall.EV_ENABLE | syscall.EV_CLEAR
			case !known:
				flags = syscall.EV_ADD | evDispatch
			case want&f.events != 0:
				flags = syscall.EV_ENABLE | evDispatch
			}
			switch err := change(s.fd, fd, f.filter, flags); err {
			case nil:
			case syscall.EBADF, syscall.ENOENT:
				return ErrGone
			default:
				return os.NewSyscallError("kevent", err)
			}
		}
	}
	return nil
}

// Has reports whether fd still is the file that was added by that number. had is what it was ever
// armed for, last what it was armed for last.
func (s *Selector) Has(fd int, had, last Events, tag uint32) bool {
	return s.Arm(fd, had, last, tag) != ErrGone
}

// Renew is for systems that report what is of no use more than once.
func (s *Selector) Renew() error { return errors.ErrUnsupported }

// Remove takes fd out of the set, if it is in it. had is what it was ever armed for.
func (s *Selector) Remove(fd int, had Events) {
	for _, f := range filters {
		if had&f.events != 0 {
			_ = change(s.fd, fd, f.filter, syscall.EV_DELETE)
		}
	}
}

func change(kq, fd, filter, flags int) error {
	var k [1]syscall.Kevent_t
	syscall.SetKevent(&k[0], fd, filter, flags)
	for {
		_, err := syscall.Kevent(kq, k[:], nil, nil)
		if err != syscall.EINTR {
			return err
		}
	}
}

// Poll reports into b what is ready now, without waiting, and whether anything is.
func (s *Selector) Poll(b *Batch) bool { return s.fetch(b, new(syscall.Timespec)) }

// Until is for systems on which who waits can be woken at a time.
func (s *Selector) Until(time.Time) {}

// Wait reports into b what is ready, and waits until something is, or until Interrupt. It may return
// for nothing.
func (s *Selector) Wait(b *Batch) { s.fetch(b, nil) }

// Await waits as Wait does, and reports nothing: that is left for Poll. A kqueue can be read from while
// there is a report in it, which to ask for does not take out.
func (s *Selector) Await() {
	var found [1]syscall.Kevent_t
	_, _ = syscall.Kevent(s.outer, nil, found[:], nil)
}

func (s *Selector) fetch(b *Batch, timeout *syscall.Timespec) bool {
	room := b.room()
	n, err := syscall.Kevent(s.fd, nil, room, timeout)
	if err != nil {
		return false
	}
	b.n = n
	for i := 0; i < b.n; i++ {
		if int(room[i].Ident) == s.bell[0] {
			s.hush()
			b.n--
			room[i] = room[b.n]
			break
		}
	}
	return b.n > 0
}

// Interrupt ends the Wait that is going on, or the next Wait or Poll.
func (s *Selector) Interrupt() {
	_, _ = syscall.Write(s.bell[1], []byte{0}) // full will do as well
}

func (s *Selector) hush() {
	var buf [16]byte
	for {
		if n, err := syscall.Read(s.bell[0], buf[:]); n < len(buf) && err != syscall.EINTR {
			return
		}
	}
}

// Ready is what of want fd is ready for now. It need not be in the set.
func (s *Selector) Ready(fd int, want Events) (ready Events, err error) {
	for _, f := range filters {
		if want&f.events == 0 {
			continue
		}
		switch err := change(s.probe, fd, f.filter, syscall.EV_ADD); err {
		case nil:
		case syscall.EBADF:
			return 0, ErrNotOpen
		default:
			return 0, os.NewSyscallError("kevent", err)
		}
		var found [1]syscall.Kevent_t
		n, err := syscall.Kevent(s.probe, nil, found[:], new(syscall.Timespec))
		_ = change(s.probe, fd, f.filter, syscall.EV_DELETE)
		if err != nil && err != syscall.EINTR {
			return 0, os.NewSyscallError("kevent", err)
		}
		if n > 0 {
			ready |= f.events
		}
	}
	return ready, nil
}

type raw = syscall.Kevent_t

func eventOf(r *raw) Event {
	for _, f := range filters {
		if int(r.Filter) == f.filter {
			e := Event{FD: int(r.Ident), Ready: f.events}
			if r.Flags&syscall.EV_CLEAR != 0 && r.Flags&syscall.EV_EOF != 0 && f.events == In {
				e.Ready |= Hup
			}
			return e
		}
	}
	return Event{FD: -1}
}
