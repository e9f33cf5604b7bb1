package refire

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// site is a place that a LoopClient fires at: how its requests end, and the connections that are kept.
type site struct {
	hostPort string
	pins     *Pins
	tls      *tls.Config           // nil: plain
	tail     string                // what follows the target in a request, but for the empty line
	tailBody string                // the same where a body is expected: there is none
	key      string                // the name of the header with an idempotency key
	idle     *aio.Queue[*loopConn] // last in, first out; some may be closed by now
}

func newSite(o Origin, c *HTTPConfig) *site {
	s := &site{hostPort: o.HostPort(), pins: c.Pins, key: c.IdempotencyKey, idle: aio.NewLIFOQueue[*loopConn](0)}
	s.tail, s.tailBody = tails(o, c.headersFor(o))
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
	if hasBody(r.Method) {
		b = append(b, s.tailBody...)
	} else {
		b = append(b, s.tail...)
	}
	if s.key != "" && !isSafe(r.Method) {
		b = append(append(append(append(b, s.key...), ": "...), r.IdempotencyKey()...), "\r\n"...)
	}
	return append(b, "\r\n"...)
}

// tails are what follows the target at o, without and with a Content-Length. It stands where net/http has it.
func tails(o Origin, headers []Header) (plain, body string) {
	begin := " HTTP/1.1\r\nHost: " + o.Authority() + "\r\n"
	if strings.EqualFold(headers[0].Name, "User-Agent") {
		begin += headers[0].Name + ": " + headers[0].Value + "\r\n"
		headers = headers[1:]
	}
	var rest strings.Builder
	for _, h := range headers {
		rest.WriteString(h.Name + ": " + h.Value + "\r\n")
	}
	return begin + rest.String(), begin + "Content-Length: 0\r\n" + rest.String()
}

// hasBody reports whether servers expect one with the method: RFC 9110, 8.6.
func hasBody(method string) bool { return method == "POST" || method == "PUT" || method == "PATCH" }

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
