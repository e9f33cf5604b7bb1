//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
)

// datagram sends or takes one.
func (o *operation) datagram(fd int) (errno syscall.Errno) {
	o.over = true
	switch {
	case o.kind == opReceiveFrom:
		var err error
		o.n, o.to, err = syscall.Recvfrom(fd, o.p, 0)
		return errnoOf(err)
	case len(o.p) > maxWriteBytes:
		return syscall.EMSGSIZE
	case o.kind == opSend && len(o.p) > 0:
		o.n, errno = sysWrite(fd, o.p)
		return errno
	case o.kind == opSend:
		_, err := syscall.Write(fd, nil) // one of nothing
		return errnoOf(err)
	}
	err := syscall.Sendto(fd, o.p, 0, o.to)
	if _, local := o.to.(*syscall.SockaddrUnix); local && err == syscall.EAGAIN { // its queue is full, which nobody tells the end of
		return syscall.ENOBUFS
	}
	return errnoOf(err)
}

// receiveFrom is ReadFrom without its errors' form.
func (s *socket) receiveFrom(ctx context.Context, p []byte) (int, net.Addr, error) {
	o := operation{kind: opReceiveFrom, p: p}
	if err := s.do(ctx, reading, &o); err != nil {
		return 0, nil, err
	}
	if local, ok := o.to.(*syscall.SockaddrUnix); o.to == nil || ok && local.Name == "" {
		return o.n, nil, nil
	}
	return o.n, s.addrOf(o.to), nil
}

// sendTo is WriteTo without its errors' form.
func (s *socket) sendTo(ctx context.Context, p []byte, to net.Addr) error {
	sa, err := s.sockaddrTo(to)
	if err != nil {
		return err
	}
	return s.send(ctx, operation{kind: opSendTo, p: p, to: sa})
}

// send sends a datagram. While the queue of a unix socket is full it tries again and again: of most systems, and
// of a socket that is not connected on all, nobody is told when there is room.
func (s *socket) send(ctx context.Context, o operation) error {
	for rest := time.Millisecond; ; rest = min(2*rest, 64*time.Millisecond) {
		err := s.do(ctx, writing, &o)
		if s.network() != "unixgram" || !errors.Is(err, syscall.ENOBUFS) {
			return err
		}
		if until := s.until[writing].Load(); until != 0 {
			rest = min(rest, time.Duration(until)-time.Since(began))
		}
		c, err := s.contextOf(ctx)
		if err != nil {
			return err
		}
		if err := aio.Sleep(c, rest); err != nil {
			return err
		}
	}
}

// sockaddrTo is an address in the form that the system wants it of this socket.
func (s *socket) sockaddrTo(to net.Addr) (syscall.Sockaddr, error) {
	switch to := to.(type) {
	case *net.UnixAddr:
		if to != nil && s.network() == "unixgram" {
			return &syscall.SockaddrUnix{Name: to.Name}, nil
		}
	case *net.UDPAddr:
		if to == nil || s.network() != "udp" {
			break
		}
		ip := to.AddrPort()
		switch addr := ip.Addr().Unmap(); {
		case !addr.IsValid() && s.six:
			ip = netip.AddrPortFrom(netip.IPv6Loopback(), ip.Port())
		case !addr.IsValid():
			ip = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), ip.Port())
		case s.six && addr.Is4(): // as a socket of both kinds knows it
			ip = netip.AddrPortFrom(netip.AddrFrom16(addr.As16()), ip.Port())
		case addr.Is4():
			ip = netip.AddrPortFrom(addr, ip.Port())
		case !s.six:
			return nil, &net.AddrError{Err: "no IPv4 address, and the socket knows no other", Addr: to.String()}
		}
		_, sa, err := sockaddr(target{ip: ip})
		return sa, err
	}
	text := "<nil>"
	if to != nil {
		text = to.Network() + " address"
	}
	return nil, &net.AddrError{Err: "no address of the network " + s.network(), Addr: text}
}
