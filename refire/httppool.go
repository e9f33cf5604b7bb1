package refire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// httpSite is a place that an HTTPClient fires at, with the connections that are kept to it.
//
// It is here because an http.Transport sends some requests a second time by itself: over HTTP/1.1 a GET, HEAD, OPTIONS or TRACE whose kept connection dies
// unanswered; over HTTP/2 anything without a body that is answered by REFUSED_STREAM, PROTOCOL_ERROR or GOAWAY. An http.ClientConn sends each once.
type httpSite struct {
	dialer *httpDialer
	origin Origin
	proxy  *Proxy // nil: straight there
	header http.Header
	key    string // the name of the header with an idempotency key

	// dialing is held while a connection is made that others might share: whether they can is known when there is one. So a server that speaks HTTP/2 gets
	// one connection, and not one for each attempt that began at the same time.
	dialing chan struct{}
	alone   atomic.Bool // the last connection was HTTP/1.1: none is shared

	mu     sync.Mutex
	idle   []*httpConn // guarded by mu: HTTP/1.1, last in, first out
	shared []*httpConn // guarded by mu: HTTP/2; some may be closed by now
	closed bool        // guarded by mu
}

// httpConn is a connection of an HTTPClient: of one attempt at a time, or, with HTTP/2, of many.
type httpConn struct {
	*http.ClientConn
	wire   *watchedConn
	shared bool
	timer  *time.Timer // HTTP/1.1, from the first rest on
}

func newHTTPSite(d *httpDialer, o Origin, c *HTTPConfig) *httpSite {
	s := &httpSite{dialer: d, origin: o, proxy: d.pins.Proxy(o), dialing: make(chan struct{}, 1), header: http.Header{}, key: c.IdempotencyKey}
	for _, h := range c.headersFor(o) {
		name := h.Name
		if strings.EqualFold(name, "User-Agent") { // net/http sends its own unless it finds this one
			name = "User-Agent"
		}
		s.header[name] = []string{h.Value}
	}
	s.alone.Store(o.Scheme != "https")
	return s
}

// take is a kept connection that is fit, or a new one.
func (s *httpSite) take(ctx context.Context) (conn *httpConn, reused bool, err error) {
	if conn := s.kept(ctx); conn != nil {
		return conn, true, nil
	}
	if !s.alone.Load() {
		select {
		case s.dialing <- struct{}{}:
			defer func() { <-s.dialing }()
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
		if conn := s.kept(ctx); conn != nil {
			return conn, true, nil
		}
	}
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	conn, err = s.dialer.dial(ctx, s.origin, s.proxy)
	if err != nil {
		return nil, false, err
	}
	s.alone.Store(!conn.shared)
	if conn.shared {
		if err := s.share(conn); err != nil {
			return nil, false, err
		}
	}
	return conn, false, nil
}

// share reserves the new connection's first stream, and lets others have the rest.
func (s *httpSite) share(conn *httpConn) error {
	err := conn.Reserve()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		err = errors.New("refire: the client is closed")
	}
	if err != nil {
		conn.Close()
		return err
	}
	s.shared = append(s.shared, conn)
	return nil
}

// kept is a kept connection that can take a request, as far as anybody knows; nil: there is none.
func (s *httpSite) kept(ctx context.Context) *httpConn {
	for {
		conn := s.pop()
		if conn == nil || conn.shared || conn.wire.settle(ctx) && conn.Err() == nil {
			return conn
		}
		conn.Close()
	}
}

func (s *httpSite) pop() *httpConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shared = slices.DeleteFunc(s.shared, func(c *httpConn) bool { return c.Err() != nil })
	for _, conn := range s.shared {
		if conn.Reserve() == nil {
			return conn
		}
	}
	if len(s.idle) == 0 {
		return nil
	}
	conn := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
	conn.timer.Stop() // if it has run already, it finds the connection gone
	return conn
}

// keep ends an attempt's use of a connection; good: the next one may have it.
func (s *httpSite) keep(conn *httpConn, good bool) {
	if conn.shared {
		return // whether it still works is its own business
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !good || s.closed || conn.wire.broken() != nil {
		conn.Close()
		return
	}
	s.idle = append(s.idle, conn)
	if conn.timer == nil {
		conn.timer = time.AfterFunc(idleTimeout, func() { s.expire(conn) })
	} else {
		conn.timer.Reset(idleTimeout)
	}
}

// expire closes a connection that nobody has wanted for long.
func (s *httpSite) expire(conn *httpConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.idle, conn); i >= 0 {
		s.idle = slices.Delete(s.idle, i, i+1)
		conn.Close()
	}
}

func (s *httpSite) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, conn := range slices.Concat(s.idle, s.shared) {
		if conn.timer != nil {
			conn.timer.Stop()
		}
		conn.Close()
	}
	s.idle, s.shared = nil, nil
}

// refusal is for an answer to a request that a proxy reads and did not pass on: only a proxy's is a 407.
func (s *httpSite) refusal(status int) error {
	if status != http.StatusProxyAuthRequired || s.proxy == nil || !s.proxy.rewrites() || s.origin.Scheme != "http" {
		return nil
	}
	return s.proxy.refused(status, fmt.Sprintf("it answered with %03d", status))
}

// newRequest builds the request for u, which net/http writes as r.Target. A proxy for plain HTTP is asked for the whole URL, which an opaque one that begins with
// "//" becomes, byte for byte.
func (s *httpSite) newRequest(ctx context.Context, r *Request, u *url.URL) *http.Request {
	if s.proxy != nil && s.proxy.rewrites() && r.Origin.Scheme == "http" {
		u = &url.URL{Scheme: u.Scheme, Host: u.Host, Opaque: "//" + r.Origin.Authority() + r.Target}
	}
	header := s.header.Clone()
	if s.key != "" && !isSafe(r.Method) {
		header[s.key] = []string{r.IdempotencyKey()}
	}
	return (&http.Request{Method: r.Method, URL: u, Host: r.Origin.Authority(), Header: header}).WithContext(ctx)
}

// roundTrip sends req once. With an error, unsent says whether no byte of it was handed to the network.
func (c *httpConn) roundTrip(req *http.Request) (resp *http.Response, unsent bool, err error) {
	if c.shared {
		return c.roundTripShared(req)
	}
	before := c.wire.written.Load()
	c.wire.begin()
	resp, err = c.ClientConn.RoundTrip(req)
	if err != nil && c.wire.ended.Load() && isHalfAnswer(err.Error()) {
		err = fmt.Errorf("%w within the answer's header", io.ErrUnexpectedEOF)
	}
	return resp, c.wire.written.Load() == before, err
}

// isHalfAnswer reports whether net/http complains of a line that begins an answer, or is in its header: if the connection has ended, that line is not
// a whole one. Its errors have no types; a test holds these words.
func isHalfAnswer(text string) bool {
	if strings.Contains(text, "malformed MIME header") || strings.Contains(text, "malformed HTTP version") || strings.Contains(text, "malformed HTTP status code") {
		return true
	}
	_, line, found := strings.Cut(text, "malformed HTTP response \"")
	line = strings.TrimSuffix(line, `"`)
	return found && (strings.HasPrefix(line, "HTTP/") || strings.HasPrefix("HTTP/", line))
}

// roundTripShared cannot count bytes, as others write, too. When ctx has ended, RoundTrip does not wait for its writer, so that nobody knows.
func (c *httpConn) roundTripShared(req *http.Request) (resp *http.Response, unsent bool, err error) {
	var wrote atomic.Bool
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	resp, err = c.ClientConn.RoundTrip(req.WithContext(ctx))
	return resp, !wrote.Load() && ctx.Err() == nil, err
}
