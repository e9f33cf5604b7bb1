package aionet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// However fast the other side takes what is written, others have their turn after each piece of it.
func TestTransport_writesInPieces(t *testing.T) {
	const size, piece = 16 << 20, 1 << 20
	run(t, func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer listener.Close()
		took := aio.NewPromise[int64]()
		go func() {
			c, err := listener.Accept()
			if err != nil {
				took.Reject(err)
				return
			}
			defer c.Close()
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, c, make([]byte, 1<<20))
			if err != nil {
				took.Reject(err)
				return
			}
			took.Resolve(n)
		}()
		p := newRecorder()
		tr, _, err := aionet.ConnectProtocol(ctx, "tcp", listener.Addr().String(), func() aionet.Protocol { return p })
		if err != nil {
			return err
		}
		last, most := size, 0
		look := func() {
			most = max(most, last-tr.Waiting())
			last = tr.Waiting()
		}
		tr.Write(make([]byte, size))
		tr.Close()
		look()
		var h aio.Handle
		var tick func()
		tick = func() { look(); h = l.CallSoon(tick) }
		h = l.CallSoon(tick)
		defer func() { h.Cancel() }()
		if n, err := took.Await(ctx); n != size || err != nil {
			t.Errorf("the other side got %d bytes of %d: %v", n, size, err)
		}
		if most > piece {
			t.Errorf("%d bytes were written in one iteration, want at most %d", most, piece)
		}
		return nil
	})
}

// Much that is written in small pieces comes in order, whatever the system takes at a time.
func TestTransport_writesManyPieces(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer syscall.Close(ends[1])
		tr, err := aionet.Attach(l, ends[0], newRecorder(), nil)
		if err != nil {
			return err
		}
		var sent, got strings.Builder
		for i := range 3000 {
			p := strings.Repeat(string(rune('a'+i%26)), 1+i*i%997)
			if i%500 == 0 {
				p = strings.Repeat("big", 1<<17)
			}
			sent.WriteString(p)
			tr.Write([]byte(p))
		}
		if want := sent.Len() - tr.Waiting(); want <= 0 || tr.Waiting() == 0 {
			t.Errorf("the system took %d bytes at once: that tries nothing", want)
		}
		for p := make([]byte, 70_001); got.Len() < sent.Len(); {
			waits := tr.Waiting()
			n, err := syscall.Read(ends[1], p)
			if err == nil {
				got.Write(p[:n])
			} else if !errors.Is(err, syscall.EAGAIN) {
				return err
			} else if waits == 0 {
				break
			}
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		if got.String() != sent.String() {
			t.Errorf("got %d bytes of %d, or others", got.Len(), sent.Len())
		}
		tr.Abort()
		return nil
	})
}
