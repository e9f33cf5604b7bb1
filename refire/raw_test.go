package refire_test

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

// rawServer is a listener that shows the bytes it gets. answer is called for each request with its head, the number of the connection it came on and its
// number there (both from 0); what it returns is sent as it is. Empty: the connection is closed instead.
type rawServer struct {
	net.Listener
	answer func(conn net.Conn, head string, c, n int) string

	mu    sync.Mutex
	heads []string // guarded by mu
	conns int      // guarded by mu
	done  sync.WaitGroup
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

func newRawServer(t testing.TB, answer func(conn net.Conn, head string, c, n int) string) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if answer == nil {
		answer = func(net.Conn, string, int, int) string { return okAnswer }
	}
	s := &rawServer{Listener: l, answer: answer}
	var open []net.Conn
	s.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				for _, c := range open {
					c.Close()
				}
				return
			}
			open = append(open, conn)
			c := s.count()
			s.done.Go(func() { s.serve(conn, c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.done.Wait()
	})
	return s
}

func (s *rawServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns++
	return s.conns - 1
}

func (s *rawServer) serve(conn net.Conn, c int) {
	defer conn.Close()
	br := bufio.NewReader(conn)
	for n := 0; ; n++ {
		var head strings.Builder
		for {
			line, err := br.ReadString('\n')
			if err != nil {
				return
			}
			head.WriteString(line)
			if line == "\r\n" {
				break
			}
		}
		s.mu.Lock()
		s.heads = append(s.heads, head.String())
		s.mu.Unlock()
		answer := s.answer(conn, head.String(), c, n)
		if answer == "" {
			return
		}
		if _, err := conn.Write([]byte(answer)); err != nil {
			return
		}
	}
}

// seen returns the heads of all requests so far.
func (s *rawServer) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.heads...)
}

func (s *rawServer) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

func (s *rawServer) origin(t testing.TB) refire.Origin {
	return mustOrigin(t, "http://"+s.Addr().String())
}
