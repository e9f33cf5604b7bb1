package refire

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// watchedConn knows what net/http does not tell: how many bytes of requests were handed to the network, so that a request that was never sent can be told from
// one that may have been; and whether the last answer was read to its end, for bytes that are left over would become the answer of the next request.
type watchedConn struct {
	net.Conn
	written atomic.Int64
	reading chan struct{} // holds a token while a Read is under way; there is one reader at a time
	closed  chan struct{} // closed after Conn is
	once    sync.Once
}

func newWatchedConn(c net.Conn) *watchedConn {
	return &watchedConn{Conn: c, reading: make(chan struct{}, 1), closed: make(chan struct{})}
}

// Write implements net.Conn.
func (c *watchedConn) Write(b []byte) (int, error) {
	c.written.Add(int64(len(b))) // before: a write that fails may have sent some
	return c.Conn.Write(b)
}

// Read implements net.Conn.
func (c *watchedConn) Read(b []byte) (int, error) {
	c.reading <- struct{}{}
	n, err := c.Conn.Read(b)
	<-c.reading
	return n, err
}

// Close implements net.Conn.
func (c *watchedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { close(c.closed) })
	return err
}

// settle waits until net/http's reader of a kept connection has come to wait for bytes, or has found some that nobody asked for and closed it: then, and when
// ctx ends, fit is false, and nothing can be sent on it any more.
//
// net/http puts a connection aside before it looks for such bytes, so a request could be sent in between. Bytes that are still on their way are beyond
// anybody's knowledge: HTTP/1.1 does not say which request an answer is for.
func (c *watchedConn) settle(ctx context.Context) (fit bool) {
	select {
	case <-c.closed:
		return false
	default:
	}
	select {
	case token := <-c.reading:
		c.reading <- token // its Read gives it back only now
		return true
	case <-c.closed:
	case <-ctx.Done():
		c.Close()
	}
	return false
}
