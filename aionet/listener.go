package aionet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// Listener takes connections: a net.Listener of one color. Get one from [Listen]. It may be used from
// any goroutine, several at a time.
type Listener struct {
	*socket
	closed aio.Event

	mu   sync.Mutex
	rest time.Duration // guarded by mu, as these; how long to wait before the next accept, after a lack of descriptors
	took net.Addr      // our end's, of the last connection
}

var _ net.Listener = (*Listener)(nil)

// Listen listens on an address of this machine: asyncio's start_server and create_server, without
// the serving. network is "tcp", "tcp4", "tcp6" or "unix". A name in address is looked up off the
// loop: that suspends a task and blocks any other goroutine; an address is not. An empty host, with
// "tcp", is every address of both IPv4 and IPv6. The port 0 is any that is free, see Addr.
//
// The file of a unix socket that a killed program left over is an error (address already in use): remove it first.
//
// When ctx ends first its error is returned; later it has no effect. Errors are *net.OpError. The
// caller closes the listener.
func Listen(ctx context.Context, network, address string) (*Listener, error) {
	mustContext(ctx, "Listen")
	if ofDatagrams(network) {
		return nil, &net.OpError{Op: "listen", Net: network, Err: fmt.Errorf("%w: ListenPacket takes datagrams", net.UnknownNetworkError(network))}
	}
	s, err := bindTo(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &Listener{socket: s}, nil
}

// bindTo is a socket with an address of this machine. Its errors name that.
func bindTo(ctx context.Context, network, address string) (*socket, error) {
	s, addr, err := bound(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: addr, Err: err}
	}
	s.closeWhenDropped()
	return s, nil
}

// Accept waits for the next connection, a *Conn: it suspends a task and blocks any other goroutine. In
// a callback it is aio.ErrWouldDeadlock, unless there is one. In a task whose context has ended it
// fails at once. After Close its error Is net.ErrClosed.
//
// For want of descriptors or memory it fails, with an error whose Temporary is true. The next call first
// waits, 5 ms at first and longer and longer, up to a second, until it has succeeded. The connection
// that it could not take waits meanwhile. So whoever goes on neither spins nor stops serving.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.accept(callers)
	if err != nil {
		return nil, err
	}
	c.closeWhenDropped()
	return c, nil
}

const (
	firstRest = 5 * time.Millisecond
	lastRest  = time.Second
)

func (l *Listener) accept(ctx context.Context) (*Conn, error) {
	l.mu.Lock()
	rest := l.rest
	l.mu.Unlock()
	err := l.pause(ctx, rest)
	var s *socket
	if err == nil {
		s, err = l.socket.accept(ctx)
	}
	l.mu.Lock()
	switch {
	case err == nil:
		l.rest = 0
		s.local = l.shared(s.local)
	case lacksSomething(err):
		l.rest = min(max(2*l.rest, firstRest), lastRest)
	}
	l.mu.Unlock()
	if err != nil {
		if errors.Is(err, aio.ErrWouldDeadlock) {
			return nil, err
		}
		return nil, &net.OpError{Op: "accept", Net: l.network(), Addr: l.local, Err: err}
	}
	return &Conn{socket: s}, nil
}

// shared is a, or an equal one that the last connection has: of a server's connections most came to the same
// address. Called with mu held.
func (l *Listener) shared(a net.Addr) net.Addr {
	if one, ok := a.(*net.TCPAddr); !ok {
		return a
	} else if last, ok := l.took.(*net.TCPAddr); ok && one.IP.Equal(last.IP) && one.Port == last.Port && one.Zone == last.Zone {
		return last
	}
	l.took = a
	return a
}

// pause waits for d, or until the listener is closed.
func (l *Listener) pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	ctx, err := l.contextOf(ctx)
	if err != nil {
		return err
	}
	limited, stop := aio.WithTimeout(ctx, d)
	defer stop()
	if err = l.closed.Wait(limited); err == nil {
		return net.ErrClosed
	}
	if errors.Is(err, aio.ErrWouldDeadlock) {
		return err
	}
	return netpoll.Ended(ctx)
}

// lacksSomething reports whether err is that of a system that has run out of something.
func lacksSomething(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.ENOBUFS)
}

// Close ends listening: whoever waits in Accept gets an error that Is net.ErrClosed. Connections that
// nobody took are reset by the system; those that were taken stay. The file of a unix socket is
// removed. From any goroutine; it does not suspend.
func (l *Listener) Close() error {
	if !l.close() {
		return &net.OpError{Op: "close", Net: l.network(), Addr: l.local, Err: net.ErrClosed}
	}
	l.closed.Set()
	removeFile(l.local)
	return nil
}

// removeFile removes the file that a unix socket was bound to, if that has one.
func removeFile(local net.Addr) {
	if a, ok := local.(*net.UnixAddr); ok && a.Name != "" && a.Name[0] != '@' {
		_ = os.Remove(a.Name)
	}
}

// Addr is the address that is listened on. From any goroutine; it does not suspend.
func (l *Listener) Addr() net.Addr { return l.local }
