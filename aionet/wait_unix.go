//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// caller is who calls.
type caller struct {
	ctx    context.Context // nil: none
	watch  netpoll.Watch   // nil: no task
	onLoop bool            // though no task: it must not wait
}

// caller finds out who calls, and fails if the context has ended.
func (s *socket) caller(ctx context.Context, c *caller) error {
	first := s.first.Load()
	if first == nil {
		return s.otherCaller(ctx, c)
	}
	own := first.Here()
	if own == nil {
		return s.otherCaller(ctx, c)
	}
	if ctx == nil {
		ctx = own
	}
	c.ctx, c.watch = ctx, first.Watch
	return netpoll.Ended(ctx)
}

// otherCaller is caller for whoever is no task of the loop that used the socket first.
func (s *socket) otherCaller(ctx context.Context, c *caller) (err error) {
	var t netpoll.Task
	if t, c.onLoop = netpoll.Running(); t != nil {
		if c.watch, err = s.watch(t); err != nil {
			return err
		}
		if ctx == nil {
			ctx = t.Own()
		}
	}
	if c.ctx = ctx; ctx == nil {
		return nil
	}
	return netpoll.Ended(ctx)
}

// do does o, waiting until that is possible.
func (s *socket) do(ctx context.Context, side int, o *operation) error {
	var c caller
	if err := s.caller(ctx, &c); err != nil {
		return err
	}
	if o.kind == opCall && c.watch != nil {
		c.watch.Suspect(side) // it may be a look at the socket that does not wait
	}
	for {
		if err := s.mayGoOn(side); err != nil {
			return err
		}
		if c.watch == nil || c.watch.Ready(side) {
			errno, closed := s.try(o)
			switch {
			case closed:
				return net.ErrClosed
			case errno == 0 && o.over:
				if o.short && c.watch != nil && s.endsShort() {
					c.watch.Drained()
				}
				return nil
			case errno == 0 || errno == syscall.EINTR:
				continue
			case errno != syscall.EAGAIN:
				return os.NewSyscallError(o.name(), errno)
			}
		}
		if c.watch == nil {
			return s.doBlocking(c, side, o)
		}
		if o.tried { // else it was only known that it is of no use
			c.watch.Clear(side)
			o.tried = false
		}
		if err := s.wait(c, side); err != nil {
			return err
		}
	}
}

// try tries o, with the descriptor held.
func (s *socket) try(o *operation) (errno syscall.Errno, closed bool) {
	if !s.hold() {
		return 0, true
	}
	if o.kind == opCall { // of a function that is not ours, and may panic
		defer s.drop()
		return o.try(int(s.fd)), false
	}
	errno = o.try(int(s.fd))
	s.drop()
	return errno, false
}

// wait suspends the calling task until side may be ready.
func (s *socket) wait(c caller, side int) error {
	until := s.until[side].Load()
	var within time.Duration
	if until != 0 {
		within = max(time.Duration(until)-time.Since(began), 1)
	}
	err := c.watch.Wait(c.ctx, side, within)
	switch {
	case s.isClosed():
		return net.ErrClosed
	case err == netpoll.ErrTimeout && s.until[side].Load() == until:
		return os.ErrDeadlineExceeded
	case err == netpoll.ErrTimeout:
		return nil
	}
	return err
}

// mayGoOn fails if the socket was closed, or its time is over.
func (s *socket) mayGoOn(side int) error {
	if s.isClosed() {
		return net.ErrClosed
	}
	if until := s.until[side].Load(); until != 0 && time.Duration(until) <= time.Since(began) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// setDeadline sets until when side may wait, for those who wait already as well.
func (s *socket) setDeadline(side int, t time.Time) error {
	if !s.hold() {
		return net.ErrClosed
	}
	defer s.drop()
	var until int64
	if !t.IsZero() {
		if until = int64(t.Sub(began)); until == 0 {
			until = 1
		}
	}
	before := s.until[side].Swap(until)
	s.mu.Lock()
	if b := s.handedOver(); b != nil {
		b.apply(s, side)
	}
	s.mu.Unlock()
	if until != 0 && (before == 0 || until < before) { // who waits for longer looks again by himself
		for _, w := range s.watches() {
			w.Wake(side)
		}
	}
	return nil
}

// control calls f with the descriptor.
func (s *socket) control(f func(fd uintptr)) error {
	if !s.hold() {
		return net.ErrClosed
	}
	defer s.drop()
	s.lent.Store(true)
	f(uintptr(s.fd))
	return nil
}

// poll calls f, and again each time that side may be ready, until it reports true.
func (s *socket) poll(ctx context.Context, side int, f func(fd uintptr) bool) error {
	s.lent.Store(true)
	o := operation{kind: opCall, call: func(fd uintptr) syscall.Errno {
		if !f(fd) {
			return syscall.EAGAIN
		}
		return 0
	}}
	return s.do(ctx, side, &o)
}
