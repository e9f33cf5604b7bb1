//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// socket is a descriptor in non-blocking mode, and all that is known of it. It closes the descriptor.
//
// A task calls the system itself, and waits on its loop. Any other goroutine does so too, but waits
// in the poller of Go's runtime, to which the descriptor is handed over when that happens for the
// first time (see blocked); until then that knows nothing of it, for it would look at each packet
// as well. Both go on side by side.
type socket struct {
	// word is the number of calls to the system that are going on, twice, and 1 if the socket was
	// closed. Whoever finds it closed and is the last one closes the descriptor.
	word      atomic.Int64
	destroyed atomic.Bool

	fd      int    // immutable, as these
	network string // as in net.OpError
	stream  bool   // no datagrams: a read that gets less than it asked for has got all, and one of nothing is the end
	six     bool   // its family is IPv6's
	local   net.Addr
	remote  net.Addr

	until  [2]atomic.Int64            // deadlines, in nanoseconds since began; 0: none
	first  atomic.Pointer[registered] // with the loop that used it first
	writes aio.Mutex                  // of whole Writes

	mu      sync.Mutex
	others  []netpoll.Watch // guarded by mu, as these: with further loops
	blocked *blocked        // nil: no goroutine has waited yet
}

// registered is a registration with a loop.
type registered struct{ netpoll.Watch }

const (
	reading = netpoll.In
	writing = netpoll.Out
)

// began is the zero of deadlines.
var began = time.Now()

func newSocket(fd int, network string) *socket {
	return &socket{fd: fd, network: network, stream: !ofDatagrams(network)}
}

// hold keeps the descriptor open until drop; it reports false if the socket was closed.
func (s *socket) hold() bool {
	if s.word.Add(2)&1 == 0 {
		return true
	}
	s.drop()
	return false
}

func (s *socket) drop() {
	if s.word.Add(-2) == 1 {
		s.destroy()
	}
}

func (s *socket) isClosed() bool { return s.word.Load()&1 != 0 }

// close ends all that is going on; it reports false if the socket was closed before.
func (s *socket) close() bool {
	s.word.Add(2) // the registrations must end while the descriptor is open
	defer s.drop()
	if s.word.Or(1)&1 != 0 {
		return false
	}
	for _, w := range s.watches() {
		w.Close()
	}
	s.mu.Lock()
	b := s.blocked
	s.mu.Unlock()
	if b != nil {
		_ = b.file.SetDeadline(longAgo) // who waits there comes back, and sees why
	}
	return true
}

// destroy closes the descriptor.
func (s *socket) destroy() {
	if s.destroyed.Swap(true) {
		return
	}
	s.mu.Lock()
	b := s.blocked
	s.mu.Unlock()
	if b != nil {
		_ = b.file.Close()
		return
	}
	_ = syscall.Close(s.fd)
}

func (s *socket) watches() []netpoll.Watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]netpoll.Watch(nil), s.others...)
	if w := s.first.Load(); w != nil {
		all = append(all, w.Watch)
	}
	return all
}

// watch is the registration with t's loop, made if there is none.
func (s *socket) watch(t netpoll.Task) (netpoll.Watch, error) {
	if !s.hold() {
		return nil, net.ErrClosed
	}
	defer s.drop()
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.first.Load()
	if first != nil && first.Of(t) && !first.Over() {
		return first.Watch, nil
	}
	kept := s.others[:0]
	for _, w := range s.others {
		if w.Of(t) {
			return w, nil
		}
		if !w.Over() {
			kept = append(kept, w)
		}
	}
	s.others = kept
	w, err := t.Watch(s.fd)
	if err != nil {
		return nil, err
	}
	if first == nil || first.Over() {
		s.first.Store(&registered{w})
	} else {
		s.others = append(s.others, w)
	}
	if s.isClosed() { // meanwhile: close may not have seen it
		w.Close()
		return nil, net.ErrClosed
	}
	return w, nil
}

// caller is who calls.
type caller struct {
	ctx    context.Context // nil: none
	watch  netpoll.Watch   // nil: no task
	onLoop bool            // though no task: it must not wait
}

// caller finds out who calls, and fails if the context has ended.
func (s *socket) caller(ctx context.Context, c *caller) error {
	first := s.first.Load()
	if first == nil {
		return s.otherCaller(ctx, c)
	}
	own := first.Here()
	if own == nil {
		return s.otherCaller(ctx, c)
	}
	if ctx == nil {
		ctx = own
	}
	c.ctx, c.watch = ctx, first.Watch
	return netpoll.Ended(ctx)
}

// otherCaller is caller for whoever is no task of the loop that used the socket first.
func (s *socket) otherCaller(ctx context.Context, c *caller) (err error) {
	var t netpoll.Task
	if t, c.onLoop = netpoll.Running(); t != nil {
		if c.watch, err = s.watch(t); err != nil {
			return err
		}
		if ctx == nil {
			ctx = t.Own()
		}
	}
	if c.ctx = ctx; ctx == nil {
		return nil
	}
	return netpoll.Ended(ctx)
}

// do does o, waiting until that is possible.
func (s *socket) do(ctx context.Context, side int, o *operation) error {
	var c caller
	if err := s.caller(ctx, &c); err != nil {
		return err
	}
	if o.kind == opCall && c.watch != nil {
		c.watch.Suspect(side) // it may be a look at the socket that does not wait
	}
	for {
		if err := s.mayGoOn(side); err != nil {
			return err
		}
		if c.watch == nil || c.watch.Ready(side) {
			if !s.hold() {
				return net.ErrClosed
			}
			errno := o.try(s.fd)
			s.drop()
			switch {
			case errno == 0 && o.over:
				if o.short && c.watch != nil && s.stream {
					c.watch.Drained()
				}
				return nil
			case errno == 0 || errno == syscall.EINTR:
				continue
			case errno != syscall.EAGAIN:
				return os.NewSyscallError(o.name(), errno)
			}
		}
		if c.watch == nil {
			return s.doBlocking(c, side, o)
		}
		if o.tried { // else it was only known that it is of no use
			c.watch.Clear(side)
			o.tried = false
		}
		if err := s.wait(c, side); err != nil {
			return err
		}
	}
}

// wait suspends the calling task until side may be ready.
func (s *socket) wait(c caller, side int) error {
	until := s.until[side].Load()
	var within time.Duration
	if until != 0 {
		within = max(time.Duration(until)-time.Since(began), 1)
	}
	err := c.watch.Wait(c.ctx, side, within)
	switch {
	case s.isClosed():
		return net.ErrClosed
	case err == netpoll.ErrTimeout && s.until[side].Load() == until:
		return os.ErrDeadlineExceeded
	case err == netpoll.ErrTimeout:
		return nil
	}
	return err
}

// mayGoOn fails if the socket was closed, or its time is over.
func (s *socket) mayGoOn(side int) error {
	if s.isClosed() {
		return net.ErrClosed
	}
	if until := s.until[side].Load(); until != 0 && time.Duration(until) <= time.Since(began) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// setDeadline sets until when side may wait, for those who wait already as well.
func (s *socket) setDeadline(side int, t time.Time) error {
	if !s.hold() {
		return net.ErrClosed
	}
	defer s.drop()
	var until int64
	if !t.IsZero() {
		if until = int64(t.Sub(began)); until == 0 {
			until = 1
		}
	}
	before := s.until[side].Swap(until)
	s.mu.Lock()
	if s.blocked != nil {
		s.blocked.apply(s, side)
	}
	s.mu.Unlock()
	if until != 0 && (before == 0 || until < before) { // who waits for longer looks again by himself
		for _, w := range s.watches() {
			w.Wake(side)
		}
	}
	return nil
}

// read is Read without its errors' form.
func (s *socket) read(ctx context.Context, p []byte) (int, error) {
	o := operation{kind: opRead, p: p, over: true}
	if err := s.do(ctx, reading, &o); err != nil {
		return 0, err
	}
	if o.n == 0 && len(p) > 0 && s.stream {
		return 0, io.EOF
	}
	return o.n, nil
}

// readBorrowed is read into a buffer that is taken when there is something to read; the caller gives
// it back to copyBuffers.
func (s *socket) readBorrowed(ctx context.Context) (*[copyBytes]byte, int, error) {
	o := operation{kind: opBorrow}
	err := s.do(ctx, reading, &o)
	if err == nil && o.n == 0 {
		err = io.EOF
	}
	return o.lent, o.n, err
}

// write is Write without its errors' form.
func (s *socket) write(ctx context.Context, p []byte) (int, error) {
	unlock, err := s.lockWrites(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock.Unlock()
	if !s.stream {
		if err := s.send(ctx, operation{kind: opSend, p: p}); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	o := operation{kind: opWrite, p: p}
	err = s.do(ctx, writing, &o)
	return o.n, err
}

// writeBuffers is write of several buffers, out of which what was written is taken.
func (s *socket) writeBuffers(ctx context.Context, v *net.Buffers) (int, error) {
	unlock, err := s.lockWrites(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock.Unlock()
	o := operation{kind: opWritev, vec: v}
	err = s.do(ctx, writing, &o)
	return o.n, err
}

// lockWrites keeps two Writes apart: each may take several calls.
func (s *socket) lockWrites(ctx context.Context) (*aio.Mutex, error) {
	if s.writes.TryLock() {
		return &s.writes, nil
	}
	if ctx == nil {
		if t, _ := netpoll.Running(); t != nil {
			ctx = t.Own()
		} else {
			ctx = context.Background()
		}
	}
	return &s.writes, s.writes.Lock(ctx)
}

func (s *socket) shutdown(how int) error {
	if !s.hold() {
		return net.ErrClosed
	}
	defer s.drop()
	if !s.stream {
		return errNoEnd
	}
	return os.NewSyscallError("shutdown", syscall.Shutdown(s.fd, how))
}

func (s *socket) closeRead() error  { return s.shutdown(syscall.SHUT_RD) }
func (s *socket) closeWrite() error { return s.shutdown(syscall.SHUT_WR) }

// control calls f with the descriptor.
func (s *socket) control(f func(fd uintptr)) error {
	if !s.hold() {
		return net.ErrClosed
	}
	defer s.drop()
	f(uintptr(s.fd))
	return nil
}

// poll calls f, and again each time that side may be ready, until it reports true.
func (s *socket) poll(ctx context.Context, side int, f func(fd uintptr) bool) error {
	o := operation{kind: opCall, call: f}
	return s.do(ctx, side, &o)
}

// register is the registration with ctx's loop, for a transport, whose socket nobody else uses.
func (s *socket) register(ctx context.Context) (netpoll.Watch, error) {
	if !s.hold() {
		return nil, net.ErrClosed
	}
	defer s.drop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := aio.LoopOf(ctx); ok {
		if first := s.first.Load(); first != nil && first.On(l) {
			return first.Watch, nil
		}
	}
	w, err := netpoll.WatchOn(ctx, s.fd)
	if err == nil {
		s.others = append(s.others, w)
	}
	return w, err
}

// tryRead reads what there is; again: there is nothing.
func (s *socket) tryRead(p []byte) (n int, again bool, err error) {
	return s.attempt(&operation{kind: opRead, p: p})
}

// tryWrite writes what there is room for; again: there is none.
func (s *socket) tryWrite(p []byte) (n int, again bool, err error) {
	return s.attempt(&operation{kind: opWrite, p: p})
}

func (s *socket) attempt(o *operation) (n int, again bool, err error) {
	if !s.hold() {
		return 0, false, net.ErrClosed
	}
	defer s.drop()
	for {
		switch errno := o.try(s.fd); errno {
		case 0:
			return o.n, false, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return o.n, true, nil
		default:
			return o.n, false, os.NewSyscallError(o.name(), errno)
		}
	}
}
