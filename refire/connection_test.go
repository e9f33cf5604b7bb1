package refire_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// TestSurplusBytes: what a server sends beyond an answer is never taken for the answer of another entry.
func TestSurplusBytes(t *testing.T) { eachClient(t, testSurplusBytes) }

func testSurplusBytes(t *testing.T, newClient newClientFunc) {
	hush(t)
	for name, c := range map[string]struct{ method, answer string }{
		"a body for HEAD":    {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		"a body for 204":     {"GET", "HTTP/1.1 204 None\r\n\r\nok"},
		"a length too short": {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello"},
		"a second answer":    {"GET", okAnswer + "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"},
		"nothing":            {"GET", okAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRawServer(t, func(net.Conn, string, int, int) string { return c.answer })
			client := newClient(t, refire.HTTPConfig{Connections: 4}, s.origin(t))
			const each, workers = 50, 4
			var done sync.WaitGroup
			for w := range workers {
				done.Go(func() {
					for i := range each {
						r := refire.Request{Method: c.method, Origin: s.origin(t), Target: fmt.Sprintf("/%d/%d", w, i)}
						if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status >= 300 {
							t.Errorf("%s: %+v", r.Target, a)
						}
					}
				})
			}
			done.Wait()
			if n := len(s.seen()); n != each*workers {
				t.Errorf("%d requests for %d attempts", n, each*workers)
			}
		})
	}
}

// TestSilentTLS: a server that takes connections and never shakes hands gets them back: an attempt that timed out leaves none open behind it.
func TestSilentTLS(t *testing.T) { eachClient(t, testSilentTLS) }

func testSilentTLS(t *testing.T, newClient newClientFunc) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const attempts = 3
	ended := make(chan error, attempts)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.SetReadDeadline(time.Now().Add(20 * time.Second))
				_, err := io.Copy(io.Discard, conn)
				ended <- err
			}()
		}
	}()
	defer l.Close()
	origin := mustOrigin(t, "https://"+l.Addr().String())
	client := newClient(t, refire.HTTPConfig{Timeout: 50 * time.Millisecond}, origin)
	for range attempts {
		r := refire.Request{Method: "GET", Origin: origin, Target: "/"}
		if a := client.Attempt(t.Context(), &r); a.Err == nil || a.Err.Trouble != refire.Timeout || !a.Unsent {
			t.Errorf("%+v", a)
		}
	}
	for range attempts {
		if err := <-ended; err != nil && strings.Contains(err.Error(), "timeout") {
			t.Error("a connection stays open after its attempt")
		}
	}
}

// TestNotWellFormed: what a file says is not sent if it would break the request line.
func TestNotWellFormed(t *testing.T) { eachClient(t, testNotWellFormed) }

func testNotWellFormed(t *testing.T, newClient newClientFunc) {
	s := newRawServer(t, nil)
	client := newClient(t, refire.HTTPConfig{}, s.origin(t))
	for _, r := range []refire.Request{
		{Method: "GET", Target: "/a HTTP/1.1 X"},
		{Method: "GET", Target: "/a\r\nX: y"},
		{Method: "GET", Target: "/\xc3\xa9"},
		{Method: "GET", Target: "a"},
		{Method: "GET"},
		{Method: "G T", Target: "/"},
		{Method: "CONNECT", Target: "/"},
		{Target: "/"},
	} {
		r.Origin = s.origin(t)
		if a := client.Attempt(t.Context(), &r); r.WellFormed() || a.Err == nil || !a.Unsent {
			t.Errorf("%q %q: %+v", r.Method, r.Target, a)
		}
	}
	if heads := s.seen(); len(heads) > 0 {
		t.Errorf("sent %q", heads)
	}
}
