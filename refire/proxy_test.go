package refire_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

// through is a client that fires at the origins through a proxy, whose name is proxy.example.com. No other name is ever looked up.
func through(t *testing.T, c refire.HTTPConfig, proxy string, origins ...refire.Origin) closingClient {
	t.Helper()
	p, err := refire.ParseProxy(proxy)
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(_ context.Context, _, host string) ([]netip.Addr, error) {
		if host != "proxy.example.com" {
			t.Errorf("%s is looked up", host)
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	c.Pins, err = refire.PinThrough(t.Context(), lookup, origins, func(refire.Origin) (*refire.Proxy, error) { return p, nil })
	if err != nil {
		t.Fatal(err)
	}
	return kept(t, clients()["net/http"], c)
}

// TestProxyForPlain: a proxy gets the whole URL of a request for plain HTTP, its target byte for byte, once, and the name that is in it.
func TestProxyForPlain(t *testing.T) {
	var mu sync.Mutex
	fail := false // guarded by mu
	s := newRawServer(t, func(_ net.Conn, _ string, _, _ int) string {
		mu.Lock()
		defer mu.Unlock()
		if fail {
			return ""
		}
		return okAnswer
	})
	_, port, _ := net.SplitHostPort(s.Addr().String())
	origin := mustOrigin(t, "http://shop.test:8080")
	client := through(t, refire.HTTPConfig{Connections: 1}, "http://anna:s%20cret@proxy.example.com:"+port, origin)
	auth := "Basic " + base64.StdEncoding.EncodeToString([]byte("anna:s cret"))
	for _, target := range []string{"/", "/a?", "/a%2Fb//c/../d?x=%20+&y#z", "/%zz%", "//victim.test/x", "//u@victim.test:1/x?"} {
		r := refire.Request{Method: "GET", Origin: origin, Target: target}
		if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status != 200 {
			t.Errorf("%s: %+v", target, a)
		}
		heads := s.seen()
		want := "GET http://shop.test:8080" + target + " HTTP/1.1\r\nHost: shop.test:8080\r\nUser-Agent: refire/1-again\r\nAccept: */*\r\nProxy-Authorization: " + auth + "\r\n\r\n"
		if got := heads[len(heads)-1]; got != want {
			t.Errorf("sent %q, want %q", got, want)
		}
	}
	before := len(s.seen())
	mu.Lock()
	fail = true
	mu.Unlock()
	r := refire.Request{Method: "GET", Origin: origin, Target: "/lost"}
	if a := client.Attempt(t.Context(), &r); a.Err == nil || a.Unsent || len(s.seen()) != before+1 {
		t.Errorf("%+v after %d requests", a, len(s.seen())-before)
	}
	if n := s.connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
	elsewhere := refire.Request{Method: "GET", Origin: mustOrigin(t, "http://victim.test"), Target: "/"}
	if a := client.Attempt(t.Context(), &elsewhere); a.Err == nil || !a.Unsent || len(s.seen()) != before+1 {
		t.Errorf("the proxy is asked for another place: %+v", a)
	}
	proxyItself := refire.Request{Method: "GET", Origin: mustOrigin(t, "http://proxy.example.com:"+port), Target: "/"}
	if a := client.Attempt(t.Context(), &proxyItself); a.Err == nil || !a.Unsent || len(s.seen()) != before+1 {
		t.Errorf("the proxy is fired at: %+v", a)
	}
}

// TestProxyForTLS: a proxy is asked to connect, for https; HTTP/2 goes through it, and it sees nothing but the place's name. The schemes are those of the way to
// the proxy.
func TestProxyForTLS(t *testing.T) {
	for _, scheme := range []string{"http", "https", "socks5"} {
		t.Run(scheme, func(t *testing.T) {
			protos := make(chan string, 10)
			s, roots, connections := newHTTP2Server(t, func(_ http.ResponseWriter, r *http.Request) { protos <- r.Proto + " " + r.Host + r.RequestURI })
			p := newTunnel(t, scheme, s.Listener.Addr().String())
			_, port, _ := net.SplitHostPort(p.Addr().String())
			origin := mustOrigin(t, "https://example.com:8443") // which the server's certificate is for
			roots.ServerName = ""
			client := through(t, refire.HTTPConfig{TLS: rootsAnd(roots, p.roots)}, scheme+"://proxy.example.com:"+port, origin)
			for range 3 {
				r := refire.Request{Method: "GET", Origin: origin, Target: "/a%2Fb?c"}
				if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status != 200 {
					t.Fatalf("%+v", a)
				}
				if got := <-protos; got != "HTTP/2.0 example.com:8443/a%2Fb?c" {
					t.Errorf("the server saw %s", got)
				}
			}
			if asked := p.seen(); len(asked) != 1 || asked[0] != "example.com:8443" || connections.Load() != 1 {
				t.Errorf("the proxy was asked for %q; %d connections", asked, connections.Load())
			}
		})
	}
}

// TestProxyRefuses: nothing was sent, and the error says who refused.
func TestProxyRefuses(t *testing.T) {
	s := newRawServer(t, func(net.Conn, string, int, int) string {
		return "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n"
	})
	origin := mustOrigin(t, "https://shop.test")
	client := through(t, refire.HTTPConfig{}, "http://"+s.Addr().String(), origin)
	r := refire.Request{Method: "POST", Origin: origin, Target: "/secret"}
	a := client.Attempt(t.Context(), &r)
	if a.Err == nil || !a.Unsent || !strings.Contains(a.Err.Error(), ": it refused to connect: it answered CONNECT with 407: it wants a user name") {
		t.Errorf("%+v", a)
	}
	if heads := s.seen(); len(heads) != 1 || strings.Contains(heads[0], "/secret") || !strings.HasPrefix(heads[0], "CONNECT shop.test:443 HTTP/1.1\r\n") {
		t.Errorf("sent %q", heads)
	}
}

// TestLoopClientHasNoProxy: it does not go straight to a place that is behind one.
func TestLoopClientHasNoProxy(t *testing.T) {
	if !refire.LoopClients {
		t.Skip("no loop clients here")
	}
	s := newRawServer(t, nil)
	proxy, err := refire.ParseProxy("http://" + s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	pins, err := refire.PinThrough(t.Context(), nil, []refire.Origin{s.origin(t)}, func(refire.Origin) (*refire.Proxy, error) { return proxy, nil })
	if err != nil {
		t.Fatal(err)
	}
	client := kept(t, newTaskClient, refire.HTTPConfig{Pins: pins})
	r := refire.Request{Method: "GET", Origin: s.origin(t), Target: "/"}
	if a := client.Attempt(t.Context(), &r); a.Err == nil || !a.Unsent || s.connections() > 0 {
		t.Errorf("%+v, %d connections", a, s.connections())
	}
}

func TestParseProxy(t *testing.T) {
	for text, want := range map[string]string{
		"http://proxy":              "http://proxy:80",
		"HTTP://Proxy:3128/":        "http://proxy:3128",
		"https://10.0.0.1":          "https://10.0.0.1:443",
		"socks5://[::1]":            "socks5://[::1]:1080",
		"socks5h://a:b%40@proxy:9":  "socks5h://proxy:9",
		"http://a:b@c@proxy":        "http://proxy:80",
		"proxy:3128":                "error: must begin with",
		"ftp://proxy":               "error: must begin with",
		"http://proxy/path":         "error: goes on after the host",
		"http://":                   "error: ",
		"http://proxy:0":            "error: ",
		"http://anna:%zz@proxy:312": "error: has a user name or password",
	} {
		p, err := refire.ParseProxy(text)
		got := ""
		if err != nil {
			got = "error: " + err.Error()
		} else {
			got = p.String()
		}
		if err == nil && got != want || err != nil && (!strings.HasPrefix(want, "error: ") || !strings.HasPrefix(got, want)) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func rootsAnd(a, b *tls.Config) *tls.Config {
	c := a.Clone()
	if b != nil {
		c.RootCAs = b.RootCAs // both are httptest's
	}
	return c
}

// tunnel is a proxy that connects to one server, whatever it is asked for, and notes that.
type tunnel struct {
	net.Listener
	roots *tls.Config // for the way to it

	mu    sync.Mutex
	asked []string // guarded by mu
	done  sync.WaitGroup
}

func newTunnel(t *testing.T, scheme, server string) *tunnel {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tunnel{Listener: l}
	ask := askConnect
	switch scheme {
	case "https":
		certified := httptest.NewUnstartedServer(http.NotFoundHandler())
		certified.StartTLS()
		t.Cleanup(certified.Close)
		p.roots = certified.Client().Transport.(*http.Transport).TLSClientConfig
		config := certified.TLS.Clone()
		config.NextProtos = []string{"h2", "http/1.1"} // what is offered here must not be taken: the proxy speaks HTTP/1.1
		p.Listener = tls.NewListener(l, config)
	case "socks5":
		ask = askSocks
	}
	p.done.Go(func() {
		for {
			conn, err := p.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.serve(t, conn, server, ask) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.done.Wait()
	})
	return p
}

func (p *tunnel) serve(t *testing.T, conn net.Conn, server string, ask func(*bufio.Reader, io.Writer) (string, error)) {
	defer conn.Close()
	br := bufio.NewReader(conn)
	place, err := ask(br, conn)
	if err != nil {
		t.Error(err)
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, place)
	p.mu.Unlock()
	to, err := net.Dial("tcp", server)
	if err != nil {
		t.Error(err)
		return
	}
	defer to.Close()
	p.done.Go(func() {
		io.Copy(conn, to)
		conn.Close()
	})
	io.Copy(to, br)
}

func (p *tunnel) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

func askConnect(br *bufio.Reader, w io.Writer) (string, error) {
	r, err := http.ReadRequest(br)
	if err != nil {
		return "", err
	}
	_, err = io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n")
	return r.Method[:len(r.Method)-len("CONNECT")] + r.RequestURI, err
}

// askSocks is RFC 1928, without a password, for a name.
func askSocks(br *bufio.Reader, w io.Writer) (string, error) {
	var head [5]byte
	if _, err := io.ReadFull(br, head[:2]); err != nil {
		return "", err
	}
	if _, err := br.Discard(int(head[1])); err != nil {
		return "", err
	}
	w.Write([]byte{5, 0})
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return "", err
	}
	name := make([]byte, int(head[4])+2)
	if _, err := io.ReadFull(br, name); err != nil {
		return "", err
	}
	_, err := w.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	n := len(name) - 2
	return net.JoinHostPort(string(name[:n]), strconv.Itoa(int(name[n])<<8|int(name[n+1]))), err
}
