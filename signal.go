package aio

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
)

// signals are a loop's handlers of signals.
type signals struct {
	mu   sync.Mutex
	over bool // guarded by mu; the loop has closed
	of   map[os.Signal]*signalHandler
}

// signalHandler is what a loop does about one signal. os/signal hands it over, a goroutine passes it
// on.
type signalHandler struct {
	loop  *Loop
	what  os.Signal
	fn    atomic.Pointer[func()] // nil: removed
	comes chan os.Signal
	ended chan struct{} // closed when the goroutine has
}

// signalsHeld is how many of one signal may have come that the loop's inbox has not been told of yet.
// More are dropped, as by the system itself.
const signalsHeld = 16

// AddSignalHandler has fn called on the loop, as by CallSoon, each time that the signal s arrives:
// asyncio's add_signal_handler. It takes the place of the loop's handler before; the handlers of
// other loops, and what package signal does for others, stay. What a signal would do by itself, such
// as end the program, it then does not. From any goroutine, not only where Python's main thread
// would be; it does not suspend. Of a signal that comes in bursts some may be one, as always. The
// handler ends with the loop.
//
// A signal that can't be caught is an error that Is errors.ErrUnsupported (on Windows all are but
// os.Interrupt and SIGTERM), and so is every one in a testing/synctest bubble, whose channels nobody
// outside may use; on a closed loop it is ErrClosed. To end a program by Ctrl-C, give [Run] the
// context of signal.NotifyContext.
func (l *Loop) AddSignalHandler(s os.Signal, fn func()) error {
	mustCall(fn)
	if err := catchable(s); err != nil {
		return err
	}
	if inBubble() {
		return fmt.Errorf("aio: signal %v can't be handled in a testing/synctest bubble: it comes from outside: %w", s, errors.ErrUnsupported)
	}
	l.signals.mu.Lock()
	defer l.signals.mu.Unlock()
	if l.signals.over {
		return ErrClosed
	}
	if h := l.signals.of[s]; h != nil {
		h.fn.Store(&fn)
		return nil
	}
	h := &signalHandler{loop: l, what: s, comes: make(chan os.Signal, signalsHeld), ended: make(chan struct{})}
	h.fn.Store(&fn)
	if l.signals.of == nil {
		l.signals.of = make(map[os.Signal]*signalHandler)
	}
	l.signals.of[s] = h
	signal.Notify(h.comes, s)
	go h.pass()
	return nil
}

// RemoveSignalHandler undoes AddSignalHandler and reports whether there was a handler: asyncio's
// remove_signal_handler. It is not called any more, even if the signal has come. Unless others are
// notified of it, the signal again does what it does by itself. From any goroutine; it does not
// suspend.
func (l *Loop) RemoveSignalHandler(s os.Signal) bool {
	if catchable(s) != nil {
		return false
	}
	l.signals.mu.Lock()
	defer l.signals.mu.Unlock()
	h := l.signals.of[s]
	if h == nil {
		return false
	}
	delete(l.signals.of, s)
	h.stop()
	return true
}

// closeSignals ends the loop's handlers; part of wrapUp.
func (l *Loop) closeSignals() {
	l.signals.mu.Lock()
	defer l.signals.mu.Unlock()
	l.signals.over = true
	for _, h := range l.signals.of {
		h.stop()
	}
	l.signals.of = nil
}

// stop returns when h has ended.
func (h *signalHandler) stop() {
	h.fn.Store(nil)
	signal.Stop(h.comes) // when it returns nothing is sent any more
	close(h.comes)
	<-h.ended
}

// pass hands the signal to the loop.
func (h *signalHandler) pass() {
	defer close(h.ended)
	for range h.comes {
		h.loop.post(h)
	}
}

// run implements runnable.
func (h *signalHandler) run() {
	if fn := h.fn.Load(); fn != nil {
		h.loop.protect(*fn)
	}
}
