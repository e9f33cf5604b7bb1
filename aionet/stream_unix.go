//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// read is Read without its errors' form.
func (s *socket) read(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 && s.stream {
		return 0, s.nothing(ctx, reading)
	}
	o := operation{kind: opRead, p: p, over: true}
	if err := s.do(ctx, reading, &o); err != nil {
		return 0, err
	}
	if o.n == 0 && s.stream {
		return 0, io.EOF
	}
	return o.n, nil
}

// readBorrowed is read into a buffer that is taken when there is something to read; the caller gives
// it back to copyBuffers.
func (s *socket) readBorrowed(ctx context.Context) (*[copyBytes]byte, int, error) {
	o := operation{kind: opBorrow}
	err := s.do(ctx, reading, &o)
	if err == nil && o.n == 0 {
		err = io.EOF
	}
	return o.lent, o.n, err
}

// nothing is what a read or a write of no bytes comes to: it waits for nothing.
func (s *socket) nothing(ctx context.Context, side int) error {
	var c caller
	if err := s.caller(ctx, &c); err != nil {
		return err
	}
	return s.mayGoOn(side)
}

// write is Write without its errors' form.
func (s *socket) write(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 && s.stream {
		return 0, s.nothing(ctx, writing)
	}
	unlock, err := s.lockWrites(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock.Unlock()
	if !s.stream {
		if err := s.send(ctx, operation{kind: opSend, p: p}); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	o := operation{kind: opWrite, p: p}
	err = s.do(ctx, writing, &o)
	return o.n, err
}

// writeBuffers is write of several buffers, out of which what was written is taken.
func (s *socket) writeBuffers(ctx context.Context, v *net.Buffers) (int, error) {
	if consume(v, 0); len(*v) == 0 {
		return 0, s.nothing(ctx, writing)
	}
	unlock, err := s.lockWrites(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock.Unlock()
	o := operation{kind: opWritev, vec: v}
	err = s.do(ctx, writing, &o)
	return o.n, err
}

// lockWrites keeps two Writes apart: each may take several calls.
func (s *socket) lockWrites(ctx context.Context) (*aio.Mutex, error) {
	if s.writes.TryLock() {
		return &s.writes, nil
	}
	if ctx == nil {
		if t, _ := netpoll.Running(); t != nil {
			ctx = t.Own()
		} else {
			ctx = context.Background()
		}
	}
	return &s.writes, s.writes.Lock(ctx)
}

func (s *socket) shutdown(how int) error {
	if !s.hold() {
		return net.ErrClosed
	}
	defer s.drop()
	if !s.stream {
		return errNoEnd
	}
	return os.NewSyscallError("shutdown", syscall.Shutdown(int(s.fd), how))
}

func (s *socket) closeRead() error  { return s.shutdown(syscall.SHUT_RD) }
func (s *socket) closeWrite() error { return s.shutdown(syscall.SHUT_WR) }

// tryRead reads what there is; again: there is nothing.
func (s *socket) tryRead(p []byte) (n int, again bool, err error) {
	return s.attempt(&operation{kind: opRead, p: p})
}

// tryPeek looks whether there is something to read, be it the end; again: there is nothing. An error is told once, so it
// must not be lost.
func (s *socket) tryPeek() (again bool, err error) {
	_, again, err = s.attempt(&operation{kind: opCall, call: func(fd uintptr) syscall.Errno {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		return errnoOf(err)
	}})
	return again, err
}

// tryWrite writes what there is room for; again: there is none.
func (s *socket) tryWrite(p []byte) (n int, again bool, err error) {
	return s.attempt(&operation{kind: opWrite, p: p})
}

func (s *socket) attempt(o *operation) (n int, again bool, err error) {
	if !s.hold() {
		return 0, false, net.ErrClosed
	}
	defer s.drop()
	for {
		switch errno := o.try(int(s.fd)); errno {
		case 0:
			return o.n, false, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return o.n, true, nil
		default:
			return o.n, false, os.NewSyscallError(o.name(), errno)
		}
	}
}
