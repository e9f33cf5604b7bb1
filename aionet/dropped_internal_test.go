//go:build linux

package aionet

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// watched is a registration of which only the end is looked at.
type watched struct {
	netpoll.Watch
	fd     int
	closed bool // while the descriptor was open, as it must be
}

func (w *watched) Close()     { w.closed = opened(w.fd) }
func (w *watched) Over() bool { return false }

func opened(fd int) bool {
	var s syscall.Stat_t
	return syscall.Fstat(fd, &s) == nil
}

// droppedSocket is a socket that nobody has closed, and the other end's descriptor. leaves makes its estate, which the
// garbage collector leaves to the test.
func droppedSocket(t *testing.T) (s *socket, peer int, leaves func() *estate) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fds[1]) })
	s = newSocket(fds[0], "unix")
	return s, fds[1], func() *estate {
		s.closeWhenDropped()
		s.rare.estate.forget.Stop()
		return s.rare.estate
	}
}

// All registrations of a dropped socket end before its descriptor is closed: the one with which it was dialed, and later ones.
func TestEstate_watches(t *testing.T) {
	s, peer, leaves := droppedSocket(t)
	dialed, later := &watched{fd: int(s.fd)}, &watched{fd: int(s.fd)}
	s.keep(dialed)
	e := leaves()
	s.keep(later)
	e.close()
	if !dialed.closed || !later.closed {
		t.Errorf("the registration with which it was dialed has ended: %v, the later one: %v; want both, before the descriptor", dialed.closed, later.closed)
	}
	if n, err := syscall.Read(peer, make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("the other end reads %d, %v; want the end", n, err)
	}
}

// A number that was handed over to an os.File, by whom and whenever, is that file's to close, and is closed once: by then it may
// be another's.
func TestEstate_handedOver(t *testing.T) {
	for name, before := range map[string]bool{"while it was dialed": true, "later": false} {
		t.Run(name, func(t *testing.T) {
			handedOver := func() (e *estate, file *os.File, fd, peer int) {
				s, peer, leaves := droppedSocket(t)
				if !before {
					e = leaves()
				}
				b, err := s.forGoroutines()
				if err != nil {
					t.Fatal(err)
				}
				if before {
					e = leaves()
				}
				return e, b.file, int(s.fd), peer
			}
			e, file, _, _ := handedOver()
			e.close()
			if err := file.Close(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("the file was still open: closing it says %v, want os.ErrClosed", err)
			}

			e, file, fd, peer := handedOver()
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Dup3(peer, fd, syscall.O_CLOEXEC); err != nil { // who has the number now
				t.Fatal(err)
			}
			e.close()
			if err := syscall.Close(fd); err != nil {
				t.Errorf("the number was closed once more, under another file: %v", err)
			}
		})
	}
}
