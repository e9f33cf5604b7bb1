//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// eachPacketNetwork runs a test on all kinds of datagrams; address makes one to listen at.
func eachPacketNetwork(t *testing.T, test func(t *testing.T, network string, address func() string)) {
	t.Run("udp4", func(t *testing.T) { test(t, "udp4", func() string { return "127.0.0.1:0" }) })
	t.Run("udp", func(t *testing.T) { test(t, "udp", func() string { return ":0" }) })
	t.Run("unixgram", func(t *testing.T) {
		test(t, "unixgram", func() string { return filepath.Join(t.TempDir(), "s") })
	})
}

// longestDatagram is that of UDP; some systems have another limit of their own.
var longestDatagram = map[bool]int{true: 65507, false: 2000}[runtime.GOOS == "linux"]

func packetConn(ctx context.Context, t *testing.T, network, address string) *aionet.PacketConn {
	t.Helper()
	p, err := aionet.ListenPacket(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// Datagrams stay what they are, one of nothing and the longest included, whoever waits for them; and it is told
// who has sent them.
func TestPacketConn(t *testing.T) {
	eachPacketNetwork(t, func(t *testing.T, network string, address func() string) {
		run(t, func(ctx context.Context) error {
			return eachCaller(ctx, func(ctx context.Context) error {
				a, b := packetConn(ctx, t, network, address()), packetConn(ctx, t, network, address())
				to := b.LocalAddr()
				if u, ok := to.(*net.UDPAddr); ok && u.IP.IsUnspecified() {
					to = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: u.Port}
				}
				sizes := []int{0, 1, 1000, 0, longestDatagram}
				answered := beside(ctx, func(context.Context) error {
					buf := make([]byte, 1<<16)
					for range sizes {
						n, from, err := b.ReadFrom(buf)
						if err != nil {
							return err
						}
						if _, err := b.WriteTo(buf[:n], from); err != nil {
							return err
						}
					}
					return nil
				})
				for _, size := range sizes {
					want := bytes.Repeat([]byte("x"), size)
					if n, err := a.WriteTo(want, to); n != size || err != nil {
						return fmt.Errorf("%d of %d bytes sent: %w", n, size, err)
					}
					got := make([]byte, 1<<16)
					n, from, err := a.ReadFrom(got)
					if err != nil || !bytes.Equal(got[:n], want) || from.String() != to.String() {
						return fmt.Errorf("%d bytes from %v, want %d from %v: %w", n, from, size, to, err)
					}
				}
				return answered()
			})
		})
	})
}

// A connection of datagrams: nothing is not the end, and what does not fit is lost.
func TestConn_datagrams(t *testing.T) {
	eachPacketNetwork(t, func(t *testing.T, network string, address func() string) {
		run(t, func(ctx context.Context) error {
			return eachCaller(ctx, func(ctx context.Context) error {
				p := packetConn(ctx, t, network, address())
				to := strings.Replace(p.LocalAddr().String(), "[::]", "127.0.0.1", 1)
				c, err := aionet.Dial(ctx, network, to)
				if err != nil {
					return err
				}
				defer c.Close()
				if c.RemoteAddr().String() != to {
					t.Errorf("the remote address is %v, want %v", c.RemoteAddr(), to)
				}
				v := net.Buffers{[]byte("two"), []byte("apart")}
				for _, send := range []func() error{
					func() error { _, err := c.Write([]byte("one")); return err },
					func() error { _, err := c.Write(nil); return err },
					func() error { _, err := c.ReadFrom(&v); return err },
				} {
					if err := send(); err != nil {
						return err
					}
				}
				var from net.Addr
				for _, want := range []string{"on", "", "tw", "ap"} {
					var got [2]byte
					n, sender, err := p.ReadFrom(got[:])
					if err != nil || string(got[:n]) != want {
						t.Errorf("got %q, %v, want %q", got[:n], err, want)
					}
					from = sender
				}
				for name, half := range map[string]func() error{"CloseRead": c.CloseRead, "CloseWrite": c.CloseWrite} {
					if err := half(); !errors.Is(err, errors.ErrUnsupported) {
						t.Errorf("%s: %v, want errors.ErrUnsupported", name, err)
					}
				}
				if network == "unixgram" {
					if from != nil {
						t.Errorf("a socket that has no address has sent from %v", from)
					}
					return nil
				}
				for _, s := range []string{"answer", "", "more"} {
					if _, err := p.WriteTo([]byte(s), from); err != nil {
						return err
					}
				}
				for _, want := range []string{"ans", "", "mor"} {
					var got [3]byte
					n, err := c.Read(got[:])
					if err != nil || string(got[:n]) != want {
						t.Errorf("got %q, %v, want %q", got[:n], err, want)
					}
				}
				return nil
			})
		})
	})
}

// io.Copy writes datagrams one by one, and does not take one of nothing for the end.
func TestConn_copyDatagrams(t *testing.T) {
	run(t, func(ctx context.Context) error {
		p := packetConn(ctx, t, "udp4", "127.0.0.1:0")
		c, err := aionet.Dial(ctx, "udp4", p.LocalAddr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		long := strings.Repeat("l", longestDatagram)
		for _, s := range []string{"a", "", long} {
			if _, err := p.WriteTo([]byte(s), c.LocalAddr()); err != nil {
				return err
			}
		}
		var got []string
		full := errors.New("enough")
		_, err = io.Copy(writerFunc(func(b []byte) (int, error) {
			if got = append(got, string(b)); len(got) == 3 {
				return len(b), full
			}
			return len(b), nil
		}), c)
		if err != full || strings.Join(got, "|") != "a||"+long {
			t.Errorf("%d datagrams, then %v", len(got), err)
		}
		return nil
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Where nobody takes datagrams a call after the one that sent says so, and the connection goes on.
func TestConn_datagramRefused(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return eachCaller(ctx, func(ctx context.Context) error {
			p := packetConn(ctx, t, "udp4", "127.0.0.1:0")
			at := p.LocalAddr().String()
			if err := p.Close(); err != nil {
				return err
			}
			c, err := aionet.Dial(ctx, "udp4", at)
			if err != nil {
				return err
			}
			defer c.Close()
			read := beside(ctx, func(context.Context) error { _, err := c.Read(make([]byte, 9)); return err })
			for err == nil { // either the reader gets it or the next who sends
				if _, err = c.Write([]byte("x")); err == nil {
					err = aio.Yield(ctx)
				}
			}
			checkOpError(t, err, syscall.ECONNREFUSED)
			_ = c.SetReadDeadline(time.Unix(1, 0))
			if err := read(); !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Read: %v", err)
			}
			p = packetConn(ctx, t, "udp4", at)
			if _, err := c.Write([]byte("again")); err != nil {
				if _, err = c.Write([]byte("again")); err != nil { // the one before was still told of
					return err
				}
			}
			_, _, err = p.ReadFrom(make([]byte, 9))
			return err
		})
	})
}

// What ends a wait for a stream ends one for a datagram.
func TestPacketConn_endedWhileWaiting(t *testing.T) {
	eachPacketNetwork(t, func(t *testing.T, network string, address func() string) {
		for _, e := range endings {
			for _, task := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s task=%v", e.name, task), func(t *testing.T) {
					run(t, func(ctx context.Context) error {
						p := packetConn(ctx, t, network, address())
						inner, cancel := context.WithCancel(ctx)
						defer cancel()
						read := func(p *aionet.PacketConn) error { _, _, err := p.ReadFrom(make([]byte, 1)); return err }
						var ended func() error
						if task {
							waiter := aio.Go(inner, aio.Do(func(context.Context) error { return read(p) }))
							waiting(ctx, t, waiter)
							ended = func() error { _, err := waiter.Await(ctx); return err }
						} else {
							ended = beside(ctx, func(context.Context) error { return read(p.WithContext(inner)) })
						}
						if err := endPacket(p, e.name, cancel); err != nil {
							return err
						}
						checkOpError(t, ended(), e.want)
						return nil
					})
				})
			}
		}
	})
}

// endPacket ends a wait as the ending of that name.
func endPacket(p *aionet.PacketConn, name string, cancel context.CancelFunc) error {
	switch name {
	case "Close":
		return p.Close()
	case "context":
		cancel()
		return nil
	case "deadline":
		return p.SetDeadline(time.Unix(1, 0))
	default:
		return p.SetReadDeadline(time.Now().Add(time.Millisecond))
	}
}

// A local queue that is full holds up who sends, connected or not, until it is read; nothing is lost. In between
// a deadline ends the wait.
func TestPacketConn_fullQueue(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return eachCaller(ctx, func(ctx context.Context) error {
			p := packetConn(ctx, t, "unixgram", filepath.Join(t.TempDir(), "to"))
			other := packetConn(ctx, t, "unixgram", filepath.Join(t.TempDir(), "from"))
			c, err := aionet.Dial(ctx, "unixgram", p.LocalAddr().String())
			if err != nil {
				return err
			}
			defer c.Close()
			for name, send := range map[string]struct {
				one      func() error
				deadline func(time.Time) error
			}{
				"connected":     {func() error { _, err := c.Write([]byte("x")); return err }, c.SetWriteDeadline},
				"not connected": {func() error { _, err := other.WriteTo([]byte("x"), p.LocalAddr()); return err }, other.SetWriteDeadline},
			} {
				if err := send.deadline(time.Now().Add(20 * time.Millisecond)); err != nil {
					return err
				}
				n := 0
				for err = nil; err == nil; {
					if err = send.one(); err == nil {
						n++
					}
				}
				if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 {
					t.Errorf("%s: after %d: %v, want os.ErrDeadlineExceeded", name, n, err)
				}
				if err := send.deadline(time.Time{}); err != nil {
					return err
				}
				sent := beside(ctx, func(context.Context) error { return send.one() })
				for range n + 1 {
					if _, _, err := p.ReadFrom(make([]byte, 2)); err != nil {
						return err
					}
				}
				if err := sent(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			return nil
		})
	})
}

// What can't be sent is an error, and nothing is.
func TestPacketConn_refuses(t *testing.T) {
	run(t, func(ctx context.Context) error {
		p := packetConn(ctx, t, "udp4", "127.0.0.1:0")
		var address *net.AddrError
		for name, to := range map[string]net.Addr{
			"nil": nil, "a nil pointer": (*net.UDPAddr)(nil), "another network's": &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, "IPv6": &net.UDPAddr{IP: net.IPv6loopback, Port: 1},
		} {
			if _, err := p.WriteTo([]byte("x"), to); !errors.As(err, &address) {
				t.Errorf("to %s: %v, want a *net.AddrError", name, err)
			}
		}
		_, err := p.WriteTo(make([]byte, 2<<20), p.LocalAddr())
		checkOpError(t, err, syscall.EMSGSIZE)
		u := packetConn(ctx, t, "unixgram", filepath.Join(t.TempDir(), "s"))
		_, err = u.WriteTo([]byte("x"), &net.UnixAddr{Name: u.LocalAddr().String() + "?", Net: "unixgram"})
		checkOpError(t, err, syscall.ENOENT)
		if err := u.Close(); err != nil {
			return err
		}
		if _, err := os.Stat(u.LocalAddr().String()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file of a closed socket: %v", err)
		}
		for network, call := range map[string]func(network, address string) error{
			"udp":      func(n, a string) error { _, err := aionet.Listen(ctx, n, a); return err },
			"unixgram": func(n, a string) error { _, err := aionet.Listen(ctx, n, a); return err },
			"tcp":      func(n, a string) error { _, err := aionet.ListenPacket(ctx, n, a); return err },
			"udp4": func(n, a string) error {
				_, _, err := aionet.ConnectProtocol(ctx, n, a, func() aionet.Protocol { return nil })
				return err
			},
		} {
			var unknown net.UnknownNetworkError
			if err := call(network, "127.0.0.1:0"); !errors.As(err, &unknown) {
				t.Errorf("%s: %v, want a net.UnknownNetworkError", network, err)
			}
		}
		return nil
	})
}

// An address that is left empty is this machine's.
func TestPacketConn_unspecified(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, network := range []string{"udp", "udp4"} {
			p := packetConn(ctx, t, network, ":0")
			if _, err := p.WriteTo([]byte("me"), &net.UDPAddr{Port: p.LocalAddr().(*net.UDPAddr).Port}); err != nil {
				return err
			}
			var got [2]byte
			if _, _, err := p.ReadFrom(got[:]); err != nil || string(got[:]) != "me" {
				t.Errorf("%s: got %q, %v", network, got, err)
			}
		}
		return nil
	})
}
