package refire_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// TestWire looks at the bytes a server gets: the target as it was, the base's host, nothing that a body would bring along.
func TestWire(t *testing.T) { eachClient(t, testWire) }

func testWire(t *testing.T, newClient newClientFunc) {
	s := newRawServer(t, func(net.Conn, string, int, int) string { return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" })
	origin := s.origin(t)
	client := newClient(t, refire.HTTPConfig{}, origin)
	check := func(method, target, more string) {
		t.Helper()
		r := refire.Request{Method: method, Origin: origin, Target: target}
		if !canSend(client, &r) {
			t.Errorf("%s %s: cannot be sent", method, target)
			return
		}
		if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status != 200 {
			t.Errorf("%s %s: %d, %v", method, target, a.Status, a.Err)
			return
		}
		want := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: refire/1-again\r\n%sAccept: */*\r\n\r\n", method, target, s.Addr(), more)
		if heads := s.seen(); heads[len(heads)-1] != want {
			t.Errorf("sent %q, want %q", heads[len(heads)-1], want)
		}
	}
	for _, target := range []string{
		"/", "/a?b", "/a?", "/a??", "/a?b#c?d#e", "/a#b", "/#", "/a%2Fb//c/../d?x=%20+&y&b=2&a=1", "/./../..", "/%zz%", "/%00", `/"<>\^{|}` + "`", "/;a;b?c;d",
		"/@victim.test", "/http://victim.test/", "/:80", "/a?retry=True", "/A%c3%B6", "/~!$&'()*+,;=:@[]", "/" + strings.Repeat("x", 20_000),
		"//", "///", "//victim.test/x", "//victim.test", "//victim.test?x#y", "//u@victim.test:1/x?", "//a//b", "//a/../b?%zz",
	} {
		check("GET", target, "")
	}
	check("HEAD", "//x", "")
	check("OPTIONS", "/x", "")
	check("TRACE", "/x", "")
	check("DELETE", "/x", "")
	check("PURGE", "/x?y#z", "")
	for _, method := range []string{"POST", "PUT", "PATCH"} {
		check(method, "//x", "Content-Length: 0\r\n")
	}
	if n := s.connections(); n != 1 {
		t.Errorf("%d connections: they are not kept", n)
	}
}

// TestCannotSend: what package url would change is refused, and not sent by mistake.
func TestCannotSend(t *testing.T) {
	s := newRawServer(t, nil)
	client := pinned(t, clients()["net/http"], refire.HTTPConfig{}, []refire.Origin{s.origin(t)})
	for _, target := range []string{"//%zz", "//a/%", `//"`, `//victim.test\x`, "//a#b", "//a|b"} {
		r := refire.Request{Method: "GET", Origin: s.origin(t), Target: target}
		if refire.CanSendHTTP(&r) {
			t.Errorf("%s can be sent", target)
		}
		if a := client.Attempt(t.Context(), &r); a.Err == nil || !a.Unsent {
			t.Errorf("%s: %+v", target, a)
		}
	}
	if heads := s.seen(); len(heads) > 0 {
		t.Errorf("sent %q", heads)
	}
}

// TestAttemptIsOneRequest: a server that takes a request on a kept connection and goes away without an answer sees it once. net/http by itself would send a
// GET, HEAD, OPTIONS or TRACE a second time.
func TestAttemptIsOneRequest(t *testing.T) { eachClient(t, testAttemptIsOneRequest) }

func testAttemptIsOneRequest(t *testing.T, newClient newClientFunc) {
	for _, how := range []string{"close", "reset"} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE", "DELETE", "POST", "PUT", "PURGE"} {
			t.Run(how+" "+method, func(t *testing.T) {
				s := newRawServer(t, func(conn net.Conn, head string, _, n int) string {
					if n == 0 {
						return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
					}
					if how == "reset" {
						conn.(*net.TCPConn).SetLinger(0)
					}
					return ""
				})
				client := newClient(t, refire.HTTPConfig{Connections: 1}, s.origin(t))
				const attempts = 6
				for i := range attempts {
					r := refire.Request{Method: method, Origin: s.origin(t), Target: fmt.Sprintf("/%d", i)}
					a := client.Attempt(t.Context(), &r)
					if answered := i%2 == 0; answered != (a.Err == nil) {
						t.Errorf("attempt %d: %+v", i, a)
					}
					if a.Err != nil && (a.Unsent || a.Err.Trouble != refire.Closed && a.Err.Trouble != refire.Reset) {
						t.Errorf("attempt %d: %v, unsent %v", i, a.Err, a.Unsent)
					}
				}
				heads := s.seen()
				if len(heads) != attempts || s.connections() != attempts/2 {
					t.Errorf("%d attempts became %d requests on %d connections:\n%s", attempts, len(heads), s.connections(), strings.Join(heads, ""))
				}
			})
		}
	}
}

// TestKeptConnectionDies: a server that closes after each answer, without having said so, never sees an attempt twice, whichever side is faster.
func TestKeptConnectionDies(t *testing.T) { eachClient(t, testKeptConnectionDies) }

func testKeptConnectionDies(t *testing.T, newClient newClientFunc) {
	s := newRawServer(t, func(conn net.Conn, _ string, _, _ int) string {
		conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		return ""
	})
	client := newClient(t, refire.HTTPConfig{Connections: 2}, s.origin(t))
	for i := range 200 {
		r := refire.Request{Method: "GET", Origin: s.origin(t), Target: fmt.Sprintf("/%d", i)}
		client.Attempt(t.Context(), &r)
	}
	times := map[string]int{}
	for _, head := range s.seen() {
		line, _, _ := strings.Cut(head, "\r\n")
		if times[line]++; times[line] > 1 {
			t.Errorf("%s was sent %d times", line, times[line])
		}
	}
}

// TestOnlyThere: no redirect, cookie or proxy leads away from the base.
func TestOnlyThere(t *testing.T) { eachClient(t, testOnlyThere) }

func testOnlyThere(t *testing.T, newClient newClientFunc) {
	victim := newRawServer(t, nil)
	t.Setenv("HTTP_PROXY", "http://"+victim.Addr().String())
	t.Setenv("http_proxy", "http://"+victim.Addr().String())
	t.Setenv("ALL_PROXY", "http://"+victim.Addr().String())
	s := newRawServer(t, func(net.Conn, string, int, int) string {
		return "HTTP/1.1 302 Found\r\nLocation: http://" + victim.Addr().String() + "/\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
	})
	_, port, _ := net.SplitHostPort(s.Addr().String())
	named := mustOrigin(t, "http://base.test:"+port) // not a loopback address, which no proxy would be asked for
	client := newClient(t, refire.HTTPConfig{}, named)
	for _, target := range []string{"/", "//" + victim.Addr().String() + "/x", "/@" + victim.Addr().String()} {
		r := refire.Request{Method: "GET", Origin: named, Target: target}
		if a := client.Attempt(t.Context(), &r); a.Status != 302 || a.Err != nil {
			t.Errorf("%s: %+v", target, a)
		}
	}
	elsewhere := refire.Request{Method: "GET", Origin: victim.origin(t), Target: "/"}
	if a := client.Attempt(t.Context(), &elsewhere); a.Err == nil || !a.Unsent {
		t.Errorf("another place: %+v", a)
	}
	if n := victim.connections(); n > 0 {
		t.Errorf("%d connections to another place", n)
	}
	for _, head := range s.seen() {
		if strings.Contains(head, "Cookie") || !strings.Contains(head, "Host: base.test:"+port+"\r\n") {
			t.Errorf("sent %q", head)
		}
	}
}

// TestTroubles holds the words that retry logs are read by.
func TestTroubles(t *testing.T) { eachClient(t, testTroubles) }

func testTroubles(t *testing.T, newClient newClientFunc) {
	answering := func(answer string) func(t *testing.T) refire.Origin {
		return func(t *testing.T) refire.Origin {
			return newRawServer(t, func(conn net.Conn, _ string, _, _ int) string {
				conn.Write([]byte(answer))
				return ""
			}).origin(t)
		}
	}
	for _, c := range []struct {
		name    string
		server  func(t *testing.T) refire.Origin
		trouble refire.Trouble
		status  int
		bytes   int64
	}{
		{"refused", func(t *testing.T) refire.Origin {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			return mustOrigin(t, "http://"+l.Addr().String())
		}, refire.Refused, 0, 0},
		{"closed", answering(""), refire.Closed, 0, 0},
		{"closed in the header", answering("HTTP/1.1 200 O"), refire.Closed, 0, 0},
		{"reset", func(t *testing.T) refire.Origin {
			return newRawServer(t, func(conn net.Conn, _ string, _, _ int) string {
				conn.(*net.TCPConn).SetLinger(0)
				return ""
			}).origin(t)
		}, refire.Reset, 0, 0},
		{"garbage", answering("SSH-2.0-OpenSSH_9.9\r\n\x1b[31m\r\n\r\n"), refire.Garbage, 0, 0},
		{"garbage without a line's end", answering("\x15\x03\x01\x00\x02\x02\x28"), refire.Garbage, 0, 0}, // TLS, asked without
		{"garbage in the header", answering("HTTP/1.1 200 OK\r\n\x00: x\r\n\r\n"), refire.Garbage, 0, 0},
		{"header without end", answering("HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("x", 10_000)+"\r\n", 200)), refire.Garbage, 0, 0},
		{"no status", answering("HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n"), refire.Garbage, 0, 0},
		{"cut", answering("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\n12345"), refire.Cut, 503, 5},
		{"cut in a chunk", answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nx"), refire.Cut, 200, 4},
		{"no TLS", func(t *testing.T) refire.Origin {
			return mustOrigin(t, "https://"+plainSpeaker(t))
		}, refire.BadTLS, 0, 0},
		{"unknown authority", func(t *testing.T) refire.Origin {
			s := httptest.NewUnstartedServer(http.NotFoundHandler())
			s.Config.ErrorLog = quiet()
			s.StartTLS()
			t.Cleanup(s.Close)
			return mustOrigin(t, s.URL)
		}, refire.BadTLS, 0, 0},
		{"fine", answering("HTTP/1.0 200 OK\r\n\r\nuntil the end"), refire.NoTrouble, 200, 13},
		{"switching protocols", answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxxx"), refire.NoTrouble, 101, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			origin := c.server(t)
			r := refire.Request{Method: "GET", Origin: origin, Target: "/"}
			a := newClient(t, refire.HTTPConfig{}, origin).Attempt(t.Context(), &r)
			got := refire.NoTrouble
			if a.Err != nil {
				got = a.Err.Trouble
				if text := a.Err.Error(); !strings.HasPrefix(text, c.trouble.String()+": ") || strings.ContainsAny(text, "\x1b\x00\n") || len(text) > 400 {
					t.Errorf("says %q", text)
				}
			}
			if got != c.trouble || a.Status != c.status || a.Bytes != c.bytes {
				t.Errorf("%+v, want %v, %d, %d bytes", a, c.trouble, c.status, c.bytes)
			}
			if a.Unsent != (c.trouble == refire.Refused || c.trouble == refire.BadTLS) {
				t.Errorf("unsent: %v", a.Unsent)
			}
		})
	}
}

// TestTimeouts waits for real: a timeout is what the client is for.
func TestTimeouts(t *testing.T) { eachClient(t, testTimeouts) }

func testTimeouts(t *testing.T, newClient newClientFunc) {
	for name, begin := range map[string]string{"silent": "", "in the header": "HTTP/1.1 200 OK\r\n", "in the body": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{})
			s := newRawServer(t, func(conn net.Conn, _ string, _, _ int) string {
				conn.Write([]byte(begin))
				<-gone
				return ""
			})
			defer close(gone)
			r := refire.Request{Method: "GET", Origin: s.origin(t), Target: "/"}
			a := newClient(t, refire.HTTPConfig{Timeout: 50 * time.Millisecond}, s.origin(t)).Attempt(t.Context(), &r)
			if a.Err == nil || a.Err.Trouble != refire.Timeout || a.Unsent || a.Latency < 50*time.Millisecond {
				t.Errorf("%+v", a)
			}
		})
	}
}

// plainSpeaker answers in HTTP whatever it is asked, as a server without TLS does.
func plainSpeaker(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		io.Copy(io.Discard, conn)
	})
	t.Cleanup(func() {
		l.Close()
		done.Wait()
	})
	return l.Addr().String()
}

// TestTLS: over TLS, too, the target stays, connections are kept, and an attempt is one request.
func TestTLS(t *testing.T) { eachClient(t, testTLS) }

func testTLS(t *testing.T, newClient newClientFunc) {
	var mu sync.Mutex
	var seen []string // guarded by mu
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r.Proto+" "+r.Host+r.RequestURI)
		if len(seen) == 3 {
			panic(http.ErrAbortHandler)
		}
	}))
	defer s.Close()
	origin := mustOrigin(t, s.URL)
	roots := s.Client().Transport.(*http.Transport).TLSClientConfig
	client := newClient(t, refire.HTTPConfig{TLS: roots, Connections: 1}, origin)
	for i, target := range []string{"/a%2F//b?c", "//d", "/e", "/f"} {
		r := refire.Request{Method: "GET", Origin: origin, Target: target}
		a := client.Attempt(t.Context(), &r)
		if (a.Err == nil) != (i != 2) || a.Unsent {
			t.Errorf("%s: %+v", target, a)
		}
	}
	host := s.Listener.Addr().String()
	want := []string{"HTTP/1.1 " + host + "/a%2F//b?c", "HTTP/1.1 " + host + "//d", "HTTP/1.1 " + host + "/e", "HTTP/1.1 " + host + "/f"}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen, want) {
		t.Errorf("the server saw %q", seen)
	}
}

func TestBodyLimit(t *testing.T) { eachClient(t, testBodyLimit) }

func testBodyLimit(t *testing.T, newClient newClientFunc) {
	s := newRawServer(t, func(conn net.Conn, _ string, _, _ int) string {
		conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		for {
			if _, err := conn.Write(make([]byte, 4096)); err != nil { // without end: stops when the client has enough
				return ""
			}
		}
	})
	r := refire.Request{Method: "GET", Origin: s.origin(t), Target: "/"}
	a := newClient(t, refire.HTTPConfig{MaxBodyBytes: 10_000}, s.origin(t)).Attempt(t.Context(), &r)
	if a.Err != nil || a.Status != 200 || a.Bytes != 10_000 {
		t.Errorf("%+v", a)
	}
}
