package refire

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// watchedConn knows what net/http does not tell: how many bytes of requests were handed to the network, so that a request that was never sent can be told from
// one that may have been; and whether the last answer was read to its end, for bytes that are left over would become the answer of the next request.
//
// And it is patient: a write that the other side has refused, because it closed before it had read all, is no error yet. net/http would give the request up
// for it, although the answer that says why (414, say) may be there to be read. Without an answer the reader gets the error.
type watchedConn struct {
	net.Conn
	patient bool // immutable once it is used; not with HTTP/2, which answers one request of many
	written atomic.Int64
	read    atomic.Int64
	begun   atomic.Int64 // read before the request that is under way
	refused atomic.Pointer[error]
	ended   atomic.Bool   // a Read has failed; behind TLS that may be seen before the connection ends, or not at all
	reading chan struct{} // holds a token while a Read is under way; there is one reader at a time
	closed  chan struct{} // closed after Conn is
	once    sync.Once
}

func newWatchedConn(c net.Conn) *watchedConn {
	return &watchedConn{Conn: c, reading: make(chan struct{}, 1), closed: make(chan struct{})}
}

// Write implements net.Conn.
func (c *watchedConn) Write(b []byte) (int, error) {
	if c.broken() != nil {
		return len(b), nil
	}
	c.written.Add(int64(len(b))) // before: a write that fails may have sent some
	n, err := c.Conn.Write(b)
	if c.patient && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)) {
		c.refused.Store(&err)
		return len(b), nil
	}
	return n, err
}

// begin is called before each request.
func (c *watchedConn) begin() { c.begun.Store(c.read.Load()) }

// broken is the error of a write that was passed over.
func (c *watchedConn) broken() error {
	if err := c.refused.Load(); err != nil {
		return *err
	}
	return nil
}

// Read implements net.Conn.
func (c *watchedConn) Read(b []byte) (int, error) {
	c.reading <- struct{}{}
	n, err := c.Conn.Read(b)
	<-c.reading
	c.read.Add(int64(n))
	if err != nil {
		c.ended.Store(true)
	}
	if refused := c.broken(); refused != nil && err != nil && c.read.Load() == c.begun.Load() {
		err = refused
	}
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
