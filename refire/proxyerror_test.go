package refire_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio/refire"
)

// newOnce is a server that says these things to each connection, each after it has read something, and then closes it.
func newOnce(t *testing.T, says ...string) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			for _, text := range says {
				if _, err := conn.Read(buf); err != nil {
					break
				}
				io.WriteString(conn, text)
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr()
}

// closedPort is where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestProxyFails: what is the proxy's doing is not blamed on the server, and what it says of the server is; a password is never shown.
func TestProxyFails(t *testing.T) {
	answer := func(status string) string { return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n" }
	for name, test := range map[string]struct {
		proxy    string // scheme, and what is before the @
		says     []string
		down     bool
		origin   string
		want     string
		password bool
	}{
		"down":              {proxy: "http://", down: true, origin: "http://shop.test", want: "proxy: http://PROXY: dial tcp PROXY: connect: connection refused"},
		"down, TLS":         {proxy: "http://", down: true, origin: "https://shop.test", want: "proxy: http://PROXY: dial tcp PROXY: connect: connection refused"},
		"down, socks":       {proxy: "socks5://", down: true, origin: "http://shop.test", want: "proxy: socks5://PROXY: dial tcp PROXY: connect: connection refused"},
		"no TLS":            {proxy: "https://", says: []string{"HTTP/1.1 400 what\r\n\r\n"}, origin: "http://shop.test", want: "proxy: https://PROXY: tls: "},
		"407":               {proxy: "http://", says: []string{answer("407 Who")}, origin: "http://shop.test", want: "proxy: http://PROXY: it answered with 407: it wants a user name and a password", password: true},
		"407, given":        {proxy: "http://anna:secret@", says: []string{answer("407 Who")}, origin: "http://shop.test", want: "proxy: http://PROXY: it answered with 407: it does not take this user name and password", password: true},
		"407, TLS":          {proxy: "http://", says: []string{answer("407 Who")}, origin: "https://shop.test", want: "proxy: http://PROXY: it refused to connect: it answered CONNECT with 407: it wants a user", password: true},
		"502, TLS":          {proxy: "http://", says: []string{answer("502 No")}, origin: "https://shop.test", want: "proxy: http://PROXY: it refused to connect: it answered CONNECT with 502"},
		"hangs up":          {proxy: "http://", says: []string{""}, origin: "https://shop.test", want: "proxy: http://PROXY: "},
		"socks, nobody":     {proxy: "socks5://", says: []string{"\x05\xff"}, origin: "http://shop.test", want: "proxy: socks5://PROXY: no acceptable authentication methods: it wants a user", password: true},
		"socks, password":   {proxy: "socks5://anna:secret@", says: []string{"\x05\x02", "\x01\x01"}, origin: "http://shop.test", want: "proxy: socks5://PROXY: username/password authentication failed: it does not take", password: true},
		"socks, its own":    {proxy: "socks5://", says: []string{"\x05\x00", "\x05\x01\x00\x01"}, origin: "http://shop.test", want: "proxy: socks5://PROXY: unknown error general SOCKS server failure"},
		"socks, the server": {proxy: "socks5://", says: []string{"\x05\x00", "\x05\x05\x00\x01"}, origin: "http://shop.test", want: "refused: socks5://PROXY says: connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			at := ""
			if test.down {
				at = closedPort(t)
			} else {
				at = newOnce(t, test.says...).String()
			}
			origin := mustOrigin(t, test.origin)
			client := through(t, refire.HTTPConfig{Connections: 1}, test.proxy+at, origin)
			r := refire.Request{Method: "GET", Origin: origin, Target: "/a"}
			a := client.Attempt(t.Context(), &r)
			if a.Err == nil || a.Status != 0 {
				t.Fatalf("%+v", a)
			}
			if got, want := a.Err.Error(), strings.ReplaceAll(test.want, "PROXY", at); !strings.HasPrefix(got, want) || strings.Contains(got, "secret") {
				t.Errorf("%q, want %q", got, want)
			}
			var proxy *refire.ProxyError
			if errors.As(a.Err, &proxy) != strings.HasPrefix(test.want, "proxy: ") || proxy != nil && proxy.WantsPassword() != test.password {
				t.Errorf("%#v", a.Err)
			}
			if test.down && !errors.Is(a.Err, syscall.ECONNREFUSED) {
				t.Errorf("%v is no refused connection", a.Err)
			}
		})
	}
}

// TestServersOwn407: behind a proxy that only passes bytes on, and without one, a 407 is the server's.
func TestServersOwn407(t *testing.T) {
	answer := "HTTP/1.1 407 Odd\r\nContent-Length: 0\r\n\r\n"
	s := newRawServer(t, func(net.Conn, string, int, int) string { return answer })
	p := newTunnel(t, "socks5", s.Addr().String())
	origin := mustOrigin(t, "http://shop.test")
	r := refire.Request{Method: "GET", Origin: origin, Target: "/a"}
	client := through(t, refire.HTTPConfig{}, "socks5://"+p.Addr().String(), origin)
	if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status != 407 {
		t.Errorf("%+v", a)
	}
}

// TestFiringEndsWithoutPassword: a proxy that wants a password ends the run at once, and no entry is used up.
func TestFiringEndsWithoutPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wants := &refire.ProxyError{Proxy: new(refire.Proxy), Status: 407, Err: errors.New("who?")}
		client := &fakeClient{answer: func(_ context.Context, r *refire.Request, _ int) refire.Answer {
			if r.Target == "/3" {
				return refire.Answer{Err: &refire.Failure{Trouble: refire.AtProxy, Err: wants}}
			}
			return refire.Answer{Status: 200}
		}}
		sink := &memorySink{}
		p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(100)}, Client: client, Sink: sink, Concurrency: 1, Retries: 2})
		if !errors.Is(err, wants) || p.Done != 3 || len(sink.outcomes) != 3 || len(client.times) != 4 || client.times["/3"] != 1 {
			t.Errorf("%v; %d done, %d written, fired %v", err, p.Done, len(sink.outcomes), client.times)
		}
	})
}
