package aionet

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"time"
)

// PacketConn takes and sends datagrams of and to whoever there is: a net.PacketConn of one color. Get one
// from [ListenPacket]. It may be used from any goroutine, several at a time. Calls that wait suspend a
// task and block any other goroutine; in a callback on a loop they are aio.ErrWouldDeadlock, unless
// there is nothing to wait for. Its errors are those of a [Conn].
type PacketConn struct{ conn *Conn }

var (
	_ net.PacketConn = (*PacketConn)(nil)
	_ syscall.Conn   = (*PacketConn)(nil)
)

// ListenPacket takes datagrams at an address of this machine: asyncio's create_datagram_endpoint with a
// local_addr. network is "udp", "udp4", "udp6" or "unixgram". A name in address is looked up off the
// loop: that suspends a task and blocks any other goroutine; an address is not. An empty host, with
// "udp", is every address of both IPv4 and IPv6. The port 0 is any that is free, see LocalAddr.
//
// When ctx ends first its error is returned; later it has no effect. Errors are *net.OpError. The
// caller closes what it gets.
func ListenPacket(ctx context.Context, network, address string) (*PacketConn, error) {
	mustContext(ctx, "ListenPacket")
	if !ofDatagrams(network) {
		return nil, &net.OpError{Op: "listen", Net: network, Err: fmt.Errorf("%w: here it is udp or unixgram; Listen takes connections", net.UnknownNetworkError(network))}
	}
	s, err := bindTo(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &PacketConn{&Conn{socket: s}}, nil
}

// ReadFrom takes the next datagram, and tells who has sent it; nil: one without an address, as a unix
// socket may be. It waits until there is one: it suspends a task and blocks any other goroutine. What does not
// fit into p is lost. In a task whose context has ended it fails at once; if that ends first, so it
// does, and nothing is lost.
func (p *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := p.conn.receiveFrom(p.conn.ctx, b)
	if err != nil {
		err = p.conn.opError("read", err)
	}
	return n, from, err
}

// WriteTo sends b as one datagram, to a *net.UDPAddr or, of "unixgram", a *net.UnixAddr. It waits while the system
// takes no more: it suspends a task and blocks any other goroutine. What is too long Is
// syscall.EMSGSIZE. In a task whose context has ended it fails at once; if that ends first, so it does,
// and nothing was sent. Whether UDP's datagrams arrive nobody is told.
func (p *PacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if err := p.conn.sendTo(p.conn.ctx, b, to); err != nil {
		err = p.conn.opError("write", err)
		if op, ok := err.(*net.OpError); ok {
			op.Addr = to
		}
		return 0, err
	}
	return len(b), nil
}

// WithContext is the same socket, whose calls end with ctx: see [Conn.WithContext]. From any goroutine;
// it does not suspend. Closing one closes both.
func (p *PacketConn) WithContext(ctx context.Context) *PacketConn {
	return &PacketConn{p.conn.WithContext(ctx)}
}

// Close closes the socket, and removes the file that "unixgram" has made. Whoever waits for it gets an
// error that Is net.ErrClosed. From any goroutine; it does not suspend.
func (p *PacketConn) Close() error {
	if err := p.conn.Close(); err != nil {
		return err
	}
	removeFile(p.conn.local)
	return nil
}

// LocalAddr is the address that datagrams are taken at. From any goroutine; it does not suspend.
func (p *PacketConn) LocalAddr() net.Addr { return p.conn.local }

// SetDeadline is [Conn.SetDeadline]. From any goroutine; it does not suspend.
func (p *PacketConn) SetDeadline(t time.Time) error { return p.conn.SetDeadline(t) }

// SetReadDeadline is [Conn.SetReadDeadline]. From any goroutine; it does not suspend.
func (p *PacketConn) SetReadDeadline(t time.Time) error { return p.conn.SetReadDeadline(t) }

// SetWriteDeadline is [Conn.SetWriteDeadline]. From any goroutine; it does not suspend.
func (p *PacketConn) SetWriteDeadline(t time.Time) error { return p.conn.SetWriteDeadline(t) }

// SyscallConn is [Conn.SyscallConn]. From any goroutine; it does not suspend, what it returns may.
func (p *PacketConn) SyscallConn() (syscall.RawConn, error) { return p.conn.SyscallConn() }
