package aionet

import (
	"context"
	"errors"
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
	buffered Buffered       // nil: it is not
	flow     FlowControlled // likewise
	onLost   func()         // nil: nobody waits for the end
	release  func() bool    // loop only; from the end of the loop, and of the server's ctx

	// Loop only.
	buf     []byte // what is still to be written
	written int    // of buf
	low     int
	high    int
	state   transportState
	paused  bool // reading
	reads   bool // read is called when there is something to read
	queued  bool // readReady is in the ready queue
	held    bool // the protocol was told to pause
	eof     bool // no more will be written
	ended   bool // no more will be read: the protocol was told so, and keeps the transport open
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
// a turn each.
func attach(l *aio.Loop, s *socket, newProtocol func() Protocol, made func(*Transport), lost func()) (*Transport, error) {
	w, err := s.register(l.Context())
	if err != nil {
		s.close()
		return nil, err
	}
	t := &Transport{socket: s, loop: l, watch: w, protocol: newProtocol(), onLost: lost}
	t.buffered, _ = t.protocol.(Buffered)
	t.flow, _ = t.protocol.(FlowControlled)
	t.setLimits(WriteLimits{})
	t.endWith(l.Context())
	l.CallSoon(func() { t.protocol.ConnectionMade(t) })
	l.CallSoon(t.beginReading)
	if made != nil {
		l.CallSoon(func() { made(t) })
	}
	return t, nil
}

// endWith aborts t when ctx ends. On the loop.
func (t *Transport) endWith(ctx context.Context) {
	if t.release != nil {
		t.release()
	}
	if c, ok := ctx.(interface{ AfterFunc(func()) func() bool }); ok { // one of aio's: in the very step that ends it
		t.release = c.AfterFunc(t.Abort)
		return
	}
	t.release = context.AfterFunc(ctx, t.Abort)
}

// here does fn on the loop.
func (t *Transport) here(fn func()) {
	if t.watch.OnLoop() {
		fn()
		return
	}
	t.loop.CallSoon(fn)
}

// Write writes p, at once or, what the system does not take, as soon as it does: it never blocks.
// How much waits is the protocol's business, see [FlowControlled]. p is the caller's again when Write
// returns. After WriteEOF it panics. As in asyncio, what is written after Close follows what still waits; if nothing
// does, or the connection is lost, p is dropped.
func (t *Transport) Write(p []byte) {
	if t.watch.OnLoop() {
		t.write(p)
		return
	}
	p = append([]byte(nil), p...)
	t.loop.CallSoon(func() { t.write(p) })
}

func (t *Transport) write(p []byte) {
	if t.eof {
		panic("aio: Write after WriteEOF")
	}
	if len(p) == 0 || t.state == isLost {
		return
	}
	if len(t.buf) == 0 {
		n, err := t.send(p)
		if err != nil {
			t.fatal(err)
			return
		}
		if p = p[n:]; len(p) == 0 {
			return
		}
		t.watch.OnReady(writing, t.writeReady)
	}
	t.buf = append(t.buf, p...)
	t.maybePause()
}

// send writes what the system takes of p.
func (t *Transport) send(p []byte) (n int, err error) {
	for n < len(p) {
		m, again, err := t.socket.tryWrite(p[n:])
		if again || err != nil {
			return n, err
		}
		n += m
	}
	return n, nil
}

// waiting is how many bytes are to be written.
func (t *Transport) waiting() int { return len(t.buf) - t.written }

func (t *Transport) writeReady() {
	if t.state == isLost || len(t.buf) == 0 {
		return
	}
	n, err := t.send(t.buf[t.written:])
	if err != nil {
		t.fatal(err)
		return
	}
	if t.written += n; t.written == len(t.buf) {
		t.buf, t.written = nil, 0
		t.watch.OnReady(writing, nil)
	} else if t.written > len(t.buf)/2 {
		t.buf = append([]byte(nil), t.buf[t.written:]...)
		t.written = 0
	}
	t.maybeResume()
	if len(t.buf) > 0 || t.state == isLost {
		return
	}
	switch {
	case t.state == isClosing:
		t.state = isLost
		t.lost(nil) // in this very step, as in asyncio
	case t.eof:
		_ = t.socket.closeWrite()
	}
}

// WriteEOF tells the other side, once all is written, that no more will come. Reading goes on.
func (t *Transport) WriteEOF() {
	t.here(func() {
		if t.state != isOpen || t.eof {
			return
		}
		t.eof = true
		if len(t.buf) == 0 {
			_ = t.socket.closeWrite()
		}
	})
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
	if len(t.buf) == 0 {
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
	t.buf, t.written = nil, 0
	t.watch.OnReady(writing, nil)
	t.loop.CallSoon(func() { t.lost(err) })
}

// lost tells the protocol, whatever becomes of that.
func (t *Transport) lost(err error) {
	defer func() {
		if t.release != nil {
			t.release()
		}
		t.socket.close()
		if t.onLost != nil {
			t.onLost()
		}
	}()
	t.protocol.ConnectionLost(err)
}

// fatal loses the connection by an error of the system's.
func (t *Transport) fatal(err error) {
	t.lose(&net.OpError{Op: "transport", Net: t.socket.network, Source: t.socket.local, Addr: t.socket.remote, Err: err})
}

// fail loses the connection by what the protocol did.
func (t *Transport) fail(err error) {
	netpoll.Report(t.loop.Context(), nil, err)
	t.lose(err)
}

// PauseReading has DataReceived not be called until ResumeReading: the other side is slowed down, once the system's
// buffers are full.
func (t *Transport) PauseReading() {
	t.here(func() {
		if t.state == isOpen && !t.paused {
			t.paused = true
			t.stopReading()
		}
	})
}

// ResumeReading undoes PauseReading.
func (t *Transport) ResumeReading() {
	t.here(func() {
		if t.state == isOpen && t.paused {
			t.paused = false
			t.beginReading()
		}
	})
}

func (t *Transport) beginReading() {
	if t.state != isOpen || t.paused || t.reads || t.ended {
		return
	}
	t.reads = true
	t.watch.OnReady(reading, func() {
		if !t.queued && t.watch.Ready(reading) { // and has not been read since it was told of
			t.readReady(true)
		}
	})
	t.watch.Again() // what has come before
}

func (t *Transport) stopReading() {
	if t.reads {
		t.reads = false
		t.watch.OnReady(reading, nil)
	}
}

// readSoon has another piece read in the next iteration.
func (t *Transport) readSoon() {
	if !t.queued {
		t.queued = true
		t.loop.CallSoon(func() {
			t.queued = false
			t.readReady(false)
		})
	}
}

// readReady reads a piece: one in each iteration, so that no connection keeps others waiting. sure: there is something.
func (t *Transport) readReady(sure bool) {
	if !t.reads {
		return
	}
	var p []byte
	if t.buffered == nil {
		lent := copyBuffers.Get().(*[copyBytes]byte)
		defer copyBuffers.Put(lent)
		p = lent[:]
	} else if p = t.getBuffer(sure); p == nil {
		return
	}
	n, again, err := t.socket.tryRead(p)
	switch {
	case again:
		t.watch.Clear(reading)
		return
	case err != nil:
		t.fatal(err)
		return
	case n == 0:
		t.gotEOF()
		return
	}
	if n < len(p) {
		t.watch.Drained()
	}
	if n == len(p) || t.watch.Ready(reading) {
		t.readSoon()
	}
	if err := t.guarded(func() { t.give(p[:n]) }); err != nil {
		t.fail(err)
	}
}

// getBuffer is where to read to: nil if there is nothing to read, for which no buffer is asked for, or if the protocol
// failed.
func (t *Transport) getBuffer(sure bool) (p []byte) {
	if !sure {
		if again, err := t.socket.tryPeek(); again {
			t.watch.Clear(reading)
			return nil
		} else if err != nil {
			t.fatal(err)
			return nil
		}
	}
	err := t.guarded(func() { p = t.buffered.GetBuffer(-1) })
	if err == nil && len(p) == 0 {
		err = errors.New("aio: GetBuffer returned an empty buffer, in which nothing can be read; it must have room for a byte at least")
	}
	if err != nil {
		t.fail(err)
		return nil
	}
	return p
}

func (t *Transport) give(p []byte) {
	if t.buffered != nil {
		t.buffered.BufferUpdated(len(p))
		return
	}
	t.protocol.DataReceived(p)
}

func (t *Transport) gotEOF() {
	keep := false
	if err := t.guarded(func() { keep = t.protocol.EOFReceived() }); err != nil {
		t.fail(err)
		return
	}
	if keep {
		t.ended = true
		t.stopReading()
		return
	}
	t.close()
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
