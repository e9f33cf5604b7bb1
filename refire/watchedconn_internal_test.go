package refire

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
)

// TestSettle: a kept connection is fit once its reader waits, and not when it is closed or nobody reads.
func TestSettle(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*watchedConn)
		fit    bool
	}{
		"a reader waits": {func(c *watchedConn) { go c.Read(make([]byte, 1)) }, true},
		"closed":         {func(c *watchedConn) { c.Close() }, false},
		"closed while a reader waited": {func(c *watchedConn) {
			go c.Read(make([]byte, 1))
			synctest.Wait()
			c.Close()
		}, false},
		"nobody reads, then it is closed": {func(c *watchedConn) { go c.Close() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				defer there.Close()
				conn := newWatchedConn(here)
				defer conn.Close()
				c.before(conn)
				if fit := conn.settle(t.Context()); fit != c.fit {
					t.Errorf("fit: %v", fit)
				}
			})
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	here, there := net.Pipe()
	defer there.Close()
	conn := newWatchedConn(here)
	if conn.settle(ctx) {
		t.Error("fit although its request has ended")
	}
	if _, err := conn.Conn.Write([]byte("x")); err == nil {
		t.Error("what is not fit is still open")
	}
}
