//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// recorder notes what it is told. It is for one loop.
type recorder struct {
	transport *aionet.Transport
	events    []string
	got       bytes.Buffer
	keepOpen  bool
	onData    func(p []byte)
	lost      *aio.Promise[error]
}

func newRecorder() *recorder { return &recorder{lost: aio.NewPromise[error]()} }

func (r *recorder) ConnectionMade(t *aionet.Transport) {
	r.transport = t
	r.events = append(r.events, "made")
}

func (r *recorder) DataReceived(p []byte) {
	if last := len(r.events) - 1; r.events[last] != "data" {
		r.events = append(r.events, "data")
	}
	r.got.Write(p)
	if r.onData != nil {
		r.onData(p)
	}
}

func (r *recorder) EOFReceived() bool {
	r.events = append(r.events, "eof")
	return r.keepOpen
}

func (r *recorder) ConnectionLost(err error) {
	r.events = append(r.events, "lost")
	r.lost.Resolve(err)
}

// protocols is a connection with a protocol at either end.
func protocols(ctx context.Context, t *testing.T, network, address string, client, server aionet.Protocol) *aionet.Transport {
	t.Helper()
	l, err := aionet.Listen(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	aio.Go(ctx, aio.Do(func(ctx context.Context) error {
		return aionet.ServeProtocol(ctx, l, func() aionet.Protocol { return server })
	}))
	tr, p, err := aionet.ConnectProtocol(ctx, network, l.Addr().String(), func() aionet.Protocol { return client })
	if err != nil {
		t.Fatal(err)
	}
	if p != client {
		t.Fatal("the protocol is another one")
	}
	return tr
}

// A connection's life is told in order: by its end, by Close and by Abort.
func TestTransport_life(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		run(t, func(ctx context.Context) error {
			client, server := newRecorder(), newRecorder()
			server.onData = func(p []byte) { server.transport.Write(p) }
			tr := protocols(ctx, t, network, address, client, server)
			if len(client.events) != 1 {
				t.Errorf("ConnectProtocol returned after %q", client.events)
			}
			sent := bytes.Repeat([]byte("0123456789"), 1<<17)
			tr.Write(sent)
			tr.WriteEOF()
			for _, r := range []*recorder{client, server} {
				if why, err := r.lost.Await(ctx); err != nil || why != nil {
					t.Errorf("lost: %v, %v", why, err)
				}
				if want := []string{"made", "data", "eof", "lost"}; !slices.Equal(r.events, want) {
					t.Errorf("told %q, want %q", r.events, want)
				}
				if !bytes.Equal(r.got.Bytes(), sent) {
					t.Errorf("got %d bytes of %d", r.got.Len(), len(sent))
				}
			}
			return nil
		})
	})
}

func TestTransport_closeAndAbort(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, how := range []string{"close", "abort"} {
			client, server := newRecorder(), newRecorder()
			tr := protocols(ctx, t, "tcp", "127.0.0.1:0", client, server)
			sent := make([]byte, 16<<20) // more than the system takes at once
			tr.Write(sent)
			if how == "close" {
				tr.Close()
			} else {
				tr.Abort()
			}
			if len(client.events) != 1 {
				t.Errorf("%s told of the end at once: %q", how, client.events)
			}
			tr.Write([]byte("rest"))
			if why, err := client.lost.Await(ctx); err != nil || why != nil {
				t.Errorf("lost: %v, %v", why, err)
			}
			if _, err := server.lost.Await(ctx); err != nil {
				return err
			}
			all := len(sent) + len("rest") // what is written after Close follows what waits
			if got := server.got.Len(); (got == all) != (how == "close") {
				t.Errorf("after %s the other side got %d bytes of %d", how, got, all)
			}
			if tr.Write([]byte("too late")); len(client.events) != 2 {
				t.Errorf("after the end the protocol is told %q", client.events)
			}
		}
		return nil
	})
}

// flow is a protocol that writes when it may.
type flow struct {
	*recorder
	paused int
}

func (f *flow) PauseWriting()  { f.paused++; f.events = append(f.events, "pause") }
func (f *flow) ResumeWriting() { f.paused--; f.events = append(f.events, "resume") }

// Limits that no amount could keep are refused; High below zero is a limit of none.
func TestTransport_badLimits(t *testing.T) {
	run(t, func(ctx context.Context) error {
		tr := protocols(ctx, t, "tcp", "127.0.0.1:0", newRecorder(), newRecorder())
		for _, w := range []aionet.WriteLimits{{Low: 2, High: 1}, {Low: 1, High: -1}} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%+v is taken", w)
					}
				}()
				tr.SetWriteLimits(w)
			}()
		}
		for _, w := range []aionet.WriteLimits{{}, {Low: 1}, {High: -1}, {Low: 1, High: 1}} {
			tr.SetWriteLimits(w) // would panic
		}
		tr.Abort()
		return nil
	})
}

// A protocol is told to pause above the limit, and to resume once the other side reads.
func TestTransport_flowControl(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := &flow{recorder: newRecorder()}, newRecorder()
		tr := protocols(ctx, t, "tcp", "127.0.0.1:0", client, server)
		for server.transport == nil {
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		server.transport.PauseReading()
		tr.SetWriteLimits(aionet.WriteLimits{Low: 1 << 10, High: 1 << 20})
		sent := 0
		for client.paused == 0 {
			if sent > 1<<30 {
				return fmt.Errorf("after %d bytes the protocol was not told to pause", sent)
			}
			tr.Write(make([]byte, 1<<16))
			sent += 1 << 16
		}
		server.transport.ResumeReading()
		tr.Close()
		if _, err := client.lost.Await(ctx); err != nil {
			return err
		}
		if want := []string{"made", "pause", "resume", "lost"}; !slices.Equal(client.events, want) {
			t.Errorf("told %q, want %q", client.events, want)
		}
		if _, err := server.lost.Await(ctx); err != nil {
			return err
		}
		if server.got.Len() != sent {
			t.Errorf("got %d bytes of %d", server.got.Len(), sent)
		}
		return nil
	})
}

// From a goroutine everything is done on the loop, in order.
func TestTransport_fromGoroutine(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := newRecorder(), newRecorder()
		tr := protocols(ctx, t, "tcp", "127.0.0.1:0", client, server)
		err := inGoroutine(ctx, func(context.Context) error {
			p := []byte{0}
			for i := range 100 {
				p[0] = byte(i)
				tr.Write(p)
			}
			tr.Close()
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := server.lost.Await(ctx); err != nil {
			return err
		}
		for i, b := range server.got.Bytes() {
			if b != byte(i) {
				t.Fatalf("byte %d is %d", i, b)
			}
		}
		if server.got.Len() != 100 {
			t.Errorf("got %d bytes", server.got.Len())
		}
		return nil
	})
}

// buffered reads into its own memory.
type buffered struct {
	*recorder
	buf [7]byte
}

func (b *buffered) GetBuffer(int) []byte { return b.buf[:] }
func (b *buffered) BufferUpdated(n int)  { b.got.Write(b.buf[:n]) }

func TestTransport_buffered(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := newRecorder(), &buffered{recorder: newRecorder()}
		tr := protocols(ctx, t, "tcp", "127.0.0.1:0", client, server)
		tr.Write(bytes.Repeat([]byte("0123456789"), 100))
		tr.Close()
		if _, err := server.lost.Await(ctx); err != nil {
			return err
		}
		if want := bytes.Repeat([]byte("0123456789"), 100); !bytes.Equal(server.got.Bytes(), want) {
			t.Errorf("got %q", server.got.Bytes())
		}
		if slices.Contains(server.events, "data") {
			t.Error("DataReceived was called")
		}
		return nil
	})
}

// A protocol that panics loses its connection, with that; it is told to Unhandled too.
func TestTransport_panic(t *testing.T) {
	told := 0
	hooks := aio.Hooks{Unhandled: func(f aio.Failure) { told++ }}
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		client, server := newRecorder(), newRecorder()
		server.onData = func([]byte) { panic("no") }
		tr := protocols(ctx, t, "tcp", "127.0.0.1:0", client, server)
		tr.Write([]byte("x"))
		why, err := server.lost.Await(ctx)
		var p *aio.PanicError
		if !errors.As(why, &p) {
			t.Errorf("lost by %v, want the panic", why)
		}
		_, _ = client.lost.Await(ctx)
		return err
	}), aio.WithHooks(hooks))
	if err != nil {
		t.Error(err)
	}
	if told != 1 {
		t.Errorf("Unhandled was told %d times", told)
	}
}

// A transport ends with its loop, and is told so.
func TestTransport_loopCloses(t *testing.T) {
	client, server := newRecorder(), newRecorder()
	run(t, func(ctx context.Context) error {
		protocols(ctx, t, "tcp", "127.0.0.1:0", client, server)
		return nil
	})
	if want := []string{"made", "lost"}; !slices.Equal(client.events, want) {
		t.Errorf("told %q, want %q", client.events, want)
	}
}

// A stream reads what a protocol writes, which keeps its end open.
func TestTransport_keepOpen(t *testing.T) {
	run(t, func(ctx context.Context) error {
		server := newRecorder()
		server.keepOpen = true
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			return aionet.ServeProtocol(ctx, l, func() aionet.Protocol { return server })
		}))
		c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.CloseWrite(); err != nil {
			return err
		}
		for !slices.Contains(server.events, "eof") {
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		server.transport.Write([]byte("still here"))
		server.transport.Close()
		got, err := io.ReadAll(c)
		if err != nil || string(got) != "still here" {
			t.Errorf("got %q, %v", got, err)
		}
		return nil
	})
}
