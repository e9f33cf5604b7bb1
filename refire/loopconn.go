package refire

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio/aionet"
)

// loopConn is a connection of a LoopClient. One attempt at a time has it; between two of them it rests, and closes itself after idleTimeout.
type loopConn struct {
	wire   wire
	conn   net.Conn // &wire, or TLS over it
	br     *bufio.Reader
	out    []byte // where a request is put together
	allow  int64  // how much may still be read of an answer's head; below 0: no limit
	failed error  // of the last read, which is not the answer's fault

	reused   bool // it had an attempt before
	reusable bool // and may have another one

	// since is when the rest began, in nanoseconds since epoch; busy while an attempt has it. Who moves it from a rest has the connection: the next
	// attempt, or the timer, which closes it.
	since atomic.Int64
	timer *time.Timer // from the first rest on
}

const (
	busy = 0
	over = -1
)

// epoch is the zero of rests.
var epoch = time.Now().Add(-1)

func newLoopConn(tcp *aionet.Conn) *loopConn {
	c := &loopConn{wire: wire{Conn: tcp}, allow: -1}
	c.conn = &c.wire
	c.br = bufio.NewReader(c)
	return c
}

// begin makes the connection's calls end with ctx and at deadline.
func (c *loopConn) begin(ctx context.Context, deadline time.Time) (err error) {
	c.wire.bound = c.wire.WithContext(ctx)
	c.wire.sent, c.failed = 0, nil
	if c.wire.raw == nil {
		if c.wire.raw, err = c.wire.SyscallConn(); err != nil {
			return err
		}
	}
	return c.wire.SetDeadline(deadline)
}

// fit reports whether a kept connection can take a request: the other side has neither closed it nor sent what nobody asked for. What is still on its way
// is beyond anybody's knowledge.
func (c *loopConn) fit() bool {
	if c.br.Buffered() > 0 {
		return false
	}
	var b [1]byte
	c.wire.probing = true
	_, err := c.conn.Read(b[:])
	c.wire.probing = false
	return errors.Is(err, errNothing)
}

// rests begins a rest.
func (c *loopConn) rests() {
	c.reused = true
	c.wire.bound = nil // an attempt's context is not held
	if c.timer == nil {
		c.timer = time.AfterFunc(idleTimeout, c.expire)
	}
	c.since.Store(int64(time.Since(epoch))) // after the timer is there: expire looks at this first
}

// wakes ends a rest; false: it was too long.
func (c *loopConn) wakes() bool {
	since := c.since.Load()
	return since > busy && c.since.CompareAndSwap(since, busy)
}

// expire is called by the timer, in a goroutine of its own. It looks again as long as the connection is used: so the timer is not touched in between.
func (c *loopConn) expire() {
	left := idleTimeout
	switch since := c.since.Load(); {
	case since == over:
		return
	case since > busy:
		left -= time.Since(epoch) - time.Duration(since)
		if left <= 0 && c.since.CompareAndSwap(since, over) {
			c.wire.Close()
			return
		}
	}
	c.timer.Reset(max(left, time.Millisecond))
}

// Close closes the connection.
func (c *loopConn) Close() error {
	c.since.Store(over)
	if c.timer != nil {
		c.timer.Stop()
	}
	return c.wire.Close() // nothing is said to the other side of TLS: that might have to wait
}

// Read is where br reads. It bounds an answer's head, and keeps errors of the connection apart from those of what came.
func (c *loopConn) Read(p []byte) (int, error) {
	if c.allow == 0 {
		return 0, errHeadTooLong
	}
	if c.allow > 0 && int64(len(p)) > c.allow {
		p = p[:c.allow]
	}
	n, err := c.conn.Read(p)
	if c.allow > 0 {
		c.allow -= int64(n)
	}
	if err != nil {
		c.failed = err
	}
	return n, err
}

// wire is a connection that counts, ends with the attempt that has it, and can be read without waiting.
type wire struct {
	*aionet.Conn
	bound   *aionet.Conn // the same, for an attempt
	raw     syscall.RawConn
	sent    int64 // bytes that the system took
	probing bool
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	if w.probing {
		return readNow(w.raw, p)
	}
	return w.bound.Read(p)
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.bound.Write(p)
	w.sent += int64(n)
	return n, err
}

// nothingError is what a read that must not wait comes to when there is nothing. Package tls takes it for what passes.
type nothingError struct{}

var errNothing net.Error = nothingError{}

func (nothingError) Error() string   { return "nothing to read" }
func (nothingError) Timeout() bool   { return true }
func (nothingError) Temporary() bool { return true }
