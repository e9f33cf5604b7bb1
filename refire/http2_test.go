package refire_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

func newHTTP2Server(t *testing.T, h http.HandlerFunc) (s *httptest.Server, roots *tls.Config, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	s = httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = quiet()
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, s.Client().Transport.(*http.Transport).TLSClientConfig, connections
}

// TestHTTP2: where a server offers HTTP/2 over TLS, the net/http client speaks it, on one connection, and targets stay as they are. The loop's client does not.
func TestHTTP2(t *testing.T) { eachClient(t, testHTTP2) }

func testHTTP2(t *testing.T, newClient newClientFunc) {
	var mu sync.Mutex
	var seen []string // guarded by mu
	s, roots, connections := newHTTP2Server(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		mu.Lock()
		seen = append(seen, fmt.Sprintf("%s %s %s %d %d %v", r.Proto, r.Method, r.RequestURI, r.ContentLength, n, err))
		mu.Unlock()
		if here := r.Context().Value(http.LocalAddrContextKey).(net.Addr); r.Host != here.String() || r.UserAgent() != refire.UserAgent {
			t.Errorf("%s: %q", r.Host, r.Header)
		}
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "short")
	})
	origin := mustOrigin(t, s.URL)
	client := newClient(t, refire.HTTPConfig{TLS: roots, Connections: 20}, origin)
	proto := "HTTP/2.0"
	if _, isHTTP := client.(*refire.HTTPClient); !isHTTP {
		proto = "HTTP/1.1"
	}
	var want []string
	for _, target := range []string{"/", "/a?", "/a%2Fb//c/../d?x=%20+&y", "/a#b", "//victim.test/x", "//a//b?c"} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			r := refire.Request{Method: method, Origin: origin, Target: target}
			bytes := int64(len("short"))
			if method == "HEAD" {
				bytes = 0
			}
			if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status != http.StatusTeapot || a.Bytes != bytes {
				t.Errorf("%s %s: %+v", method, target, a)
			}
			want = append(want, fmt.Sprintf("%s %s %s 0 0 <nil>", proto, method, target)) // no body, and known to be none
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen, want) {
		t.Errorf("the server saw %q, want %q", seen, want)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestHTTP2Together: attempts that begin at the same time share a connection, from the first one on, and none is lost.
func TestHTTP2Together(t *testing.T) {
	s, roots, connections := newHTTP2Server(t, func(http.ResponseWriter, *http.Request) {})
	origin := mustOrigin(t, s.URL)
	client := pinned(t, clients()["net/http"], refire.HTTPConfig{TLS: roots, Connections: 16}, []refire.Origin{origin})
	var done sync.WaitGroup
	for w := range 16 {
		done.Go(func() {
			for i := range 20 {
				r := refire.Request{Method: "GET", Origin: origin, Target: fmt.Sprintf("/%d/%d", w, i)}
				if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status != 200 {
					t.Errorf("%s: %+v", r.Target, a)
				}
			}
		})
	}
	done.Wait()
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestHTTP2AttemptIsOneRequest: what a server refuses, abandons or loses is not sent again within an attempt. An http.Transport would send it up to 7 times, as
// HTTP/2 says that a refused one was not processed; a further attempt is for --retries to decide.
func TestHTTP2AttemptIsOneRequest(t *testing.T) {
	const (
		refused  = 7
		protocol = 1
	)
	for name, c := range map[string]struct {
		answer  func(stream uint32) []byte // nil: the connection is closed
		trouble refire.Trouble
	}{
		"refused stream": {func(stream uint32) []byte {
			return frame(3, 0, stream, binary.BigEndian.AppendUint32(nil, refused))
		}, refire.Reset},
		"protocol error": {func(stream uint32) []byte {
			return frame(3, 0, stream, binary.BigEndian.AppendUint32(nil, protocol))
		}, refire.Reset},
		"goes away": {func(stream uint32) []byte {
			return frame(7, 0, 0, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, stream-2), 0)) // this one is not processed
		}, refire.Closed},
		"closes": {nil, refire.Closed},
	} {
		for _, method := range []string{"GET", "HEAD", "DELETE", "POST"} {
			t.Run(name+" "+method, func(t *testing.T) {
				s := newFrameServer(t, c.answer)
				client := pinned(t, clients()["net/http"], refire.HTTPConfig{TLS: s.roots, Connections: 1}, []refire.Origin{s.origin})
				const attempts = 6 // each second one meets a kept connection
				for i := range attempts {
					r := refire.Request{Method: method, Origin: s.origin, Target: fmt.Sprintf("/%d", i)}
					a := client.Attempt(t.Context(), &r)
					if i%2 == 0 {
						if a.Err != nil || a.Status != 200 {
							t.Errorf("attempt %d: %+v", i, a)
						}
					} else if a.Err == nil || a.Err.Trouble != c.trouble || a.Unsent {
						t.Errorf("attempt %d: %+v", i, a)
					}
				}
				if n := s.requests.Load(); n != attempts {
					t.Errorf("%d attempts became %d requests", attempts, n)
				}
			})
		}
	}
}

// frameServer speaks HTTP/2 as far as it must: it answers every other request of all with 200, and those between by answer.
type frameServer struct {
	origin   refire.Origin
	roots    *tls.Config
	requests atomic.Int64
}

func newFrameServer(t *testing.T, answer func(stream uint32) []byte) *frameServer {
	t.Helper()
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(certified.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	s := &frameServer{
		origin: mustOrigin(t, "https://"+l.Addr().String()), roots: certified.Client().Transport.(*http.Transport).TLSClientConfig,
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			done.Go(func() { s.serve(conn, answer) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		done.Wait()
	})
	return s
}

func (s *frameServer) serve(conn net.Conn, answer func(stream uint32) []byte) {
	defer conn.Close()
	br := bufio.NewReader(conn)
	if _, err := br.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")); err != nil {
		return
	}
	conn.Write(frame(4, 0, 0, nil)) // our settings: the defaults
	for {
		var head [9]byte
		if _, err := io.ReadFull(br, head[:]); err != nil {
			return
		}
		length := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
		if _, err := br.Discard(length); err != nil {
			return
		}
		stream := binary.BigEndian.Uint32(head[5:])
		switch kind, flags := head[3], head[4]; {
		case kind == 4 && flags&1 == 0: // settings
			conn.Write(frame(4, 1, 0, nil))
		case kind == 1: // a request's headers
			switch n := s.requests.Add(1); {
			case n%2 == 1:
				conn.Write(frame(1, 4|1, stream, []byte{0x88})) // :status: 200
			case answer == nil:
				return
			default:
				conn.Write(answer(stream))
			}
		}
	}
}

func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	b := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}
