//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package refire_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

// TestStaleTLS: what comes after an answer over TLS, in a record of its own, and the end of the other side's sending are noticed as without it; tickets, which
// come unasked as well, are no reason to give a connection up.
func TestStaleTLS(t *testing.T) {
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	defer certified.Close()
	roots := certified.Client().Transport.(*http.Transport).TLSClientConfig
	for name, c := range map[string]struct {
		after       func(conn *tls.Conn)
		connections int64
	}{
		"nothing": {func(*tls.Conn) {}, 1},
		"talks":   {func(conn *tls.Conn) { conn.Write([]byte("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")) }, 5},
		"closed":  {func(conn *tls.Conn) { conn.CloseWrite() }, 5},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			var connections atomic.Int64
			said := make(chan struct{}, 1)
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					connections.Add(1)
					go func() {
						defer conn.Close()
						for br := bufio.NewReader(conn); ; {
							if _, err := http.ReadRequest(br); err != nil {
								return
							}
							conn.Write([]byte(okAnswer))
							c.after(conn.(*tls.Conn))
							said <- struct{}{}
						}
					}()
				}
			}()
			origin := mustOrigin(t, "https://"+l.Addr().String())
			client := pinned(t, newTaskClient, refire.HTTPConfig{TLS: roots}, []refire.Origin{origin})
			for i := range 5 {
				r := refire.Request{Method: "POST", Origin: origin, Target: fmt.Sprintf("/%d", i)}
				if a := client.Attempt(t.Context(), &r); a.Err != nil || a.Status != 200 {
					t.Errorf("attempt %d: %+v", i, a)
				}
				<-said
			}
			if n := connections.Load(); n != c.connections {
				t.Errorf("%d connections", n)
			}
		})
	}
}
