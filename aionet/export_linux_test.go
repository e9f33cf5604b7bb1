package aionet

import (
	"testing"

	"github.com/seed8b1f0744/aio"
)

// Moved has what is moved by a call of the system's counted until the test is over.
func Moved(t testing.TB, fn func(call string, n int)) {
	onMove.Store(&fn)
	t.Cleanup(func() { onMove.Store(nil) })
}

// Attach gives a descriptor, which it will close, to a protocol: connect_accepted_socket without the waiting. It is
// called on the loop; made is, too.
func Attach(l *aio.Loop, fd int, p Protocol, made func(*Transport)) (*Transport, error) {
	return attach(l, newSocket(fd, "unix"), func() Protocol { return p }, made, nil)
}

// Waiting is how many bytes are to be written. On the loop.
func (t *Transport) Waiting() int { return t.waiting() }

// MayRead reports whether a task of the loop that uses c first would try to read. On the loop.
func (c *Conn) MayRead() bool { return c.socket.first.Load().Ready(reading) }
