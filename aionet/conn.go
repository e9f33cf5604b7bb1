package aionet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Conn is a connection: a net.Conn that may be used from any goroutine, several at a time. Get one from [Dial], a
// [Listener] or [Serve]. Calls that wait suspend a task and block any other goroutine; in a callback on a loop,
// where neither can be, they are aio.ErrWouldDeadlock, unless there is nothing to wait for.
//
// Of a network of datagrams each Read takes one, whose rest is lost if p is too short, and each Write sends one, also
// one without a byte. There is no end of the stream. That nobody takes them at the other side is an
// error of a later call, and Is syscall.ECONNREFUSED, if the system is told of it.
//
// Close it when it is no longer needed. One that was forgotten, and that nobody can reach any more, is closed when the
// garbage collector finds that out, which may take long.
//
// Its errors are *net.OpError, as those of package net: Is net.ErrClosed after Close, Is
// os.ErrDeadlineExceeded after a deadline, Is the context's error if that ended.
type Conn struct {
	*socket
	ctx context.Context // nil: the calling task's own
}

// callers is for calls under whatever context the calling task has.
var callers context.Context

var (
	_ net.Conn      = (*Conn)(nil)
	_ syscall.Conn  = (*Conn)(nil)
	_ io.ReaderFrom = (*Conn)(nil)
	_ io.WriterTo   = (*Conn)(nil)
)

// Read reads what there is, at most len(p) bytes, and waits until there is something: it suspends a
// task and blocks any other goroutine. At the end of the stream it is io.EOF. In a task whose context
// has ended it fails at once; if that ends first, so it does, and nothing is lost. See [Conn.WithContext] and
// [Conn.SetReadDeadline]. A task that never has to wait, whichever connections it reads, writes and dials, is suspended
// every 128 calls or so all the same, so that others have their turn.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.read(c.ctx, p)
	if err != nil {
		err = c.opError("read", err)
	}
	return n, err
}

// Write writes all of p, and waits where the other side is slow: it suspends a task and blocks any
// other goroutine. Two Writes at the same time do not mix. In a task whose context has ended it fails
// at once; if that, or a deadline, ends it midway, the number tells how much was written.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.write(c.ctx, p)
	if err != nil {
		err = c.opError("write", err)
	}
	return n, err
}

// WithContext is the same connection, whose calls end with ctx, and not with the context of the task
// that calls: with a ctx that ends earlier, for one step; with context.WithoutCancel, for clean-up; in a
// goroutine, which has no context of its own. From any goroutine; it does not suspend. Closing one closes both.
func (c *Conn) WithContext(ctx context.Context) *Conn {
	mustContext(ctx, "WithContext")
	return &Conn{c.socket, ctx}
}

// Close closes the connection. Whoever waits for it gets an error that Is net.ErrClosed. What was
// written goes on its way. From any goroutine; it does not suspend.
func (c *Conn) Close() error {
	if !c.close() {
		return c.opError("close", net.ErrClosed)
	}
	return nil
}

// CloseRead ends reading, for good: Read is io.EOF once what has come is read. Datagrams have no end: of
// them it Is errors.ErrUnsupported. From any goroutine; it does not suspend.
func (c *Conn) CloseRead() error { return c.closed(c.closeRead()) }

// CloseWrite tells the other side that no more will come: its Read is io.EOF after what was written.
// Reading goes on. Datagrams have no end: of them it Is errors.ErrUnsupported. From any goroutine; it does
// not suspend.
func (c *Conn) CloseWrite() error { return c.closed(c.closeWrite()) }

var errNoEnd = fmt.Errorf("aio: datagrams have no end that the other side could be told of; close the connection: %w", errors.ErrUnsupported)

func (c *Conn) closed(err error) error {
	if err != nil {
		return c.opError("close", err)
	}
	return nil
}

// LocalAddr is our end's address. From any goroutine; it does not suspend.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the other end's address. From any goroutine; it does not suspend.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline is both SetReadDeadline and SetWriteDeadline. From any goroutine; it does not suspend.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.setDeadline(0, t); err != nil {
		return c.opError("set", err)
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline has reads fail with an error that Is os.ErrDeadlineExceeded once it is t, those
// that wait already included, until another one is set; the zero time is none. From any goroutine;
// it does not suspend.
//
// Give it time.Now().Add(d), never aio.Now's time, with a virtual clock too: t is compared with time.Now when a
// read begins. For one read WithContext, with a ctx of aio.WithTimeout, needs no such care. While a task waits, what is left passes on the clock of its
// loop, which with aio.WithClock may be another.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if err := c.setDeadline(0, t); err != nil {
		return c.opError("set", err)
	}
	return nil
}

// SetWriteDeadline is SetReadDeadline for writes. From any goroutine; it does not suspend.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if err := c.setDeadline(1, t); err != nil {
		return c.opError("set", err)
	}
	return nil
}

// opError is err in the form of package net's.
func (c *Conn) opError(op string, err error) error {
	if err == io.EOF || errors.Is(err, aio.ErrWouldDeadlock) {
		return err
	}
	return &net.OpError{Op: op, Net: c.network(), Source: c.local, Addr: c.remote, Err: err}
}

// SyscallConn gives access to the descriptor: syscall.Conn. Its Read and Write call their function at once, and then
// wait as the Conn's do: they suspend a task and block any other goroutine. From any goroutine.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	if c.isClosed() {
		return nil, c.opError("raw", net.ErrClosed)
	}
	return rawConn{c}, nil
}

type rawConn struct{ c *Conn }

func (r rawConn) Control(f func(fd uintptr)) error {
	return r.error("control", r.c.control(f))
}

func (r rawConn) Read(f func(fd uintptr) bool) error {
	return r.error("read", r.c.poll(r.c.ctx, 0, f))
}

func (r rawConn) Write(f func(fd uintptr) bool) error {
	return r.error("write", r.c.poll(r.c.ctx, 1, f))
}

func (r rawConn) error(op string, err error) error {
	if err == nil {
		return nil
	}
	return r.c.opError("raw-"+op, err)
}

// isTimeout reports whether err is that of a deadline.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
