package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio/aionet"
	"github.com/seed8b1f0744/aio/internal/doors"
)

// On Linux, where a local socket's full queue holds up who dials, and the test can let it go at once.

// ends is a connection, made without a loop.
func ends(t testing.TB) (near, far *aionet.Conn) {
	t.Helper()
	ctx := context.Background()
	l := listener(t, "unix", filepath.Join(t.TempDir(), "s")) // whose buffers don't grow
	near, err := aionet.Dial(ctx, "unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	far = c.(*aionet.Conn)
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return near, far
}

func listener(t testing.TB, network, address string) *aionet.Listener {
	t.Helper()
	l, err := aionet.Listen(context.Background(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// reads is a trial of what waits for something to read.
func reads(call func(c *aionet.Conn) error) func(testing.TB) doors.Trial {
	return func(t testing.TB) doors.Trial {
		near, far := ends(t)
		return doors.Trial{
			Call: func(ctx context.Context) error { return call(near.WithContext(ctx)) },
			Let:  func() { _, _ = far.Write([]byte("x")); _ = far.CloseWrite() },
		}
	}
}

// writes is a trial of what waits until somebody reads what was written before.
func writes(call func(c *aionet.Conn) error) func(testing.TB) doors.Trial {
	return func(t testing.TB) doors.Trial {
		near, far := ends(t)
		raw, err := near.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		err = raw.Control(func(fd uintptr) {
			for n := 1 << 16; n > 0; {
				if _, err := syscall.Write(int(fd), make([]byte, n)); err == syscall.EAGAIN {
					n /= 2
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		})
		if err != nil {
			t.Error(err)
		}
		return doors.Trial{
			Call: func(ctx context.Context) error { return call(near.WithContext(ctx)) },
			Let:  func() { go func() { _, _ = io.Copy(io.Discard, far) }() },
		}
	}
}

// full is an address whose queue is full until it is let go.
func full(t testing.TB) (address string, let func()) {
	t.Helper()
	address = filepath.Join(t.TempDir(), "s")
	socket := func() int {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Close(fd) })
		return fd
	}
	l, at := socket(), &syscall.SockaddrUnix{Name: address}
	if err := errors.Join(syscall.Bind(l, at), syscall.Listen(l, 0)); err != nil {
		t.Fatal(err)
	}
	for {
		if err := syscall.Connect(socket(), at); err == syscall.EAGAIN {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return address, func() {
		for {
			fd, _, err := syscall.Accept(l)
			if err != nil {
				return
			}
			_ = syscall.Close(fd)
		}
	}
}

// dials is a trial of what dials such an address.
func dials(call func(ctx context.Context, address string) error) func(testing.TB) doors.Trial {
	return func(t testing.TB) doors.Trial {
		address, let := full(t)
		return doors.Trial{Call: func(ctx context.Context) error { return call(ctx, address) }, Let: let}
	}
}

// fullPacket is a trial of what waits until a local queue is read.
func fullPacket(t testing.TB) doors.Trial {
	ctx := context.Background()
	to, err := aionet.ListenPacket(ctx, "unixgram", filepath.Join(t.TempDir(), "to"))
	if err != nil {
		t.Fatal(err)
	}
	from, err := aionet.ListenPacket(ctx, "unixgram", filepath.Join(t.TempDir(), "from"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = to.Close(), from.Close() })
	send := func(p *aionet.PacketConn) error { _, err := p.WriteTo([]byte("x"), to.LocalAddr()); return err }
	raw, err := from.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		var err error
		for err == nil {
			err = syscall.Sendto(int(fd), []byte("x"), 0, &syscall.SockaddrUnix{Name: to.LocalAddr().String()})
		}
		if err != syscall.EAGAIN {
			t.Error(err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	return doors.Trial{
		Call: func(ctx context.Context) error { return send(from.WithContext(ctx)) },
		Let:  func() { _, _, _ = to.ReadFrom(make([]byte, 1)) },
	}
}

// serves is a trial of what serves until its listener is closed; somebody has connected before.
func serves(call func(ctx context.Context, l *aionet.Listener, ran func()) error) func(testing.TB) doors.Trial {
	return func(t testing.TB) doors.Trial {
		l := listener(t, "tcp", "127.0.0.1:0")
		c, err := aionet.Dial(context.Background(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		var ran atomic.Int32
		served, over := make(chan struct{}, 1), make(chan struct{})
		return doors.Trial{
			Call: func(ctx context.Context) error {
				defer close(over)
				return call(ctx, l, func() { ran.Add(1); served <- struct{}{} })
			},
			Let: func() {
				select {
				case <-served:
				case <-over: // it was refused
				}
				_, _ = c.Close(), l.Close()
			},
			Ran: func() int { return int(ran.Load()) },
		}
	}
}

// mute is a protocol that says nothing.
type mute struct{}

func (mute) ConnectionMade(*aionet.Transport) {}
func (mute) DataReceived([]byte)              {}
func (mute) EOFReceived() bool                { return false }
func (mute) ConnectionLost(error)             {}

var allDoors = []doors.Door{
	{Name: "Conn.Read", Make: reads(func(c *aionet.Conn) error { _, err := c.Read(make([]byte, 1)); return err })},
	{Name: "Conn.WriteTo", Make: reads(func(c *aionet.Conn) error { _, err := c.WriteTo(io.Discard); return err })},
	{Name: "Conn.Write", Make: writes(func(c *aionet.Conn) error { _, err := c.Write([]byte("x")); return err })},
	{Name: "Conn.ReadFrom", Make: writes(func(c *aionet.Conn) error { _, err := c.ReadFrom(strings.NewReader("x")); return err })},
	{Name: "Conn.ReadFrom of buffers", Make: writes(func(c *aionet.Conn) error {
		_, err := c.ReadFrom(&net.Buffers{[]byte("x"), bytes.Repeat([]byte("y"), 100)})
		return err
	})},
	{Name: "PacketConn.ReadFrom", Make: func(t testing.TB) doors.Trial {
		p, err := aionet.ListenPacket(context.Background(), "udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		return doors.Trial{
			Call: func(ctx context.Context) error {
				_, _, err := p.WithContext(ctx).ReadFrom(make([]byte, 1))
				return err
			},
			Let: func() { _, _ = p.WriteTo([]byte("x"), p.LocalAddr()) },
		}
	}},
	{Name: "PacketConn.WriteTo", Make: fullPacket},
	{Name: "Listener.Accept", Make: func(t testing.TB) doors.Trial {
		l := listener(t, "tcp", "127.0.0.1:0")
		return doors.Trial{
			Call: func(context.Context) error {
				c, err := l.Accept()
				if err != nil {
					return err
				}
				return c.Close()
			},
			Let: func() {
				if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
					_ = c.Close()
				}
			},
		}
	}},
	{Name: "Dial", Make: dials(func(ctx context.Context, address string) error {
		c, err := aionet.Dial(ctx, "unix", address)
		if err != nil {
			return err
		}
		return c.Close()
	})},
	{Name: "Dialer.DialContext", Make: dials(func(ctx context.Context, address string) error {
		c, err := new(aionet.Dialer).DialContext(ctx, "unix", address)
		if err != nil {
			return err
		}
		return c.Close()
	})},
	{Name: "Dial of a name", Short: true, Make: func(t testing.TB) doors.Trial {
		l := listener(t, "tcp", "127.0.0.1:0")
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return doors.Trial{Call: func(ctx context.Context) error {
			c, err := aionet.Dial(ctx, "tcp", "localhost:"+port)
			if err != nil {
				return err
			}
			return c.Close()
		}}
	}},
	{Name: "Listen at a name", Short: true, Make: func(testing.TB) doors.Trial {
		return doors.Trial{Call: func(ctx context.Context) error {
			l, err := aionet.Listen(ctx, "tcp", "localhost:0")
			if err != nil {
				return err
			}
			return l.Close()
		}}
	}},
	{Name: "ListenPacket at a name", Short: true, Make: func(testing.TB) doors.Trial {
		return doors.Trial{Call: func(ctx context.Context) error {
			p, err := aionet.ListenPacket(ctx, "udp", "localhost:0")
			if err != nil {
				return err
			}
			return p.Close()
		}}
	}},
	{Name: "Serve", Loop: true, Make: serves(func(ctx context.Context, l *aionet.Listener, ran func()) error {
		return aionet.Serve(ctx, l, func(context.Context, *aionet.Conn) error { ran(); return nil })
	})},
	{Name: "ServeProtocol", Loop: true, Make: serves(func(ctx context.Context, l *aionet.Listener, ran func()) error {
		return aionet.ServeProtocol(ctx, l, func() aionet.Protocol { ran(); return mute{} })
	})},
	{Name: "ConnectProtocol", Loop: true, Make: dials(func(ctx context.Context, address string) error {
		t, _, err := aionet.ConnectProtocol(ctx, "unix", address, func() aionet.Protocol { return mute{} })
		if err == nil {
			t.Abort()
		}
		return err
	})},
	{Name: "ConnectProtocol, at once", Loop: true, Short: true, Make: func(t testing.TB) doors.Trial {
		l := listener(t, "unix", filepath.Join(t.TempDir(), "s"))
		var ran atomic.Int32
		return doors.Trial{
			Call: func(ctx context.Context) error {
				t, _, err := aionet.ConnectProtocol(ctx, "unix", l.Addr().String(), func() aionet.Protocol { ran.Add(1); return mute{} })
				if err == nil {
					t.Abort()
				}
				return err
			},
			Ran: func() int { return int(ran.Load()) },
		}
	}},
}

var noDoors = map[string]string{
	"Conn.Close":             "what was written goes on its way without us",
	"Conn.WithContext":       "is a value",
	"Listener.Close":         "whoever waits is told, and not waited for",
	"PacketConn.Close":       "as Conn.Close",
	"PacketConn.WithContext": "is a value",
	"Transport.Close":        "its protocol is told when the buffer is written",
}

// Not in bubbles, as the other end may be anybody's.
func TestDoors(t *testing.T) {
	for _, d := range allDoors {
		t.Run(d.Name, func(t *testing.T) {
			doors.Try(t, d, func(t *testing.T, body func(*testing.T)) { body(t) }, func() {})
		})
	}
}

// Whoever adds something that waits adds a row, or says why it needs none.
func TestDoors_areAll(t *testing.T) { doors.AreAll(t, "..", "aionet", allDoors, noDoors) }
