package refire_test

import (
	"net"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// TestRetryAfter: both clients tell of it, with the statuses where it asks to be left alone.
func TestRetryAfter(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		want time.Duration
	}{
		"seconds":  {"503 Busy\r\nRetry-After: 7", 7 * time.Second},
		"case":     {"503 Busy\r\nretry-AFTER:7", 7 * time.Second},
		"429":      {"429 Slowly\r\nRetry-After: 11", 11 * time.Second},
		"date":     {"503 Busy\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nRetry-After: Sat, 21 Nov 2026 12:00:13 GMT", 13 * time.Second},
		"too long": {"503 Busy\r\nRetry-After: 86400", refire.MaxRetryAfter},
		"no sense": {"503 Busy\r\nRetry-After: later", 0},
		"none":     {"503 Busy", 0},
		"200":      {"200 OK\r\nRetry-After: 7", 0},
		"301":      {"301 There\r\nRetry-After: 7", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRawServer(t, func(net.Conn, string, int, int) string {
				return "HTTP/1.1 " + c.head + "\r\nContent-Length: 2\r\n\r\nok"
			})
			eachClient(t, func(t *testing.T, newClient newClientFunc) {
				client := newClient(t, refire.HTTPConfig{}, s.origin(t))
				r := request(0, "/")
				r.Origin = s.origin(t)
				if a := client.Attempt(t.Context(), &r); a.RetryAfter != c.want || a.Err != nil || a.Bytes != 2 {
					t.Errorf("%+v", a)
				}
			})
		})
	}
}
