package refire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// site is a place that a LoopClient fires at: how its requests end, and the connections that are kept.
type site struct {
	hostPort string
	pins     *Pins
	tls      *tls.Config           // nil: plain
	tail     string                // what follows the target in a request
	tailBody string                // the same where a body is expected: there is none
	idle     *aio.Queue[*loopConn] // last in, first out; some may be closed by now
}

func newSite(o Origin, c *HTTPConfig) *site {
	s := &site{hostPort: o.HostPort(), pins: c.Pins, idle: aio.NewLIFOQueue[*loopConn](0)}
	s.tail = " HTTP/1.1\r\nHost: " + o.Authority() + "\r\nUser-Agent: refire\r\nAccept: */*\r\n\r\n"
	s.tailBody = " HTTP/1.1\r\nHost: " + o.Authority() + "\r\nUser-Agent: refire\r\nContent-Length: 0\r\nAccept: */*\r\n\r\n"
	if o.Scheme == "https" {
		s.tls = new(tls.Config)
		if c.TLS != nil {
			s.tls = c.TLS.Clone()
		}
		s.tls.NextProtos = nil // else a server might choose HTTP/2
		if s.tls.ServerName == "" {
			s.tls.ServerName = o.Host
		}
	}
	return s
}

// appendRequest appends the bytes of r.
func (s *site) appendRequest(b []byte, r *Request) []byte {
	b = append(append(append(b, r.Method...), ' '), r.Target...)
	switch r.Method {
	case "POST", "PUT", "PATCH":
		return append(b, s.tailBody...)
	}
	return append(b, s.tail...)
}

// take is a kept connection that is fit, or a new one, for an attempt that ends with ctx and at deadline.
func (s *site) take(ctx context.Context, deadline time.Time) (*loopConn, error) {
	for {
		conn, err := s.idle.TryGet()
		switch {
		case errors.Is(err, aio.ErrEmpty):
			return s.dial(ctx, deadline)
		case err != nil:
			return nil, errors.New("refire: the client is closed")
		}
		if conn.wakes() && conn.begin(ctx, deadline) == nil && conn.fit() {
			return conn, nil
		}
		conn.Close()
	}
}

// keep puts a connection aside.
func (s *site) keep(conn *loopConn) {
	conn.rests()
	if s.idle.TryPut(conn) != nil { // the client is closed
		conn.Close()
	}
}

func (s *site) close() {
	s.idle.Close()
	for {
		conn, err := s.idle.TryGet()
		if err != nil {
			return
		}
		conn.Close()
	}
}

func (s *site) dial(ctx context.Context, deadline time.Time) (*loopConn, error) {
	pl, err := s.pins.place(s.hostPort)
	if err != nil {
		return nil, err
	}
	d := aionet.Dialer{Control: pl.controlAddress}
	tcp, err := pl.dial(func(addr netip.AddrPort, left int) (net.Conn, error) {
		if d.Timeout = time.Until(deadline) / time.Duration(left); d.Timeout <= 0 {
			return nil, os.ErrDeadlineExceeded
		}
		return d.DialContext(ctx, "tcp", addr.String())
	}, func() bool { return ctx.Err() == nil && time.Now().Before(deadline) })
	if err != nil {
		return nil, err
	}
	conn := newLoopConn(tcp.(*aionet.Conn))
	if err := conn.begin(ctx, deadline); err != nil {
		conn.Close()
		return nil, err
	}
	if s.tls != nil {
		if err := conn.handshake(s.tls); err != nil {
			conn.Close()
			return nil, err
		}
	}
	conn.wire.sent = 0
	return conn, nil
}

// handshake puts TLS over the connection. It is not given a context: package tls would start a goroutine to watch it, and wait for that.
func (c *loopConn) handshake(config *tls.Config) error {
	over := tls.Client(&c.wire, config)
	err := over.Handshake()
	c.conn = over
	var header tls.RecordHeaderError
	if errors.As(err, &header) && string(header.RecordHeader[:]) == "HTTP/" {
		return http.ErrSchemeMismatch
	}
	return err
}
