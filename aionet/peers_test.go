//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
	"github.com/seed8b1f0744/aio/aiotest"
)

// reset closes a connection so that the other side is told of a reset.
func reset(c *aionet.Conn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	})
	return errors.Join(err, failed, c.Close())
}

// badPeers are what a server may get, each with the error that its handler ends with.
var badPeers = map[string]struct {
	order   string // what the handler is told to do: read, send
	ill     func(c *aionet.Conn) error
	limited bool // nothing but a deadline ends it
	want    error
}{
	"resets before it asks":       {"", reset, false, syscall.ECONNRESET},
	"resets while it is read":     {"r", reset, false, syscall.ECONNRESET},
	"resets while it is sent":     {"s", reset, false, syscall.ECONNRESET},
	"closes half":                 {"r", (*aionet.Conn).CloseWrite, false, io.EOF},
	"closes half, and never read": {"s", (*aionet.Conn).CloseWrite, true, os.ErrDeadlineExceeded},
	"does not read":               {"s", nil, true, os.ErrDeadlineExceeded},
	"is gone without a word":      {"r", nil, true, os.ErrDeadlineExceeded}, // as far as the server can know
	"never says a word":           {"", nil, true, os.ErrDeadlineExceeded},
}

// Whatever its peers do, a server's other connections are served meanwhile, and each handler is told. Deadlines are on the
// test's clock.
func TestServe_badPeers(t *testing.T) {
	for name, bad := range badPeers {
		t.Run(name, func(t *testing.T) {
			aiotest.Run(t, func(ctx context.Context) error {
				var limited bool
				var ends []error
				addr := serve(ctx, t, "tcp", "127.0.0.1:0", func(_ context.Context, c *aionet.Conn) error {
					if limited {
						if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
							return err
						}
					}
					if err := obey(c); err != nil {
						ends = append(ends, err)
					}
					return nil
				})
				good, err := aionet.Dial(ctx, "tcp", addr)
				if err != nil {
					return err
				}
				defer good.Close()
				if _, err := good.Write([]byte("e")); err != nil {
					return err
				}
				if err := ask(good); err != nil {
					return err
				}
				limited = bad.limited
				const each = 5
				for range each {
					c, err := aionet.Dial(ctx, "tcp", addr)
					if err != nil {
						return err
					}
					defer c.Close()
					if _, err := c.Write([]byte(bad.order)); err != nil {
						return err
					}
					if err := ask(good); err != nil { // when that is answered, the order has been taken, too
						return err
					}
					if bad.ill != nil {
						if err := bad.ill(c); err != nil {
							return err
						}
					}
				}
				for len(ends) < each {
					if err := errors.Join(ask(good), aio.Sleep(ctx, time.Second)); err != nil {
						return err
					}
				}
				for _, err := range ends {
					if !errors.Is(err, bad.want) && (bad.want != syscall.ECONNRESET || !errors.Is(err, syscall.EPIPE)) {
						t.Errorf("a handler ended with %v, want %v", err, bad.want)
					}
				}
				return ask(good)
			})
		})
	}
}

// obey does what its peer tells it to: echo, read or send without end.
func obey(c *aionet.Conn) error {
	var order [1]byte
	if _, err := c.Read(order[:]); err != nil {
		return err
	}
	switch order[0] {
	case 'e':
		_, err := io.Copy(c, c)
		return err
	case 'r':
		for {
			if _, err := c.Read(make([]byte, 100)); err != nil {
				return err
			}
		}
	default:
		for {
			if _, err := c.Write(make([]byte, 1<<16)); err != nil {
				return err
			}
		}
	}
}

// A peer that has vanished is looked for: the system probes connections that are idle, as often as Dialer says.
func TestConn_keepAlive(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		addr := serve(ctx, t, "tcp", "127.0.0.1:0", func(context.Context, *aionet.Conn) error { return nil })
		never, err := (&aionet.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		defer never.Close()
		for name, c := range map[string]struct {
			conn *aionet.Conn
			on   bool
		}{"dialed": {client, true}, "taken": {server, true}, "never": {never.(*aionet.Conn), false}} {
			raw, err := c.conn.SyscallConn()
			if err != nil {
				return err
			}
			err = raw.Control(func(fd uintptr) {
				v, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
				if err != nil || (v != 0) != c.on {
					t.Errorf("%s: probes are %d, %v, want %v", name, v, err, c.on)
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
