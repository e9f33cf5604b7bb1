//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
)

// That the peer has gone is no failure of a handler, but only its own peer, whose connection has this very address at either
// end: a server's connections share theirs, and who dials back gives the peer's away.
func TestConn_lostPeer(t *testing.T) {
	local, remote := &net.TCPAddr{Port: 80}, &net.TCPAddr{Port: 4711}
	sameAsRemote := &net.TCPAddr{Port: 4711}
	op := func(source, addr net.Addr, err error) error {
		return &net.OpError{Op: "read", Net: "tcp", Source: source, Addr: addr, Err: err}
	}
	reset := os.NewSyscallError("read", syscall.ECONNRESET)
	named, nameless := &Conn{socket: &socket{local: local, remote: remote}}, &Conn{socket: &socket{local: local}}
	for name, c := range map[string]struct {
		of   *Conn
		err  error
		want bool
	}{
		"nothing":                        {named, nil, false},
		"no error of a connection":       {named, reset, false},
		"reset":                          {named, op(local, remote, reset), true},
		"broken pipe":                    {named, op(local, remote, os.NewSyscallError("write", syscall.EPIPE)), true},
		"too slow":                       {named, op(local, remote, os.ErrDeadlineExceeded), true},
		"another error":                  {named, op(local, remote, io.ErrUnexpectedEOF), false},
		"wrapped":                        {named, fmt.Errorf("reading: %w", op(local, remote, reset)), true},
		"joined with another":            {named, errors.Join(op(local, remote, reset), io.ErrUnexpectedEOF), false},
		"of another of the server's":     {named, op(local, sameAsRemote, reset), false},
		"of a dial back to the peer":     {named, op(nil, remote, os.ErrDeadlineExceeded), false},
		"of one that has no name":        {nameless, op(local, nil, reset), false},
		"around another's, like a proxy": {named, op(local, sameAsRemote, op(local, remote, reset)), false},
	} {
		if got := c.of.lostPeer(c.err); got != c.want {
			t.Errorf("%s (%v): %v, want %v", name, c.err, got, c.want)
		}
	}
}

// When the loop is over Serve gives up its connections: they are closed, whoever waits for their end goes on, and no more are
// taken.
func TestTaken_giveUp(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	one, other := &Conn{socket: newSocket(fds[0], "unix")}, &Conn{socket: newSocket(fds[1], "unix")}
	defer one.close()
	defer other.close()
	_, err = aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		open := &taken{open: map[*Conn]struct{}{}}
		if !open.add(one) || open.isLoopOver() {
			t.Error("the loop is over at once")
		}
		waits := aio.Go(ctx, aio.Do(open.wait))
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		if waits.State() != aio.Pending {
			t.Error("nobody waits for the connection")
		}
		open.giveUp()
		if !one.isClosed() {
			t.Error("the connection is open")
		}
		for range 3 {
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		if waits.State() == aio.Pending {
			t.Error("who waits for the end is not told of it")
			waits.Cancel(nil)
		}
		if open.add(other) || !open.isLoopOver() {
			t.Error("another one was taken")
		}
		return nil
	}))
	if err != nil {
		t.Error(err)
	}
}
