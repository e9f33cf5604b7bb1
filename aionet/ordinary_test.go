//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// A handler that fails because its peer has gone, or was too slow, is no failure of the server's; one that
// fails because of another connection is, and so is what comes with such an error.
func TestServe_peerGone(t *testing.T) {
	other := errors.New("other")
	for name, c := range map[string]struct {
		end  func(error) error
		told int
	}{
		"as it is": {func(err error) error { return err }, 0},
		"wrapped":  {func(err error) error { return fmt.Errorf("session: %w", err) }, 0},
		"joined":   {func(err error) error { return errors.Join(err, other) }, 1},
		"another":  {func(error) error { return syscall.ECONNRESET }, 1},
	} {
		for _, how := range []string{"reset", "deadline"} {
			t.Run(name+" "+how, func(t *testing.T) {
				told := 0
				hooks := aio.Hooks{Unhandled: func(aio.Failure) { told++ }}
				_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
					var over aio.Event
					addr := serve(ctx, t, "tcp", "127.0.0.1:0", func(_ context.Context, conn *aionet.Conn) error {
						defer over.Set()
						if how == "deadline" {
							_ = conn.SetReadDeadline(time.Unix(1, 0))
						}
						_, err := io.Copy(io.Discard, conn)
						if err == nil {
							t.Error("the handler's read did not fail")
						}
						return c.end(err)
					})
					client, err := aionet.Dial(ctx, "tcp", addr)
					if err != nil {
						return err
					}
					if how == "reset" {
						raw, err := client.SyscallConn()
						if err != nil {
							return err
						}
						err = raw.Control(func(fd uintptr) {
							_ = syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
						})
						if err != nil {
							return err
						}
						_ = client.Close()
					}
					defer client.Close()
					return over.Wait(ctx)
				}), aio.WithHooks(hooks))
				if err != nil {
					t.Error(err)
				}
				if told != c.told {
					t.Errorf("Unhandled was told %d times, want %d", told, c.told)
				}
			})
		}
	}
}

// A newProtocol that returns nil is told of in words, on either side.
func TestTransport_noProtocol(t *testing.T) {
	var told []string
	hooks := aio.Hooks{Unhandled: func(f aio.Failure) { told = append(told, f.Err.Error()) }}
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		none := func() aionet.Protocol { return nil }
		aio.Go(ctx, aio.Do(func(ctx context.Context) error { return aionet.ServeProtocol(ctx, l, none) }))
		c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the server's end: %v, want it closed", err)
		}
		if _, _, err = aionet.ConnectProtocol(ctx, "tcp", l.Addr().String(), none); err == nil || !strings.Contains(err.Error(), "aio: newProtocol returned nil") {
			t.Errorf("ConnectProtocol: %v", err)
		}
		return nil
	}), aio.WithHooks(hooks))
	if err != nil {
		t.Error(err)
	}
	if len(told) == 0 || !strings.Contains(told[0], "aio: newProtocol returned nil") {
		t.Errorf("told %q", told)
	}
}

// A network that another function is for says which one.
func TestListen_wrongNetwork(t *testing.T) {
	run(t, func(ctx context.Context) error {
		_, stream := aionet.Listen(ctx, "udp", "127.0.0.1:0")
		_, packet := aionet.ListenPacket(ctx, "tcp", "127.0.0.1:0")
		_, _, protocol := aionet.ConnectProtocol(ctx, "udp", "127.0.0.1:9", func() aionet.Protocol { return nil })
		for want, err := range map[string]error{"ListenPacket": stream, "Listen takes": packet, "use Dial": protocol} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want a word of %s", err, want)
			}
		}
		return nil
	})
}
