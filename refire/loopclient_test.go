//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package refire_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// TestStaleIsNoticed: a kept connection that the server has closed, or on which it says what nobody asked for, gets no request, and none fails for it.
// net/http promises less: it has a goroutine that reads, which finds out when its turn comes.
func TestStaleIsNoticed(t *testing.T) {
	for name, last := range map[string]string{"closed": "", "talks": "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			conns := make(chan net.Conn, 100)
			s := newRawServer(t, func(conn net.Conn, _ string, _, _ int) string {
				conns <- conn
				return okAnswer
			})
			client := pinned(t, newTaskClient, refire.HTTPConfig{Connections: 1}, []refire.Origin{s.origin(t)})
			const attempts = 20
			for i := range attempts {
				r := refire.Request{Method: "POST", Origin: s.origin(t), Target: fmt.Sprintf("/%d", i)}
				if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status != 200 {
					t.Errorf("attempt %d: %+v", i, a)
				}
				conn := <-conns
				conn.Write([]byte(last)) // here it has arrived as soon as this returns
				if last == "" {
					conn.(*net.TCPConn).CloseWrite()
				}
			}
			if n := len(s.seen()); n != attempts || s.connections() != attempts {
				t.Errorf("%d requests on %d connections for %d attempts", n, s.connections(), attempts)
			}
		})
	}
}

// TestAnyTargetOnLoop: what net/http would change goes out as it is.
func TestAnyTargetOnLoop(t *testing.T) {
	s := newRawServer(t, nil)
	client := pinned(t, newTaskClient, refire.HTTPConfig{}, []refire.Origin{s.origin(t)})
	for _, target := range []string{"//%zz", "//a/%", `//"`, `//victim.test\x`, "//a#b", "//a|b"} {
		r := refire.Request{Method: "GET", Origin: s.origin(t), Target: target}
		if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status != 200 || !refire.CanSendLoop(&r) {
			t.Errorf("%s: %+v", target, a)
		}
		heads := s.seen()
		want := "GET " + target + " HTTP/1.1\r\nHost: " + s.Addr().String() + "\r\nUser-Agent: refire/1-again\r\nAccept: */*\r\n\r\n"
		if got := heads[len(heads)-1]; got != want {
			t.Errorf("sent %q, want %q", got, want)
		}
	}
}

// TestIdleConnectionsAreClosed waits for real: a server must not have to keep what nobody uses, and a closed client keeps nothing.
func TestIdleConnectionsAreClosed(t *testing.T) { eachClient(t, testIdleConnectionsAreClosed) }

func testIdleConnectionsAreClosed(t *testing.T, newClient newClientFunc) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	idle := make(chan time.Duration, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		b := make([]byte, 1000)
		conn.Read(b)
		conn.Write([]byte(okAnswer))
		since := time.Now()
		conn.SetReadDeadline(since.Add(20 * time.Second))
		conn.Read(b)
		idle <- time.Since(since)
	}()
	origin := mustOrigin(t, "http://"+l.Addr().String())
	client := newClient(t, refire.HTTPConfig{}, origin)
	r := refire.Request{Method: "GET", Origin: origin, Target: "/"}
	if a := client.Attempt(t.Context(), &r); a.Err != nil {
		t.Fatal(a.Err)
	}
	if took := <-idle; took < 1900*time.Millisecond || took > 15*time.Second {
		t.Errorf("closed after %v", took)
	}
}

// TestInformational: answers before the answer are not it.
func TestInformational(t *testing.T) { eachClient(t, testInformational) }

func testInformational(t *testing.T, newClient newClientFunc) {
	s := newRawServer(t, func(net.Conn, string, int, int) string {
		return "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 502 No\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n"
	})
	client := newClient(t, refire.HTTPConfig{}, s.origin(t))
	for range 3 {
		r := refire.Request{Method: "GET", Origin: s.origin(t), Target: "/"}
		if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status != 502 || a.Bytes != 3 {
			t.Errorf("%+v", a)
		}
	}
	if n := s.connections(); n != 1 {
		t.Errorf("%d connections: they are not kept", n)
	}
}

// TestClosedClient: it fires no more.
func TestClosedClient(t *testing.T) {
	s := newRawServer(t, nil)
	client := pinned(t, newTaskClient, refire.HTTPConfig{}, []refire.Origin{s.origin(t)}).(*taskClient)
	if err := client.LoopClient.Close(); err != nil {
		t.Fatal(err)
	}
	r := refire.Request{Method: "GET", Origin: s.origin(t), Target: "/"}
	if a := client.Attempt(t.Context(), &r); a.Err == nil || !a.Unsent || len(s.seen()) > 0 {
		t.Errorf("%+v", a)
	}
}
