//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"context"
	"net"
	"slices"
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

	fd     int32       // immutable, as these
	kind   networkKind // of its addresses
	stream bool        // no datagrams: a read of nothing is the end
	six    bool        // its family is IPv6's
	lent   atomic.Bool // mutable: the descriptor was given to others, who may have done anything with it
	local  net.Addr
	remote net.Addr

	until  [2]atomic.Int64            // deadlines, in nanoseconds since began; 0: none
	first  atomic.Pointer[registered] // with the loop that used it first
	writes aio.Mutex                  // of whole Writes

	mu   sync.Mutex
	rare *rare // guarded by mu; nil: nothing of it
}

// rare is what most sockets never have. It is guarded by the socket's mu.
type rare struct {
	others  []netpoll.Watch // with further loops
	blocked *blocked        // nil: no goroutine has waited yet
	estate  *estate         // nil: it is closed for certain
}

// networkKind is a network, as in net.OpError.
type networkKind uint8

var networks = [...]string{"tcp", "udp", "unix", "unixgram"}

// network is as in net.OpError.
func (s *socket) network() string { return networks[s.kind] }

// extra makes what is rare. Called with mu held.
func (s *socket) extra() *rare {
	if s.rare == nil {
		s.rare = new(rare)
	}
	return s.rare
}

// handedOver is the part for goroutines, nil if none has waited yet. Called with mu held.
func (s *socket) handedOver() *blocked {
	if s.rare == nil {
		return nil
	}
	return s.rare.blocked
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
	kind := slices.Index(networks[:], network)
	return &socket{fd: int32(fd), kind: networkKind(kind), stream: !ofDatagrams(network)}
}

// endsShort reports whether a read that got less than it asked for has got all there is, but for what the watch knows of:
// then the read after it is not tried in vain. So it is with tcp. A read of a unix socket also ends at what came with
// descriptors, with other credentials, or as urgent data. Who was lent the descriptor may have read urgent data, which is no
// more told of but still ends reads, or have had the system do TLS, whose reads end with records.
func (s *socket) endsShort() bool { return networks[s.kind] == "tcp" && !s.lent.Load() }

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
	defer s.mu.Unlock()
	if b := s.handedOver(); b != nil { // who waits there comes back, and sees why
		b.apply(s, reading)
		b.apply(s, writing)
		b.calm.Broadcast()
	}
	return true
}

// destroy closes the descriptor.
func (s *socket) destroy() {
	if s.destroyed.Swap(true) {
		return
	}
	s.mu.Lock()
	b := s.handedOver()
	if s.rare != nil && s.rare.estate != nil {
		s.rare.estate.forget.Stop()
	}
	s.mu.Unlock()
	if b != nil {
		_ = b.file.Close()
		return
	}
	_ = syscall.Close(int(s.fd))
}

func (s *socket) watches() []netpoll.Watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []netpoll.Watch
	if s.rare != nil {
		all = append(all, s.rare.others...)
	}
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
	if s.rare != nil {
		s.rare.others = slices.DeleteFunc(s.rare.others, func(w netpoll.Watch) bool { return w.Over() })
		for _, w := range s.rare.others {
			if w.Of(t) {
				return w, nil
			}
		}
	}
	w, err := t.Watch(int(s.fd))
	if err != nil {
		return nil, err
	}
	s.keep(w)
	if s.isClosed() { // meanwhile: close may not have seen it
		w.Close()
		return nil, net.ErrClosed
	}
	return w, nil
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
	w, err := netpoll.WatchOn(ctx, int(s.fd))
	if err == nil {
		s.keep(w)
	}
	return w, err
}

// keep notes a registration. Called with mu held.
func (s *socket) keep(w netpoll.Watch) {
	if s.rare != nil {
		s.rare.estate.inherit(w, nil)
	}
	if first := s.first.Load(); first == nil || first.Over() {
		s.first.Store(&registered{w})
	} else {
		more := s.extra()
		more.others = append(more.others, w)
	}
}
