//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

const supported = true

var errUnsupported error // never

// connectSocket connects to one address.
func connectSocket(ctx context.Context, a target, alive time.Duration) (*socket, error) {
	for rest := time.Millisecond; ; rest = min(2*rest, 64*time.Millisecond) {
		s, err := connectOnce(ctx, a, alive)
		if a.network != "unix" || !errors.Is(err, syscall.ENOBUFS) {
			return s, err
		}
		if err := aio.Sleep(ctx, rest); err != nil { // its queue is full
			return nil, err
		}
	}
}

func makeSocket(family int, network string) (*socket, error) {
	kind := syscall.SOCK_STREAM
	if ofDatagrams(network) {
		kind = syscall.SOCK_DGRAM
	}
	fd, err := newDescriptor(family, kind)
	if err != nil {
		return nil, err
	}
	s := newSocket(fd, network)
	s.six = family == syscall.AF_INET6
	if network == "udp" { // as package net; who sends to such an address means it
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_BROADCAST, 1)
	}
	return s, nil
}

func connectOnce(ctx context.Context, a target, alive time.Duration) (*socket, error) {
	family, to, err := sockaddr(a)
	if err != nil {
		return nil, err
	}
	if t, _ := netpoll.Running(); t != nil { // to dial what answers at once is nothing to wait for
		if err := t.Turn(ctx); err != nil {
			return nil, err
		}
	}
	s, err := makeSocket(family, strings.TrimRight(a.network, "46"))
	if err != nil {
		return nil, err
	}
	o := operation{kind: opConnect, to: to}
	if errno := o.try(int(s.fd)); errno == syscall.EAGAIN {
		err = s.do(ctx, writing, &o)
	} else if errno != 0 {
		err = os.NewSyscallError("connect", errno)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.connected(alive)
	if s.remote == nil || a.local() {
		s.remote = a.addr()
	}
	return s, nil
}

// connected sets what a new connection needs.
func (s *socket) connected(alive time.Duration) {
	if s.network() == "tcp" {
		_ = syscall.SetsockoptInt(int(s.fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		if alive == 0 {
			alive = 15 * time.Second
		}
		if alive > 0 {
			keepAlive(int(s.fd), max(int(alive/time.Second), 1))
		}
	}
	if sa, err := syscall.Getsockname(int(s.fd)); err == nil {
		s.local = s.addrOf(sa)
	}
	if s.remote == nil {
		if sa, err := syscall.Getpeername(int(s.fd)); err == nil {
			s.remote = s.addrOf(sa)
		}
	}
}

// accept waits for a connection.
func (s *socket) accept(ctx context.Context) (*socket, error) {
	o := operation{kind: opAccept}
	if err := s.do(ctx, reading, &o); err != nil {
		return nil, err
	}
	next := newSocket(o.n, s.network())
	next.remote = s.addrOf(o.to)
	next.connected(0)
	return next, nil
}

// contextOf is ctx, or if that is nil the calling task's own.
func (s *socket) contextOf(ctx context.Context) (context.Context, error) {
	var c caller
	err := s.caller(ctx, &c)
	if err == nil && c.ctx == nil {
		c.ctx = context.Background()
	}
	return c.ctx, err
}

// bound is a socket that has an address of this machine, and, if it is one of streams, listens. The address is also that
// of the error, nil if it is not known.
func bound(ctx context.Context, network, address string) (*socket, net.Addr, error) {
	if network == "unix" || network == "unixgram" {
		return boundTo(target{network: network, name: address}, network, false)
	}
	host, port, err := net.SplitHostPort(address)
	if err == nil && host == "" {
		address = net.JoinHostPort("0.0.0.0", port)
		if !strings.HasSuffix(network, "4") {
			address = net.JoinHostPort("::", port)
		}
		if network == "tcp" || network == "udp" {
			targets, err := resolve(ctx, network+"6", address)
			if err != nil {
				return nil, nil, err
			}
			s, addr, err := boundTo(targets[0], network, true)
			if err == nil || !errors.Is(err, syscall.EAFNOSUPPORT) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
				return s, addr, err
			}
			address = net.JoinHostPort("0.0.0.0", port) // a machine without IPv6
		}
	}
	targets, err := resolve(ctx, network, address)
	if err != nil {
		return nil, nil, err
	}
	best := targets[0]
	for _, a := range targets { // as package net: a name stands for its IPv4 address
		if a.ip.Addr().Is4() {
			best = a
			break
		}
	}
	return boundTo(best, network[:len("tcp")], false)
}

func boundTo(a target, network string, both bool) (*socket, net.Addr, error) {
	family, at, err := sockaddr(a)
	if err != nil {
		return nil, a.addr(), err
	}
	s, err := makeSocket(family, network)
	if err != nil {
		return nil, a.addr(), err
	}
	if err := s.bind(family, at, both); err != nil {
		s.close()
		return nil, a.addr(), err
	}
	return s, a.addr(), nil
}

func (s *socket) bind(family int, at syscall.Sockaddr, both bool) error {
	if family != syscall.AF_UNIX && s.stream { // datagrams would go to whoever came last
		if err := syscall.SetsockoptInt(int(s.fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if family == syscall.AF_INET6 {
		only := 1
		if both {
			only = 0
		}
		if err := syscall.SetsockoptInt(int(s.fd), syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, only); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	if err := syscall.Bind(int(s.fd), at); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if s.stream {
		if err := syscall.Listen(int(s.fd), backlog()); err != nil {
			return os.NewSyscallError("listen", err)
		}
	}
	sa, err := syscall.Getsockname(int(s.fd))
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	s.local = s.addrOf(sa)
	return nil
}

func sockaddr(a target) (family int, sa syscall.Sockaddr, err error) {
	switch {
	case a.local():
		return syscall.AF_UNIX, &syscall.SockaddrUnix{Name: a.name}, nil
	case a.ip.Addr().Is4():
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: int(a.ip.Port()), Addr: a.ip.Addr().As4()}, nil
	}
	sa6 := &syscall.SockaddrInet6{Port: int(a.ip.Port()), Addr: a.ip.Addr().As16()}
	if zone := a.ip.Addr().Zone(); zone != "" {
		if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
			sa6.ZoneId = uint32(n)
		} else if i, err := net.InterfaceByName(zone); err == nil {
			sa6.ZoneId = uint32(i.Index)
		} else {
			return 0, nil, err
		}
	}
	return syscall.AF_INET6, sa6, nil
}

func (s *socket) addrOf(sa syscall.Sockaddr) net.Addr {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return ipAddr(s.network(), netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)))
	case *syscall.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			zone := strconv.FormatUint(uint64(sa.ZoneId), 10)
			if i, err := net.InterfaceByIndex(int(sa.ZoneId)); err == nil {
				zone = i.Name
			}
			ip = ip.WithZone(zone)
		}
		return ipAddr(s.network(), netip.AddrPortFrom(ip.Unmap(), uint16(sa.Port)))
	case *syscall.SockaddrUnix:
		return &net.UnixAddr{Name: sa.Name, Net: s.network()}
	}
	return nil
}
