package refire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio"
)

// HTTPConfig configures an HTTPClient or a LoopClient.
type HTTPConfig struct {
	Pins         *Pins         // where it may connect to; required
	Connections  int           // attempts at a time, so also connections; default DefaultConcurrency
	Timeout      time.Duration // of one attempt: connecting, sending, and reading the answer; default DefaultTimeout
	MaxBodyBytes int64         // how much of an answer's body is read before the connection is closed; default DefaultMaxBodyBytes
	TLS          *tls.Config   // nil: the system's roots
}

func (c *HTTPConfig) setDefaults() {
	if c.Connections <= 0 {
		c.Connections = DefaultConcurrency
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxBodyBytes <= 0 {
		c.MaxBodyBytes = DefaultMaxBodyBytes
	}
}

// Defaults of HTTPConfig and Firing.
const (
	DefaultConcurrency  = 64
	DefaultTimeout      = 10 * time.Second
	DefaultMaxBodyBytes = 64 << 20
)

// idleTimeout is how long an unused connection is kept: less than common servers do (5 s and more), so that a request seldom meets one that the server is
// just closing.
const idleTimeout = 2 * time.Second

// maxHeaderBytes bounds an answer's header.
const maxHeaderBytes = 1 << 20

// HTTPClient is a Client on the blocking net/http, run on an aio.Pool of its own: how a library that waits on channels is used from tasks. LoopClient fires more
// with less.
// Close it when no attempt is running any more.
type HTTPClient struct {
	pool      *aio.Pool
	transport *http.Transport
	timeout   time.Duration
	maxBody   int64
}

// NewHTTPClient returns a client. It takes no proxy from the environment, no cookies, no redirects, no HTTP/2 and no compression.
func NewHTTPClient(c HTTPConfig) *HTTPClient {
	c.setDefaults()
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &HTTPClient{
		pool: aio.NewPool(aio.PoolConfig{Workers: c.Connections}),
		transport: &http.Transport{
			DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
				ctx, cancel := context.WithTimeout(ctx, c.Timeout) // net/http dials without the attempt's deadline
				defer cancel()
				return c.Pins.dial(ctx, addr)
			},
			TLSHandshakeTimeout:    c.Timeout,
			Protocols:              http1,
			TLSClientConfig:        c.TLS,
			DisableCompression:     true,
			MaxIdleConnsPerHost:    c.Connections,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
		},
		timeout: c.Timeout,
		maxBody: c.MaxBodyBytes,
	}
}

// Close closes idle connections and waits for the pool.
func (c *HTTPClient) Close() error {
	err := c.pool.Close()
	c.transport.CloseIdleConnections()
	return err
}

// CanSendHTTP reports whether an HTTPClient puts r.Target into the request line as it is. It cannot where a target begins with "//" and its path holds bytes that
// RFC 3986 does not allow there (package url then either writes an absolute URI or escapes the path).
func CanSendHTTP(r *Request) bool { return requestURL(r) != nil }

// Attempt implements Client.
func (c *HTTPClient) Attempt(ctx context.Context, r *Request) Answer {
	call := func(ctx context.Context) (Answer, error) { return c.attempt(ctx, r), nil }
	answer, err := aio.InExecutor(ctx, c.pool, call).Await(ctx)
	if err != nil { // ctx ended, or the client is closed
		return Answer{Err: &Failure{Trouble: Other, Err: err}}
	}
	return answer
}

// attempt blocks.
func (c *HTTPClient) attempt(ctx context.Context, r *Request) Answer {
	u := requestURL(r)
	if u == nil {
		return Answer{Err: &Failure{Trouble: Other, Err: fmt.Errorf("%s", CannotSend)}, Unsent: true}
	}
	start := time.Now()
	ctx, cancel := context.WithDeadline(ctx, start.Add(c.timeout))
	defer cancel()
	answer := c.roundTrips(ctx, r, u)
	answer.Latency = time.Since(start)
	return answer
}

// maxStale is how many kept connections may turn out to be dead, one after the other, before an attempt gives up.
const maxStale = 8

// roundTrips sends the request once. Only where a kept connection was dead before a single byte of the request was handed to it, another one is taken.
func (c *HTTPClient) roundTrips(ctx context.Context, r *Request, u *url.URL) Answer {
	for stale := 0; ; stale++ {
		sent := new(sentTrace)
		resp, err := c.transport.RoundTrip(newRequest(httptrace.WithClientTrace(ctx, sent.hooks(ctx)), r, u))
		if err == nil {
			return c.read(ctx, resp)
		}
		unsent := sent.nothing()
		if unsent && sent.reused && stale < maxStale && ctx.Err() == nil {
			continue
		}
		return Answer{Err: classify(c.whyEnded(ctx, err)), Unsent: unsent}
	}
}

func (c *HTTPClient) read(ctx context.Context, resp *http.Response) Answer {
	defer resp.Body.Close()
	if resp.StatusCode < 100 {
		return Answer{Err: &Failure{Trouble: Garbage, Err: fmt.Errorf("the answer's status is %03d", resp.StatusCode)}}
	}
	answer := Answer{Status: resp.StatusCode}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return answer // what follows is another protocol, without an end
	}
	var err error
	answer.Bytes, err = io.Copy(io.Discard, io.LimitReader(resp.Body, c.maxBody))
	if err != nil {
		err = c.whyEnded(ctx, err)
		answer.Err = &Failure{Trouble: Cut, Err: fmt.Errorf("after %d bytes of the body: %w", answer.Bytes, err)}
		if troubleOf(err) == Timeout {
			answer.Err.Trouble = Timeout
		}
	}
	return answer
}

// whyEnded prefers ctx's end to what it looks like on the connection.
func (c *HTTPClient) whyEnded(ctx context.Context, err error) error {
	switch end := ctx.Err(); {
	case errors.Is(end, context.DeadlineExceeded):
		return fmt.Errorf("not within %v: %w", c.timeout, end)
	case end != nil:
		return end
	}
	return err
}

// requestURL is a URL that net/http writes as r.Target, or nil. An opaque URL is written as it is unless it begins with "//"; then a path that is valid in
// its raw form is.
func requestURL(r *Request) *url.URL {
	if !r.WellFormed() {
		return nil
	}
	u := &url.URL{Scheme: r.Origin.Scheme, Host: r.Origin.HostPort(), Opaque: r.Target}
	if u.RequestURI() == r.Target {
		return u
	}
	path, query, found := strings.Cut(r.Target, "?")
	plain, err := url.PathUnescape(path)
	if err != nil {
		return nil
	}
	u.Opaque, u.Path, u.RawPath, u.RawQuery, u.ForceQuery = "", plain, path, query, found
	if u.RequestURI() == r.Target {
		return u
	}
	return nil
}

// newRequest builds the request so that net/http sends it once. By itself it sends a GET, HEAD, OPTIONS or TRACE a second time when a kept connection dies
// before the answer, but not one whose body it cannot rewind: so those get a body that is empty and unknown to be so. "identity" keeps net/http from sending
// that as chunks (a test looks at the bytes). The other methods are never sent a second time, once a byte was written.
func newRequest(ctx context.Context, r *Request, u *url.URL) *http.Request {
	req := (&http.Request{
		Method: r.Method,
		URL:    u,
		Host:   r.Origin.Authority(),
		Header: http.Header{"User-Agent": {"refire"}, "Accept": {"*/*"}},
	}).WithContext(ctx)
	if isSafe(r.Method) {
		req.Body = emptyBody{}
		req.TransferEncoding = []string{"identity"}
	}
	return req
}

type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error)         { return 0, io.EOF }
func (emptyBody) WriteTo(io.Writer) (int64, error) { return 0, nil } // else copying nothing takes a buffer of 32 KiB
func (emptyBody) Close() error                     { return nil }

// sentTrace finds out whether any byte of a request was handed to a connection. net/http calls the hook before it writes.
type sentTrace struct {
	conn   *watchedConn
	before int64
	reused bool
	unfit  bool // the connection was closed before
}

func (s *sentTrace) hooks(ctx context.Context) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		s.conn, s.reused = underlying(info.Conn), info.Reused
		s.unfit = s.reused && !s.conn.settle(ctx)
		s.before = s.conn.written.Load()
	}}
}

// nothing may be asked after RoundTrip has returned.
func (s *sentTrace) nothing() bool {
	return s.conn == nil || s.unfit || s.conn.written.Load() == s.before
}

func underlying(conn net.Conn) *watchedConn {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return conn.(*watchedConn)
}
