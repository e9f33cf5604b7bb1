package aionet

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// Protocol is told what happens on a connection: asyncio's Protocol. Its methods are called on the loop, outside
// any task and one at a time, in this order: ConnectionMade once, DataReceived any number of times,
// EOFReceived at most once, ConnectionLost once. They must not block; to wait, they start a task
// with aio.Go, under the ctx of Serve or Connect, which newProtocol's closure has, or under Loop.Context. A panic of one goes to Hooks.Unhandled; DataReceived and EOFReceived lose their connection by it,
// as in asyncio.
//
// One that is [Buffered], or [FlowControlled], has more methods.
type Protocol interface {
	ConnectionMade(*Transport)

	// DataReceived gets what has come, in pieces as they came. They are valid during the call only.
	DataReceived([]byte)

	// EOFReceived is told that the other side will send no more. If it reports true, the transport stays
	// open for writing until it is closed.
	EOFReceived() (keepOpen bool)

	// ConnectionLost is told nil if the connection was closed or aborted by us, its server's ctx or its loop ended,
	// or the other side came to its end.
	ConnectionLost(error)
}

// Buffered protocols say where data is to be read to, and DataReceived is not called: asyncio's BufferedProtocol. It is
// called on the loop, as Protocol's methods are.
type Buffered interface {
	// GetBuffer is where to read to, at least a byte. hint is how much may come, or -1.
	GetBuffer(hint int) []byte

	// BufferUpdated is told how many bytes have come.
	BufferUpdated(n int)
}

// FlowControlled protocols are told when the write buffer passes its limits: asyncio's
// pause_writing and resume_writing. They are called on the loop, as Protocol's methods are.
type FlowControlled interface {
	PauseWriting()
	ResumeWriting()
}

// WriteLimits are bytes: when more than High wait to be written the protocol is told to pause, and to resume
// when no more than Low do. A High of zero is 64 KiB, or four times a Low that is not zero; a Low of zero is a
// quarter of High. With a High below zero it is told to pause whenever anything has to wait.
type WriteLimits struct{ Low, High int }

// ConnectProtocol connects as [Dial] does, though not for datagrams, and tells the protocol that newProtocol makes what happens: asyncio's
// create_connection. It suspends a task and blocks any other goroutine, until ConnectionMade has
// been called. newProtocol is called on the loop; if it panics, the connection is closed and the error wraps an
// *aio.PanicError; if it returns nil, the error says so.
//
// When ctx ends first its error is returned and the connection is closed; later ctx has no effect. Without a loop in ctx it is
// aio.ErrNoLoop, in a callback aio.ErrWouldDeadlock. Close or Abort ends the transport; so does the end of the
// loop.
func ConnectProtocol(ctx context.Context, network, address string, newProtocol func() Protocol) (*Transport, Protocol, error) {
	mustMake(newProtocol)
	l, ok := aio.LoopOf(ctx)
	if !ok {
		return nil, nil, aio.ErrNoLoop
	}
	if err := mayWait(); err != nil {
		return nil, nil, err
	}
	if ofDatagrams(network) {
		return nil, nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("%w: datagrams have no Protocol, use Dial", net.UnknownNetworkError(network))}
	}
	c, err := Dial(ctx, network, address)
	if err != nil {
		return nil, nil, err
	}
	made := aio.NewPromise[*Transport]()
	h := l.CallSoon(func() {
		_, err := attach(l, c.socket, newProtocol, func(t *Transport) { made.Resolve(t) }, nil)
		if err != nil {
			made.Reject(c.opError("dial", err))
		}
	})
	if err := h.Err(); err != nil {
		c.close()
		return nil, nil, c.opError("dial", err)
	}
	t, err := made.Await(ctx)
	if err != nil {
		made.OnDone(l.Context(), func(t *Transport, err error) {
			if err == nil {
				t.Abort()
			}
		})
		return nil, nil, err
	}
	return t, t.protocol, nil
}

// ServeProtocol has newProtocol make a protocol for each connection that l takes, and tells it what happens, until ctx ends, whose
// error it returns then, or l is closed: nil. When ctx ends the connections are aborted; in either case it
// then waits until all are lost. It suspends a task and blocks any other goroutine. asyncio's create_server and
// serve_forever.
//
// newProtocol is called on the loop; its panic goes to Hooks.Unhandled, and the connection is closed. Without a loop in ctx it is aio.ErrNoLoop, in
// a callback aio.ErrWouldDeadlock. For want of descriptors it waits, see [Listener.Accept], and goes on. The caller closes l.
func ServeProtocol(ctx context.Context, l *Listener, newProtocol func() Protocol) error {
	mustMake(newProtocol)
	loop, ok := aio.LoopOf(ctx)
	if !ok {
		return aio.ErrNoLoop
	}
	return serve(ctx, l, func(c *Conn, done func()) {
		h := loop.CallSoon(func() {
			t, err := attach(loop, c.socket, newProtocol, nil, done)
			if err != nil {
				done()
				var panicked *aio.PanicError
				if errors.As(err, &panicked) || errors.Is(err, errNoProtocol) {
					netpoll.Report(ctx, nil, err)
				}
				return
			}
			t.endWith(ctx)
		})
		if h.Err() != nil {
			c.close()
			done()
		}
	})
}

var errNoProtocol = errors.New("aio: newProtocol returned nil: it has to make a protocol for each connection")

func mustMake(newProtocol func() Protocol) {
	if newProtocol == nil {
		panic("aio: a transport needs a function that makes its protocol, got nil")
	}
}
