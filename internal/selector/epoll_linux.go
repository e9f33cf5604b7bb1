package selector

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// Tagged: reports carry the tag.
const Tagged = true

// Levels: Level can be had.
const Levels = true

// TellsUrgent: urgent data is reported when it comes, as long as nobody has read it.
const TellsUrgent = true

// Inline: Wait parks the calling goroutine as a channel would, and costs no thread.
const Inline = true

// Selector is a set of descriptors. Make one with New. Wait or Await may be called by one goroutine at
// a time, Until by that one, Interrupt by any at any time. All else is called by one at a time, also while
// another one waits.
type Selector struct {
	set   atomic.Pointer[set]
	waits *Batch             // of who is in Wait
	poll  func(uintptr) bool // immutable; polls into waits
	any   func(uintptr) bool // immutable; whether anything is ready
}

// set is itself a descriptor that is ready if any in it is. It stands in the poller of Go's runtime,
// so whoever waits for it is parked as one who reads from a connection.
type set struct {
	fd   int // immutable, as these
	file *os.File
	conn syscall.RawConn

	until time.Time // of who is in Wait: what the file's deadline was set to
	stale bool      // likewise: Interrupt has changed that since
}

// New makes an empty set. Its error is the system's: too many open files, mostly.
func New() (*Selector, error) {
	s := &Selector{}
	s.poll = func(fd uintptr) bool { return pollInto(int(fd), s.waits) }
	s.any = func(fd uintptr) bool {
		ready, err := s.Ready(int(fd), In)
		return ready != 0 || err != nil
	}
	return s, s.Renew()
}

// Renew empties the set. If it fails, everything is as it was.
func (s *Selector) Renew() error {
	next, err := newSet()
	if err != nil {
		return err
	}
	if old := s.set.Swap(next); old != nil {
		_ = old.file.Close() // which ends its Wait
	}
	return nil
}

func newSet() (*set, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // else os takes it for what must not be in the poller
		_ = syscall.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	s := &set{fd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	if err := s.file.SetReadDeadline(time.Time{}); err != nil {
		_ = s.file.Close()
		return nil, fmt.Errorf("epoll in the runtime's poller: %w", err)
	}
	if s.conn, err = s.file.SyscallConn(); err != nil {
		_ = s.file.Close()
		return nil, err
	}
	return s, nil
}

// Close ends Wait and lets go of the set. Nothing else may be called afterwards, nor meanwhile, but
// Interrupt.
func (s *Selector) Close() error { return s.set.Load().file.Close() }

// Add puts fd into the set, to be reported when it is ready for any of want.
func (s *Selector) Add(fd int, want Events, tag uint32) error {
	errno := s.control(syscall.EPOLL_CTL_ADD, fd, want, tag)
	if errno == syscall.EEXIST { // the very file was closed under this number and has come back by dup2
		errno = s.control(syscall.EPOLL_CTL_MOD, fd, want, tag)
	}
	switch errno {
	case 0:
		return nil
	case syscall.EBADF:
		return ErrNotOpen
	case syscall.EPERM:
		return ErrAlwaysReady
	}
	return os.NewSyscallError("epoll_ctl", errno)
}

// Arm has fd, which is in the set, be reported anew. had is what it was ever armed for.
func (s *Selector) Arm(fd int, had, want Events, tag uint32) error {
	switch errno := s.control(syscall.EPOLL_CTL_MOD, fd, want, tag); errno {
	case 0:
		return nil
	case syscall.EBADF, syscall.ENOENT, syscall.EPERM:
		return ErrGone
	default:
		return os.NewSyscallError("epoll_ctl", errno)
	}
}

// Remove takes fd out of the set, if it is in it. had is what it was ever armed for.
func (s *Selector) Remove(fd int, had Events) { s.control(syscall.EPOLL_CTL_DEL, fd, 0, 0) }

// Has reports whether fd still is the file that was added by that number. had is what it was ever
// armed for, last what it was armed for last.
func (s *Selector) Has(fd int, had, last Events, tag uint32) bool {
	switch s.control(syscall.EPOLL_CTL_ADD, fd, 0, tag) { // which has no effect on what is there
	case syscall.EEXIST:
		return true
	case 0:
		s.Remove(fd, 0)
	}
	return false
}

// edgeTriggered is EPOLLET, which package syscall has as a negative number.
const edgeTriggered = 1 << 31

func (s *Selector) control(op, fd int, want Events, tag uint32) syscall.Errno {
	ev := syscall.EpollEvent{Events: syscall.EPOLLONESHOT, Fd: int32(fd), Pad: int32(tag &^ levelTag)}
	if want&Level != 0 {
		ev.Events = 0
		ev.Pad |= -levelTag // as a signed number
	}
	if want&Edge != 0 {
		ev.Events = edgeTriggered | syscall.EPOLLRDHUP | syscall.EPOLLPRI
	}
	if want&In != 0 {
		ev.Events |= syscall.EPOLLIN
	}
	if want&Out != 0 {
		ev.Events |= syscall.EPOLLOUT
	}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(s.set.Load().fd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	return errno
}

// Poll reports into b what is ready now, without waiting, and whether anything is.
func (s *Selector) Poll(b *Batch) bool { return pollInto(s.set.Load().fd, b) }

func pollInto(fd int, b *Batch) bool {
	room := b.room()
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(&room[0])), uintptr(len(room)), 0, 0, 0)
		if errno == syscall.EINTR {
			continue
		}
		if errno == 0 {
			b.n = int(n)
		}
		return b.n > 0
	}
}

// Until sets how long the next Wait waits: until t, or with the zero time without end. It undoes an
// Interrupt that came before.
func (s *Selector) Until(t time.Time) {
	s.set.Load().setDeadline(t)
}

func (s *set) setDeadline(t time.Time) {
	if s.stale || t != s.until {
		s.until, s.stale = t, false
		_ = s.file.SetReadDeadline(t)
	}
}

// Wait reports into b what is ready, and waits until something is, until Interrupt, or until the
// time has come that Until was given. It may return for nothing.
func (s *Selector) Wait(b *Batch) {
	s.waits = b
	b.n = 0
	set := s.set.Load()
	err := set.conn.Read(s.poll)
	set.stale = set.stale || err != nil
}

// Await waits as Wait does, and reports nothing: that is left for Poll.
func (s *Selector) Await() {
	set := s.set.Load()
	err := set.conn.Read(s.any)
	set.stale = set.stale || err != nil
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// Interrupt ends the Wait that is going on, or the next one, unless Until is called before that.
func (s *Selector) Interrupt() { _ = s.set.Load().file.SetReadDeadline(longAgo) }

// Ready is what of want fd is ready for now. It need not be in the set.
func (s *Selector) Ready(fd int, want Events) (Events, error) {
	p := pollFD{fd: int32(fd)}
	if want&In != 0 {
		p.events |= pollIn
	}
	if want&Out != 0 {
		p.events |= pollOut
	}
	var now syscall.Timespec
	for {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
		runtime.KeepAlive(&now)
		switch {
		case errno == syscall.EINTR:
			continue
		case errno != 0:
			return 0, os.NewSyscallError("ppoll", errno)
		case p.revents&pollInvalid != 0:
			return 0, ErrNotOpen
		}
		return events(uint32(p.revents)) & want, nil
	}
}

// pollFD is the system's struct pollfd, whose events are epoll's.
type pollFD struct {
	fd      int32
	events  int16
	revents int16
}

const (
	pollIn      = 0x1
	pollOut     = 0x4
	pollInvalid = 0x20
)

// events is what a report means, as CPython's selectors have it: whatever is not about writing is
// for who reads, and the other way round.
func events(e uint32) (ready Events) {
	if e&^syscall.EPOLLOUT != 0 {
		ready |= In
	}
	if e&^(syscall.EPOLLIN|syscall.EPOLLPRI) != 0 { // the latter only Edge asks for
		ready |= Out
	}
	return ready
}

type raw = syscall.EpollEvent

// levelTag is the bit of a tag that tells of Level.
const levelTag = MaxTag

func eventOf(r *raw) Event {
	e := Event{FD: int(r.Fd), Tag: uint32(r.Pad) &^ levelTag, Ready: events(r.Events)}
	if uint32(r.Pad)&levelTag != 0 {
		e.Ready |= Level
	}
	if r.Events&syscall.EPOLLRDHUP != 0 { // which only Edge asks for
		e.Ready |= Hup
	}
	if r.Events&syscall.EPOLLPRI != 0 { // likewise
		e.Ready |= Urgent
	}
	return e
}
