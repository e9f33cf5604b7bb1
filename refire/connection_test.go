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

// TestSwitchedIsNotKept: after a 101 a connection speaks another protocol, and takes no further request.
func TestSwitchedIsNotKept(t *testing.T) { eachClient(t, testSwitchedIsNotKept) }

func testSwitchedIsNotKept(t *testing.T, newClient newClientFunc) {
	hush(t)
	s := newRawServer(t, func(net.Conn, string, int, int) string {
		return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
	})
	client := newClient(t, refire.HTTPConfig{}, s.origin(t))
	for range 3 {
		r := refire.Request{Method: "GET", Origin: s.origin(t), Target: "/"}
		if a := client.Attempt(t.Context(), &r); a.Status != 101 || a.Err != nil {
			t.Errorf("%+v", a)
		}
	}
	if n := s.connections(); n != 3 {
		t.Errorf("%d connections for 3 requests", n)
	}
}

// TestHalfARequestIsNotGoneOnWith: a server answers before it has read all, keeps the connection and reads no more. What was not sent of that request must
// not be followed by another one, which would be taken for its rest.
func TestHalfARequestIsNotGoneOnWith(t *testing.T) { eachClient(t, testHalfARequestIsNotGoneOnWith) }

func testHalfARequestIsNotGoneOnWith(t *testing.T, newClient newClientFunc) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections := make(chan int, 1)
	go func() {
		n := 0
		defer func() { connections <- n }()
		for ; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			conn.(*net.TCPConn).SetReadBuffer(16 << 10)
			if _, err := conn.Read(make([]byte, 100)); err != nil {
				t.Error(err)
			}
			io.WriteString(conn, okAnswer)
		}
	}()
	origin := mustOrigin(t, "http://"+l.Addr().String())
	client := newClient(t, refire.HTTPConfig{Timeout: 500 * time.Millisecond}, origin)
	long := refire.Request{Method: "GET", Origin: origin, Target: "/" + strings.Repeat("x", 8<<20)}
	if a := client.Attempt(t.Context(), &long); a.Status != 200 {
		t.Errorf("%+v", a)
	}
	next := refire.Request{Method: "GET", Origin: origin, Target: "/"}
	if a := client.Attempt(t.Context(), &next); a.Status != 200 || a.Err != nil {
		t.Errorf("the next one: %+v", a)
	}
	l.Close()
	if n := <-connections; n != 2 {
		t.Errorf("%d connections", n)
	}
}
