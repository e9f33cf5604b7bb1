//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// blocked is the part of a socket that goroutines wait with: its descriptor in the poller of Go's
// runtime.
//
// The runtime knows one deadline for each direction, so a context that ends ends the wait of all for
// a moment: the deadline is set to one that has passed, those who were not meant wait until the one
// who was has left, and go on.
type blocked struct {
	file *os.File
	raw  syscall.RawConn

	calm  sync.Cond // of the socket's mu: kicks have changed, or the socket was closed
	kicks [2]int    // guarded by the socket's mu; contexts that have ended, of those who have not left
}

var longAgo = time.Unix(1, 0)

// forGoroutines hands the descriptor over to the runtime, once.
func (s *socket) forGoroutines() (*blocked, error) {
	if !s.hold() {
		return nil, net.ErrClosed
	}
	defer s.drop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.handedOver(); b != nil {
		return b, nil
	}
	b := &blocked{file: os.NewFile(uintptr(s.fd), s.network())}
	b.calm.L = &s.mu
	var err error
	if b.raw, err = b.file.SyscallConn(); err != nil {
		return nil, err
	}
	s.extra().blocked = b
	s.rare.estate.inherit(nil, b.file)
	b.apply(s, reading)
	b.apply(s, writing)
	return b, nil
}

// apply sets the runtime's deadline for side. Called with the socket's mu held.
func (b *blocked) apply(s *socket, side int) {
	var t time.Time
	if until := s.until[side].Load(); until != 0 {
		t = began.Add(time.Duration(until))
	}
	if b.kicks[side] > 0 || s.isClosed() {
		t = longAgo
	}
	if side == reading {
		_ = b.file.SetReadDeadline(t)
	} else {
		_ = b.file.SetWriteDeadline(t)
	}
}

// kick adds n to the contexts that have ended. Called with the socket's mu held.
func (b *blocked) kick(s *socket, side, n int) {
	b.kicks[side] += n
	b.calm.Broadcast()
	b.apply(s, side)
}

// stay is the time that a goroutine spends in block.
type stay struct {
	b      *blocked
	s      *socket
	side   int
	stop   func() bool
	kicked chan struct{} // closed, under the socket's mu, when its context's end is among the kicks; nil: that never ends
}

// endWith has ctx end the stay that begins now. To be called when that is over: leave.
func (b *blocked) endWith(ctx context.Context, s *socket, side int) stay {
	y := stay{b: b, s: s, side: side}
	if ctx == nil || ctx.Done() == nil {
		return y
	}
	kicked := make(chan struct{})
	y.kicked = kicked
	y.stop = context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		b.kick(s, side, 1)
		close(kicked)
	})
	return y
}

func (y *stay) leave() {
	if y.kicked == nil || y.stop() {
		return
	}
	<-y.kicked
	y.s.mu.Lock()
	defer y.s.mu.Unlock()
	y.b.kick(y.s, y.side, -1)
}

// stand waits while others are kicked, until they have left. Its own kick is none to wait for: that ends when this one
// leaves.
func (y *stay) stand() {
	y.s.mu.Lock()
	defer y.s.mu.Unlock()
	for y.b.kicks[y.side] > 0 && !y.s.isClosed() {
		select {
		case <-y.kicked:
			return
		default:
			y.b.calm.Wait()
		}
	}
}

// doBlocking is do for a goroutine, which has tried before.
func (s *socket) doBlocking(c caller, side int, o *operation) error {
	if c.onLoop {
		return aio.ErrWouldDeadlock
	}
	if err := netpoll.MayBlock(); err != nil {
		return err
	}
	b, err := s.forGoroutines()
	if err != nil {
		return err
	}
	next := *o // so that o, of the many who never come here, need not be on the heap
	next, err = s.block(c.ctx, b, side, next)
	*o = next
	return err
}

func (s *socket) block(ctx context.Context, b *blocked, side int, o operation) (operation, error) {
	y := b.endWith(ctx, s, side)
	defer y.leave()
	var errno syscall.Errno
	try := func(fd uintptr) bool {
		for {
			errno = o.try(int(fd))
			if errno != syscall.EINTR && (errno != 0 || o.over) {
				return errno != syscall.EAGAIN
			}
		}
	}
	for {
		wait := b.raw.Read
		if side == writing {
			wait = b.raw.Write
		}
		err := wait(try)
		switch {
		case err == nil && errno != 0:
			return o, os.NewSyscallError(o.name(), errno)
		case err == nil:
			return o, nil
		case s.isClosed():
			return o, net.ErrClosed
		case !isTimeout(err):
			return o, err
		}
		if ctx != nil {
			if err := netpoll.Ended(ctx); err != nil {
				return o, err
			}
		}
		if err := s.mayGoOn(side); err != nil {
			return o, err
		}
		y.stand()
	}
}
