package refire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
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

	Headers        []Header // checked by CheckHeaders
	Base           Origin   // where those that are secret go, and nowhere else
	IdempotencyKey string   // the name of a header with Request.IdempotencyKey, for methods that may change something; empty: none
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

// maxHeaderBytes bounds an answer's header. Servers and proxies send a tenth of that at most, and of short fields each byte takes eight in memory.
const maxHeaderBytes = 128 << 10

// HTTPClient is a Client on the blocking net/http, run on an aio.Pool of its own: how a library that waits on channels is used from tasks. It speaks HTTP/2 where
// a server offers it over TLS, and goes through a proxy if its Pins say so. LoopClient fires more with less.
// Close it when no attempt is running any more.
type HTTPClient struct {
	pool    *aio.Pool
	dialer  *httpDialer
	sites   map[Origin]*httpSite // immutable
	timeout time.Duration
	maxBody int64
	veil    veil
}

// NewHTTPClient returns a client. It takes no proxy but that of its Pins, no cookies, no redirects and no compression.
func NewHTTPClient(c HTTPConfig) *HTTPClient {
	c.setDefaults()
	client := &HTTPClient{
		pool:    aio.NewPool(aio.PoolConfig{Workers: c.Connections}),
		dialer:  newHTTPDialer(&c),
		sites:   map[Origin]*httpSite{},
		timeout: c.Timeout,
		maxBody: c.MaxBodyBytes,
		veil:    newVeil(c.Headers),
	}
	for _, o := range c.Pins.origins {
		client.sites[o] = newHTTPSite(client.dialer, o, &c)
	}
	return client
}

// Close closes idle connections and waits for the pool.
func (c *HTTPClient) Close() error {
	err := c.pool.Close()
	for _, s := range c.sites {
		s.close()
	}
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
		return unsent(Other, fmt.Errorf("%s", CannotSend))
	}
	s := c.sites[r.Origin]
	if s == nil {
		return unsent(Other, notThere(r.Origin.HostPort()))
	}
	start := time.Now()
	ctx, cancel := context.WithDeadline(ctx, start.Add(c.timeout))
	defer cancel()
	answer := c.veil.over(c.roundTrips(ctx, s, r, u))
	answer.Latency = time.Since(start)
	return answer
}

// maxStale is how many kept connections may turn out to be dead, one after the other, before an attempt gives up.
const maxStale = 8

// roundTrips sends the request once. Only where a kept connection was dead before a single byte of the request was handed to it, another one is taken.
func (c *HTTPClient) roundTrips(ctx context.Context, s *httpSite, r *Request, u *url.URL) Answer {
	for stale := 0; ; stale++ {
		conn, reused, err := s.take(ctx)
		if err != nil {
			return Answer{Err: classify(c.whyNoConn(ctx, err)), Unsent: true}
		}
		resp, unsent, err := conn.roundTrip(s.newRequest(ctx, r, u))
		if err == nil {
			answer, whole := c.read(ctx, resp)
			if refused := s.refusal(resp.StatusCode); refused != nil {
				answer = Answer{Err: classify(refused)}
			}
			s.keep(conn, whole && !resp.Close && resp.StatusCode >= 200)
			return answer
		}
		s.keep(conn, false)
		if unsent && reused && stale < maxStale && ctx.Err() == nil {
			continue
		}
		return Answer{Err: classify(c.whyEnded(ctx, err)), Unsent: unsent}
	}
}

// read reads the answer; whole: there is nothing of it left on the connection.
func (c *HTTPClient) read(ctx context.Context, resp *http.Response) (answer Answer, whole bool) {
	defer resp.Body.Close()
	if resp.StatusCode < 100 {
		return Answer{Err: &Failure{Trouble: Garbage, Err: fmt.Errorf("the answer's status is %03d", resp.StatusCode)}}, false
	}
	answer = Answer{Status: resp.StatusCode, RetryAfter: retryAfter(resp.StatusCode, resp.Header, time.Now())}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return answer, false // what follows is another protocol, without an end
	}
	n, err := io.CopyN(io.Discard, resp.Body, c.maxBody)
	if answer.Bytes = n; err == nil { // there may be more; its end has not been seen
		return answer, false
	}
	if err == io.EOF {
		return answer, true
	}
	err = c.whyEnded(ctx, err)
	answer.Err = &Failure{Trouble: Cut, Err: fmt.Errorf("after %d bytes of the body: %w", answer.Bytes, err)}
	if troubleOf(err) == Timeout {
		answer.Err.Trouble = Timeout
	}
	return answer, false
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

// whyNoConn is whyEnded for dialing, where a *ProxyError stays one.
func (c *HTTPClient) whyNoConn(ctx context.Context, err error) error {
	var proxy *ProxyError
	if errors.As(err, &proxy) {
		return &ProxyError{Proxy: proxy.Proxy, Status: proxy.Status, Err: c.whyEnded(ctx, proxy.Err)}
	}
	return c.whyEnded(ctx, err)
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
