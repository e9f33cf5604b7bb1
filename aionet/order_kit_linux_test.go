package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// script is a program of testdata/order at work, as in the tests of package aio: testdata/order/real.py. Only its loop
// touches it.
type script struct {
	t     *testing.T
	ctx   context.Context
	loop  *aio.Loop
	turns int
	out   strings.Builder
}

func runScript(t *testing.T, program func(*script) error) string {
	s := &script{t: t}
	hooks := aio.Hooks{Unhandled: func(f aio.Failure) { s.log("unhandled %s", pythonName(f.Err)) }}
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		s.ctx = ctx
		s.loop, _ = aio.LoopOf(ctx)
		var h aio.Handle
		var tick func()
		tick = func() { s.turns++; h = s.loop.CallSoon(tick) }
		h = s.loop.CallSoon(tick)
		defer func() { h.Cancel() }()
		if err := program(s); err != nil {
			return err
		}
		s.log("end")
		return nil
	}), aio.WithHooks(hooks))
	if err != nil {
		t.Error(err)
	}
	return s.out.String()
}

func (s *script) log(format string, args ...any) {
	fmt.Fprintf(&s.out, "%d %s\n", s.turns, fmt.Sprintf(format, args...))
}

func (s *script) turn(n int) {
	for range n {
		if err := aio.Yield(s.ctx); err != nil {
			s.t.Error(err)
		}
	}
}

// errBoom is real.py's Boom.
var errBoom = errors.New("boom")

func boom(*told) bool { panic(errBoom) }

// pythonName is the type of the exception that asyncio has for an error.
func pythonName(err error) string {
	var p *aio.PanicError
	switch {
	case err == nil:
		return "NoneType"
	case errors.As(err, &p) && p.Value == any(errBoom):
		return "Boom"
	case errors.Is(err, syscall.EPIPE):
		return "BrokenPipeError"
	case errors.Is(err, syscall.ECONNRESET):
		return "ConnectionResetError"
	case strings.Contains(err.Error(), "empty buffer"):
		return "RuntimeError"
	}
	return err.Error()
}

// does is what a protocol does, having told of an event. What it reports is EOFReceived's answer.
type does map[string]func(*told) bool

// told is a protocol that logs what it is told, and then does what it has in does.
type told struct {
	s    *script
	name string
	does does
	*aionet.Transport
}

func (p *told) tell(event, what string) bool {
	p.s.log("%s %s%s", p.name, event, what)
	if do := p.does[event]; do != nil {
		return do(p)
	}
	return false
}

func (p *told) ConnectionMade(t *aionet.Transport) { p.Transport = t; p.tell("made", "") }
func (p *told) DataReceived(b []byte)              { p.tell("data", fmt.Sprintf(" '%s'", b)) }
func (p *told) EOFReceived() bool                  { return p.tell("eof", "") }
func (p *told) ConnectionLost(err error)           { p.tell("lost", " "+pythonName(err)) }
func (p *told) PauseWriting()                      { p.tell("pause", "") }
func (p *told) ResumeWriting()                     { p.tell("resume", "") }

// write is Write, of text.
func (p *told) write(text string) { p.Write([]byte(text)) }

// limits is asyncio's set_write_buffer_limits.
func (p *told) limits(high, low int) {
	if high == 0 {
		high = -1
	}
	p.SetWriteLimits(aionet.WriteLimits{High: high, Low: low})
}

// size logs how much waits.
func (p *told) size() { p.s.log("%s has %d to write", p.name, p.Waiting()) }

// toldBuffered is one that reads to memory of its own.
type toldBuffered struct {
	*told
	memory []byte
}

func (p *toldBuffered) GetBuffer(hint int) []byte {
	p.tell("buffer", fmt.Sprint(" ", hint))
	return p.memory
}
func (p *toldBuffered) BufferUpdated(n int) { p.tell("updated", fmt.Sprintf(" '%s'", p.memory[:n])) }

// peer is the other end, a bare socket.
type peer struct {
	s    *script
	fd   int
	full int // how many bytes the transport's socket was filled with
}

func (p *peer) puts(text string) {
	if n, err := syscall.Write(p.fd, []byte(text)); n != len(text) || err != nil {
		p.s.t.Errorf("the peer wrote %d bytes of %d: %v", n, len(text), err)
	}
}

func (p *peer) gets() {
	buf := make([]byte, 1<<16)
	n, err := syscall.Read(p.fd, buf)
	switch {
	case err == nil:
		p.s.log("peer reads '%s'", buf[:n])
	case err == syscall.EAGAIN:
		p.s.log("peer reads nothing")
	default:
		p.s.t.Errorf("the peer reads: %v", err)
	}
}

func (p *peer) shut() {
	if err := syscall.Shutdown(p.fd, syscall.SHUT_WR); err != nil {
		p.s.t.Errorf("shutdown: %v", err)
	}
}

func (p *peer) close() {
	_ = syscall.Close(p.fd)
	p.fd = -1
}

// drain has room made in a transport's socket that was full.
func (p *peer) drain() {
	for buf := make([]byte, p.full); p.full > 0; {
		n, err := syscall.Read(p.fd, buf[:p.full])
		if err != nil {
			p.s.t.Errorf("the peer drains: %v", err)
			return
		}
		p.full -= n
	}
}

// with is how a connection begins.
type with struct {
	full  bool   // the system takes no more of what is written, before the peer drains it
	early string // what the peer has put before
}

// connect has a transport made for a protocol, and its peer.
func (s *script) connect(name string, do does) (*told, *peer) {
	return s.connectIn(s.ctx, name, do, with{})
}

// connectFull is connect, where the system takes no more of what is written.
func (s *script) connectFull(name string, do does) (*told, *peer) {
	return s.connectIn(s.ctx, name, do, with{full: true})
}

func (s *script) connectIn(ctx context.Context, name string, do does, w with) (*told, *peer) {
	p := &told{s: s, name: name, does: do}
	return p, s.attach(ctx, p, p, w)
}

// connectBuffered is connect, for one that reads to memory of that size.
func (s *script) connectBuffered(name string, size int, do does, early string) (*told, *peer) {
	p := &told{s: s, name: name, does: do}
	return p, s.attach(s.ctx, &toldBuffered{p, make([]byte, size)}, p, with{early: early})
}

func (s *script) attach(ctx context.Context, protocol aionet.Protocol, p *told, w with) *peer {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	end := &peer{s: s, fd: ends[1]}
	s.t.Cleanup(func() {
		if end.fd >= 0 {
			end.close()
		}
	})
	end.puts(w.early)
	for block := []byte(strings.Repeat(".", 4096)); w.full; {
		n, err := syscall.Write(ends[0], block)
		if err != nil {
			break
		}
		end.full += n
	}
	made := aio.NewPromise[*aionet.Transport]()
	if p.Transport, err = aionet.Attach(s.loop, ends[0], protocol, func(t *aionet.Transport) { made.Resolve(t) }); err != nil {
		s.t.Fatal(err)
	}
	if _, err := made.Await(ctx); err != nil {
		s.t.Error(err)
	}
	s.log("%s connected", p.name)
	return end
}
