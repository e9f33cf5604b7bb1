//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// A Read or Write of nothing waits for nothing, also where nothing can be read or written; a closed connection says so.
func TestConn_nothing(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		run(t, func(ctx context.Context) error {
			c, _ := pair(ctx, t, network, address)
			if err := c.SetDeadline(time.Now().Add(time.Millisecond)); err != nil {
				return err
			}
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("nothing has come, and Read: %v", err)
			}
			if _, err := io.Copy(c, forever{}); !errors.Is(err, os.ErrDeadlineExceeded) { // until it is full
				t.Fatalf("nobody reads, and Write: %v", err)
			}
			if err := c.SetDeadline(time.Time{}); err != nil {
				return err
			}
			return eachCaller(ctx, func(context.Context) error {
				for what, do := range nothings(c) {
					if n, err := do(); n != 0 || err != nil {
						t.Errorf("%s of nothing: %d, %v", what, n, err)
					}
				}
				return nil
			})
		})
	})
}

func nothings(c *aionet.Conn) map[string]func() (int, error) {
	return map[string]func() (int, error){
		"Read":  func() (int, error) { return c.Read(nil) },
		"Write": func() (int, error) { return c.Write(nil) },
		"ReadFrom": func() (int, error) {
			n, err := c.ReadFrom(&net.Buffers{nil, {}})
			return int(n), err
		},
	}
}

func TestConn_nothingAfterClose(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c, _ := pair(ctx, t, "tcp", "127.0.0.1:0")
		if err := c.Close(); err != nil {
			return err
		}
		for what, do := range nothings(c) {
			if _, err := do(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s of nothing after Close: %v", what, err)
			}
		}
		return nil
	})
}

// forever is read without an end.
type forever struct{}

func (forever) Read(p []byte) (int, error) { return len(p), nil }

// A function given to RawConn that panics does not keep the descriptor open.
func TestRawConn_panic(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c, other := pair(ctx, t, "unix", filepath.Join(t.TempDir(), "s")) // whose end is seen at once
		raw, err := c.SyscallConn()
		if err != nil {
			return err
		}
		control := func(f func(uintptr) bool) error { return raw.Control(func(fd uintptr) { f(fd) }) }
		for _, call := range []func(func(uintptr) bool) error{raw.Read, raw.Write, control} {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				_ = call(func(uintptr) bool { panic("not today") })
			}()
		}
		if err := c.Close(); err != nil {
			return err
		}
		if n, err := peek(other); n != 0 || err != nil { // so it was closed for the system, too
			t.Errorf("the other side sees %d bytes, %v; want the end", n, err)
		}
		return nil
	})
}

// Dial in a callback is refused, also where it would not have to wait: on a real network it would.
func TestDial_inCallback(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		run(t, func(ctx context.Context) error {
			l, err := aionet.Listen(ctx, network, address)
			if err != nil {
				return err
			}
			defer l.Close()
			told := aio.NewPromise[error]()
			loop, _ := aio.LoopOf(ctx)
			loop.CallSoon(func() {
				_, err := aionet.Dial(ctx, network, l.Addr().String())
				told.Resolve(err)
			})
			if err, _ := told.Await(ctx); !errors.Is(err, aio.ErrWouldDeadlock) {
				t.Errorf("Dial in a callback: %v; want ErrWouldDeadlock", err)
			}
			return nil
		})
	})
}

// Who listens at several addresses is told at which one it failed.
func TestListen_errorNamesAddress(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		at := l.Addr().String()
		if _, err := aionet.Listen(ctx, "tcp", at); err == nil || !strings.Contains(err.Error(), at) {
			t.Errorf("Listen: %v; want %s in it", err, at)
		}
		path := t.TempDir() + "/none/s"
		if _, err := aionet.ListenPacket(ctx, "unixgram", path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("ListenPacket: %v; want %s in it", err, path)
		}
		return nil
	})
}

// A nil context is refused in the name of who was called.
func TestNilContext(t *testing.T) {
	var none context.Context
	for name, call := range map[string]func(){
		"Dial":         func() { _, _ = aionet.Dial(none, "tcp", "127.0.0.1:1") },
		"Listen":       func() { _, _ = aionet.Listen(none, "tcp", "127.0.0.1:0") },
		"ListenPacket": func() { _, _ = aionet.ListenPacket(none, "udp", "127.0.0.1:0") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got, want := recover(), "aio: "+name+" needs a context, got nil"; got != want {
					t.Errorf("panic %v; want %s", got, want)
				}
			}()
			call()
		})
	}
}
