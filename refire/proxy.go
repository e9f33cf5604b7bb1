package refire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
)

// Proxy is a proxy that an HTTPClient can fire through.
type Proxy struct {
	scheme   string // "http", "https", "socks5" or "socks5h"
	host     string
	hostPort string
	user     *url.Userinfo // nil: none
}

// ParseProxy reads "http://proxy:3128", with a user name and a password before an "@" where the proxy asks for them. The schemes are http, https (TLS to the
// proxy) and socks5, whose proxy looks names up itself (socks5h is the same). Without a port it is the scheme's own: 80, 443 or 1080.
func ParseProxy(text string) (*Proxy, error) {
	scheme, rest, ok := cutScheme(text)
	ports := map[string]uint16{"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
	if !ok || ports[scheme] == 0 {
		return nil, errors.New("must begin with http://, https:// or socks5://")
	}
	authority, tail := cutAuthority(rest)
	if tail != "" && tail != "/" {
		return nil, errors.New("goes on after the host; give scheme, host and port only")
	}
	p := &Proxy{scheme: scheme}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		u, err := url.Parse("http://" + authority[:at] + "@x")
		if err != nil {
			return nil, errors.New("has a user name or password with bytes that must be percent-encoded there") // and is not shown
		}
		p.user, authority = u.User, authority[at+1:]
	}
	host, port, err := splitHostPort(authority)
	if err != nil {
		return nil, err
	}
	if port == 0 {
		port = ports[scheme]
	}
	o := Origin{Scheme: scheme, Host: host, Port: port}
	p.host, p.hostPort = host, o.HostPort()
	return p, nil
}

// HostPort is where the proxy listens.
func (p *Proxy) HostPort() string { return p.hostPort }

// String is the proxy without user name and password.
func (p *Proxy) String() string { return p.scheme + "://" + p.hostPort }

// rewrites reports whether the proxy reads requests for plain HTTP, rather than to connect and let bytes through.
func (p *Proxy) rewrites() bool { return p.scheme == "http" || p.scheme == "https" }

// url is p as net/http has it. TLS to the proxy is not its business but httpDialer's: it would offer the proxy HTTP/2, which it cannot speak to one.
func (p *Proxy) url() *url.URL {
	scheme := p.scheme
	if p.rewrites() {
		scheme = "http"
	}
	return &url.URL{Scheme: scheme, Host: p.hostPort, User: p.user}
}

// httpDialer makes the connections of an HTTPClient.
type httpDialer struct {
	pins      *Pins
	transport *http.Transport
	tls       *tls.Config // nil: the system's roots
}

// dialed goes with the context of a dial: net/http hands on nothing else.
type dialed struct {
	origin Origin
	proxy  *Proxy
	conn   *watchedConn
	http2  bool
	tunnel bool // the proxy has connected, for TLS
}

type dialedKey struct{}

func newHTTPDialer(c *HTTPConfig) *httpDialer {
	d := &httpDialer{pins: c.Pins, tls: c.TLS}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	d.transport = &http.Transport{
		Protocols:              protocols,
		DialContext:            d.connect,
		Proxy:                  chosenProxy,
		OnProxyConnectResponse: tunnelled,
		TLSHandshakeTimeout:    c.Timeout,
		DisableCompression:     true,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	if c.TLS != nil {
		d.transport.TLSClientConfig = c.TLS.Clone() // net/http adds to it
		d.transport.TLSClientConfig.NextProtos = nil
	}
	return d
}

// dial makes a connection to o, through proxy if there is one.
func (d *httpDialer) dial(ctx context.Context, o Origin, proxy *Proxy) (*httpConn, error) {
	to := &dialed{origin: o, proxy: proxy}
	ctx = context.WithValue(ctx, dialedKey{}, to)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{TLSHandshakeDone: func(state tls.ConnectionState, _ error) {
		to.http2 = state.NegotiatedProtocol == "h2"
		to.conn.patient = !to.http2 // nobody uses it but this handshake
	}})
	conn, err := d.transport.NewClientConn(ctx, o.Scheme, o.HostPort())
	if err != nil {
		return nil, to.fault(err)
	}
	return &httpConn{ClientConn: conn, wire: to.conn, shared: to.http2}, nil
}

// connect makes the connection that all others are put over: to the proxy where there is one, else to the origin, and to nothing else, whatever net/http asks for.
func (d *httpDialer) connect(ctx context.Context, _, _ string) (net.Conn, error) {
	to := ctx.Value(dialedKey{}).(*dialed)
	if to.proxy == nil {
		conn, err := d.pins.dial(ctx, to.origin.HostPort())
		if err != nil {
			return nil, err
		}
		return to.watch(conn), nil
	}
	conn, err := d.pins.dial(ctx, to.proxy.hostPort)
	if err != nil {
		return nil, &ProxyError{Proxy: to.proxy, Err: err}
	}
	if to.proxy.scheme == "https" {
		over := tls.Client(conn, d.proxyTLS(to.proxy.host))
		if err := over.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, &ProxyError{Proxy: to.proxy, Err: err}
		}
		conn = over
	}
	return to.watch(conn), nil
}

// watch is not patient with a handshake.
func (to *dialed) watch(conn net.Conn) net.Conn {
	to.conn = newWatchedConn(conn)
	to.conn.patient = to.origin.Scheme == "http"
	return to.conn
}

func (d *httpDialer) proxyTLS(host string) *tls.Config {
	config := new(tls.Config)
	if d.tls != nil {
		config = d.tls.Clone()
	}
	config.ServerName, config.NextProtos = host, nil
	return config
}

func chosenProxy(r *http.Request) (*url.URL, error) {
	if p := r.Context().Value(dialedKey{}).(*dialed).proxy; p != nil {
		return p.url(), nil
	}
	return nil, nil
}

// tunnelled looks at a proxy's answer to CONNECT. net/http's own error is the answer's reason phrase, and says not whose.
func tunnelled(ctx context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	to := ctx.Value(dialedKey{}).(*dialed)
	if resp.StatusCode != http.StatusOK {
		return to.proxy.refused(resp.StatusCode, fmt.Sprintf("it refused to connect: it answered CONNECT with %03d", resp.StatusCode))
	}
	to.tunnel = true
	return nil
}
