//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// What a handler fails with is told, and the others go on.
func TestServe_failures(t *testing.T) {
	failed := errors.New("failed")
	var told []string
	hooks := aio.Hooks{Unhandled: func(f aio.Failure) {
		var p *aio.PanicError
		switch {
		case !strings.HasPrefix(f.Task.Name, "serve "):
			t.Errorf("the failure is of %q", f.Task.Name)
		case errors.As(f.Err, &p):
			told = append(told, "panic")
		case errors.Is(f.Err, failed):
			told = append(told, "error")
		default:
			told = append(told, f.Err.Error())
		}
	}}
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		addr := serve(ctx, t, "tcp", "127.0.0.1:0", func(_ context.Context, c *aionet.Conn) error {
			var order [1]byte
			if _, err := c.Read(order[:]); err != nil {
				return err
			}
			switch order[0] {
			case 'p':
				panic("at the disco")
			case 'e':
				return failed
			}
			_, err := c.Write(order[:])
			return err
		})
		for _, order := range []string{"p", "e", "x"} {
			c, err := aionet.Dial(ctx, "tcp", addr)
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := c.Write([]byte(order)); err != nil {
				return err
			}
			got, err := io.ReadAll(c) // the handler's end closes its connection
			if err != nil {
				return err
			}
			if want := strings.Trim(order, "pe"); string(got) != want {
				t.Errorf("the answer to %q is %q, want %q", order, got, want)
			}
		}
		return nil
	}), aio.WithHooks(hooks))
	if err != nil {
		t.Error(err)
	}
	if want := []string{"panic", "error"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// Serve waits for its handlers: when the listener is closed they go on, when its ctx ends so do theirs.
func TestServe_end(t *testing.T) {
	for _, how := range []string{"close", "cancel"} {
		t.Run(how, func(t *testing.T) {
			run(t, func(ctx context.Context) error {
				return eachCaller(ctx, func(ctx context.Context) error {
					l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
					if err != nil {
						return err
					}
					defer l.Close()
					inner, cancel := context.WithCancel(ctx)
					defer cancel()
					over := false // read once Serve has returned
					began := aio.NewPromise[struct{}]()
					served := beside(inner, func(ctx context.Context) error {
						err := aionet.Serve(ctx, l, func(ctx context.Context, c *aionet.Conn) error {
							began.Resolve(struct{}{})
							_, err := io.Copy(io.Discard, c)
							over = true
							return err
						})
						if !over {
							t.Error("Serve returned before its handler")
						}
						return err
					})
					c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
					if err != nil {
						return err
					}
					defer c.Close()
					if _, err := began.Await(ctx); err != nil {
						return err
					}
					want := context.Canceled
					if how == "close" {
						want = nil
						if err := errors.Join(l.Close(), c.CloseWrite()); err != nil {
							return err
						}
					} else {
						cancel()
					}
					if _, err := c.Read(make([]byte, 1)); err != io.EOF {
						t.Errorf("Read: %v, want io.EOF", err)
					}
					if err := served(); !errors.Is(err, want) {
						t.Errorf("Serve: %v, want %v", err, want)
					}
					return nil
				})
			})
		})
	}
}

// A connection whose handler never ran, because ctx ended when it was to begin, is closed as others are.
func TestServe_neverRan(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "unix", filepath.Join(t.TempDir(), "s")) // whose queue has who has dialed
		if err != nil {
			return err
		}
		defer l.Close()
		var clients []*aionet.Conn
		for range 3 {
			c, err := aionet.Dial(ctx, "unix", l.Addr().String())
			if err != nil {
				return err
			}
			defer c.Close()
			clients = append(clients, c)
		}
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		ran, served := 0, 0 // served: how many were taken when the first handler ran
		loop, _ := aio.LoopOf(ctx)
		err = aionet.Serve(inner, l, func(context.Context, *aionet.Conn) error {
			ran++
			for _, info := range loop.Tasks() {
				if strings.HasPrefix(info.Name, "serve ") {
					served++
				}
			}
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Serve: %v, want context.Canceled", err)
		}
		if ran != 1 || served != len(clients) {
			t.Fatalf("%d handlers ran, of %d connections that were taken; want 1 of %d", ran, served, len(clients))
		}
		for i, c := range clients {
			if n, err := peek(c); n != 0 || err != nil {
				t.Errorf("connection %d: %d bytes, %v; want the end", i, n, err)
			}
		}
		return nil
	})
}

// Without a loop there is nothing to serve on.
func TestServe_noLoop(t *testing.T) {
	l, err := aionet.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := aionet.Serve(t.Context(), l, func(context.Context, *aionet.Conn) error { return nil }); !errors.Is(err, aio.ErrNoLoop) {
		t.Errorf("Serve: %v, want ErrNoLoop", err)
	}
}

// Accept ends when the listener is closed, in a task and in a goroutine.
func TestListener_closeWhileAccepting(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		run(t, func(ctx context.Context) error {
			l, err := aionet.Listen(ctx, network, address)
			if err != nil {
				return err
			}
			accept := func(context.Context) error { _, err := l.Accept(); return err }
			task, goroutine := aio.Go(ctx, aio.Do(accept)), beside(ctx, accept)
			waiting(ctx, t, task)
			if err := l.Close(); err != nil {
				return err
			}
			_, err = task.Await(ctx)
			for _, err := range []error{err, goroutine(), l.Close()} {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("%v, want net.ErrClosed", err)
				}
			}
			if _, err := aionet.Dial(ctx, network, l.Addr().String()); err == nil {
				t.Error("a closed listener took a connection")
			}
			return nil
		})
	})
}

// A name that stands for several addresses is listened on, and dialed.
func TestListen_addresses(t *testing.T) {
	run(t, func(ctx context.Context) error {
		for _, c := range []struct{ network, address, dial string }{
			{"tcp", ":0", "127.0.0.1"},
			{"tcp4", ":0", "127.0.0.1"},
			{"tcp", "localhost:0", "localhost"},
			{"tcp", "127.0.0.1:0", "localhost"},
		} {
			l, err := aionet.Listen(ctx, c.network, c.address)
			if err != nil {
				t.Errorf("%s %s: %v", c.network, c.address, err)
				continue
			}
			_, port, err := net.SplitHostPort(l.Addr().String())
			if err != nil {
				return err
			}
			client, err := aionet.Dial(ctx, "tcp", net.JoinHostPort(c.dial, port))
			if err != nil {
				t.Errorf("%s %s: %v", c.network, c.address, err)
				continue
			}
			_ = client.Close()
			_ = l.Close()
		}
		for network, address := range map[string]string{"tcp": "127.0.0.1", "sctp": "127.0.0.1:0", "tcp6": "127.0.0.1:0"} {
			var op *net.OpError
			if _, err := aionet.Listen(ctx, network, address); !errors.As(err, &op) {
				t.Errorf("Listen on %s %s: %v, want a *net.OpError", network, address, err)
			}
			if _, err := aionet.Dial(ctx, network, address); !errors.As(err, &op) {
				t.Errorf("Dial of %s %s: %v, want a *net.OpError", network, address, err)
			}
		}
		return nil
	})
}

// A Dialer's Control refuses an address before anything is sent there.
func TestDialer_Control(t *testing.T) {
	run(t, func(ctx context.Context) error {
		refused := errors.New("refused")
		return eachCaller(ctx, func(ctx context.Context) error {
			var asked []string
			d := aionet.Dialer{Control: func(network, address string) error {
				asked = append(asked, network+" "+address)
				return refused
			}}
			_, err := d.DialContext(ctx, "tcp", "127.0.0.1:9")
			var op *net.OpError
			if !errors.Is(err, refused) || !errors.As(err, &op) {
				t.Errorf("%v, want a *net.OpError that Is the refusal", err)
			}
			if !slices.Equal(asked, []string{"tcp4 127.0.0.1:9"}) {
				t.Errorf("asked %q", asked)
			}
			return nil
		})
	})
}

// Under a context that has ended nothing is dialed.
func TestDial_ended(t *testing.T) {
	run(t, func(ctx context.Context) error {
		inner, cancel := context.WithCancel(ctx)
		cancel()
		return eachCaller(ctx, func(context.Context) error {
			_, err := aionet.Dial(inner, "tcp", "127.0.0.1:9")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want context.Canceled", err)
			}
			return nil
		})
	})
}
