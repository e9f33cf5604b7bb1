package aionet

import (
	"context"
	"net"
	"runtime/debug"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// Transport is a connection seen by a [Protocol]: asyncio's Transport. Its methods may be called from
// any goroutine and do not suspend; what they do is done on the loop, at once if they are called there. Get
// one by [ConnectProtocol] or [ServeProtocol].
type Transport struct {
	socket   *socket // immutable, as these
	loop     *aio.Loop
	watch    netpoll.Watch
	protocol Protocol
	onLost   func()         // nil: nobody waits for the end
	release  [2]func() bool // loop only; from the end of the loop, and of the server's ctx

	// Loop only.
	rest   [][]byte     // what is still to be written
	size   int          // of rest
	limits *WriteLimits // nil: the usual ones
	state  transportState
	paused bool // reading
	reads  bool // read is called when there is something to read
	queued bool // readReady is in the ready queue
	held   bool // the protocol was told to pause
	eof    bool // no more will be written
	ended  bool // no more will be read: the protocol was told so

	buffered bool // immutable, as this: the protocol is Buffered
	flow     bool // it is FlowControlled
}

// transportState is open, then closing while the rest is written, then lost: ConnectionLost is called
// in the next iteration, or has been.
type transportState uint8

const (
	isOpen transportState = iota
	isClosing
	isLost
)

// attach makes a transport, on the loop. As in asyncio ConnectionMade, the begin of reading and made have
// a turn each. If that fails the socket is closed.
func attach(l *aio.Loop, s *socket, newProtocol func() Protocol, made func(*Transport), lost func()) (*Transport, error) {
	w, err := s.register(l.Context())
	if err != nil {
		s.close()
		return nil, err
	}
	t := &Transport{socket: s, loop: l, watch: w, onLost: lost}
	err = t.guarded(func() { t.protocol = newProtocol() })
	if err == nil && t.protocol == nil {
		err = errNoProtocol
	}
	if err != nil {
		s.close()
		return nil, err
	}
	_, t.buffered = t.protocol.(Buffered)
	_, t.flow = t.protocol.(FlowControlled)
	t.endWith(l.Context())
	l.CallSoon(func() { t.protocol.ConnectionMade(t) })
	l.CallSoon(t.beginReading)
	if made != nil {
		l.CallSoon(func() { made(t) })
	}
	return t, nil
}

// endWith aborts t when ctx ends as well. On the loop.
func (t *Transport) endWith(ctx context.Context) {
	release := &t.release[0]
	if *release != nil {
		release = &t.release[1]
	}
	if c, ok := ctx.(interface{ AfterFunc(func()) func() bool }); ok { // one of aio's: in the very step that ends it
		*release = c.AfterFunc(t.Abort)
		return
	}
	*release = context.AfterFunc(ctx, t.Abort)
}

// here does fn on the loop.
func (t *Transport) here(fn func()) {
	if t.watch.OnLoop() {
		fn()
		return
	}
	t.loop.CallSoon(fn)
}

// Close ends reading at once, and the connection once all is written; ConnectionLost(nil) is called
// then, outside of Close.
func (t *Transport) Close() { t.here(t.close) }

func (t *Transport) close() {
	if t.state != isOpen {
		return
	}
	t.state = isClosing
	t.stopReading()
	if t.size == 0 {
		t.lose(nil)
	}
}

// Abort ends the connection now: what has not been written is dropped. ConnectionLost(nil) is called in
// the next iteration.
func (t *Transport) Abort() { t.here(func() { t.lose(nil) }) }

// lose ends the connection, and has the protocol told so in the next iteration.
func (t *Transport) lose(err error) {
	if t.state == isLost {
		return
	}
	t.state = isLost
	t.stopReading()
	t.rest, t.size = nil, 0
	t.watch.OnReady(writing, nil)
	if h := t.loop.CallSoon(func() { t.lost(err) }); h.Err() != nil {
		t.letGo()
	}
}

// lost tells the protocol, whatever becomes of that.
func (t *Transport) lost(err error) {
	defer t.letGo()
	t.protocol.ConnectionLost(err)
}

// letGo gives back what the connection has.
func (t *Transport) letGo() {
	for _, release := range t.release {
		if release != nil {
			release()
		}
	}
	t.socket.close()
	if t.onLost != nil {
		t.onLost()
	}
}

// fatal loses the connection by an error of the system's.
func (t *Transport) fatal(err error) {
	t.lose(&net.OpError{Op: "transport", Net: t.socket.network(), Source: t.socket.local, Addr: t.socket.remote, Err: err})
}

// fail loses the connection by what the protocol did.
func (t *Transport) fail(err error) {
	netpoll.Report(t.loop.Context(), nil, err)
	t.lose(err)
}

// guarded calls one of the protocol's methods, whose panic is an error.
func (t *Transport) guarded(fn func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &aio.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	fn()
	return nil
}

// LocalAddr is our end's address.
func (t *Transport) LocalAddr() net.Addr { return t.socket.local }

// RemoteAddr is the other end's address.
func (t *Transport) RemoteAddr() net.Addr { return t.socket.remote }
