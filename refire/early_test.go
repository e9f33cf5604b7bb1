package refire_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// TestEarlyAnswer: a server that finds a request too long, answers, and closes before it has read it all, is recorded with that answer: the write that fails
// over it is no reset. The target is longer than what a connection's buffers hold, so that it cannot be sent before the server has closed.
func TestEarlyAnswer(t *testing.T) { eachClient(t, testEarlyAnswer) }

func testEarlyAnswer(t *testing.T, newClient newClientFunc) {
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	defer certified.Close()
	roots := certified.Client().Transport.(*http.Transport).TLSClientConfig
	target := "/" + strings.Repeat("x", 8<<20)
	for name, c := range map[string]struct {
		scheme  string
		answer  string
		after   func(conn net.Conn) // what the server does once it has answered
		status  int
		bytes   int64
		trouble refire.Trouble
		orCut   bool // the end of its body is the connection's, which may be lost in the reset
	}{
		"closes":         {"http", "HTTP/1.1 414 URI Too Long\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlong", shut, 414, 4, refire.NoTrouble, false},
		"without a body": {"http", "HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n", shut, 431, 0, refire.NoTrouble, false},
		"until the end":  {"http", "HTTP/1.0 413 Too Large\r\n\r\nlarge", shut, 413, 5, refire.NoTrouble, true},
		"TLS":            {"https", "HTTP/1.1 414 URI Too Long\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlong", shut, 414, 4, refire.NoTrouble, false},
		"reads no more":  {"http", "HTTP/1.1 414 URI Too Long\r\nContent-Length: 4\r\n\r\nlong", wait, 414, 4, refire.NoTrouble, false},
		"no answer":      {"http", "", shut, 0, 0, refire.Reset, false},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			requests := make(chan int, 1)
			go func() {
				n := 0
				for ; ; n++ {
					conn, err := l.Accept()
					if err != nil {
						break
					}
					tcp := conn
					tcp.(*net.TCPConn).SetReadBuffer(16 << 10)
					if c.scheme == "https" {
						conn = tls.Server(conn, certified.TLS.Clone())
					}
					conn.SetReadDeadline(time.Now().Add(20 * time.Second))
					if _, err := bufio.NewReaderSize(conn, 100).Peek(100); err != nil {
						t.Error(err)
					}
					io.WriteString(conn, c.answer)
					c.after(tcp)
				}
				requests <- n
			}()
			origin := mustOrigin(t, c.scheme+"://"+l.Addr().String())
			client := newClient(t, refire.HTTPConfig{TLS: roots, Timeout: time.Second}, origin)
			r := refire.Request{Method: "GET", Origin: origin, Target: target}
			a := client.Attempt(t.Context(), &r)
			trouble := refire.NoTrouble
			if a.Err != nil {
				trouble = a.Err.Trouble
			}
			if a.Status != c.status || a.Bytes != c.bytes || a.Unsent || trouble != c.trouble && !(c.orCut && trouble == refire.Cut) {
				t.Errorf("%+v", a)
			}
			l.Close()
			if n := <-requests; n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// shut closes a connection with bytes unread: the other side's next writes are refused.
func shut(conn net.Conn) { conn.Close() }

// wait is a server that neither reads on nor closes, until the client goes away.
func wait(conn net.Conn) {
	conn.(*net.TCPConn).CloseWrite()
	// The client has closed once nothing more can be written: here, once its deadline has passed.
	time.AfterFunc(5*time.Second, func() { conn.Close() })
}
