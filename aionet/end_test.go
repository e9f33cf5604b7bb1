//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// A Serve in a goroutine ends with its loop, and closes what the loop did not take, even under a ctx that goes on.
func TestServe_closedLoop(t *testing.T) {
	for name, serve := range map[string]func(context.Context, *aionet.Listener) error{
		"Serve": func(ctx context.Context, l *aionet.Listener) error {
			return aionet.Serve(ctx, l, func(context.Context, *aionet.Conn) error { return nil })
		},
		"ServeProtocol": func(ctx context.Context, l *aionet.Listener) error {
			return aionet.ServeProtocol(ctx, l, func() aionet.Protocol { return newRecorder() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			loop := aio.Start(aio.WithHooks(aio.Hooks{Unhandled: func(aio.Failure) {}}))
			l, err := aionet.Listen(context.Background(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			served := make(chan error, 1)
			go func() { served <- serve(context.WithoutCancel(loop.Context()), l) }()
			if err := loop.Close(); err != nil {
				t.Fatal(err)
			}
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := <-served; !errors.Is(err, aio.ErrClosed) {
				t.Errorf("%s returned %v; want ErrClosed", name, err)
			}
			_ = l.Close() // in case Serve had ended before it could take it
			if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
				t.Error("the connection is still open")
			}
		})
	}
}

// A loop that closes while connections come in leaves none open, and no Serve waiting.
func TestServe_closingLoop(t *testing.T) {
	for range 20 {
		loop := aio.Start(aio.WithHooks(aio.Hooks{Unhandled: func(aio.Failure) {}}))
		l, err := aionet.Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() {
			served <- aionet.Serve(loop.Context(), l, func(context.Context, *aionet.Conn) error { return nil })
		}()
		var clients []net.Conn
		for i := range 10 {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, c)
			if i == 5 {
				go loop.Close()
			}
		}
		if err := <-served; err == nil {
			t.Error("Serve returned nil; want the error of the loop's end")
		}
		_ = l.Close()
		for _, c := range clients {
			_, _ = io.Copy(io.Discard, c) // returns once the other end is closed, by whomever
			_ = c.Close()
		}
	}
}

// A ServeProtocol whose ctx outlives the loop loses its connections with the loop.
func TestServeProtocol_loopEnds(t *testing.T) {
	loop := aio.Start()
	l, err := aionet.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	server, arrived := newRecorder(), aio.NewPromise[struct{}]()
	server.onData = func([]byte) { arrived.Resolve(struct{}{}) }
	task := aio.Submit(context.Background(), loop, aio.Do(func(ctx context.Context) error {
		return aionet.ServeProtocol(context.WithoutCancel(ctx), l, func() aionet.Protocol { return server })
	}))
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := arrived.Await(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = c.Read(make([]byte, 1)) // the end, by the loop's
		_ = l.Close()
	}()
	if err := loop.Close(); err != nil {
		t.Error(err)
	}
	if _, err := task.Result(); err != nil {
		t.Error(err)
	}
	if want := []string{"made", "data", "lost"}; !slices.Equal(server.events, want) {
		t.Errorf("the protocol was told %v, want %v", server.events, want)
	}
}

// A newProtocol that panics costs its connection, and tells who connects.
func TestConnectProtocol_panic(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		_, _, err = aionet.ConnectProtocol(ctx, "tcp", l.Addr().String(), func() aionet.Protocol { panic("no protocol today") })
		var panicked *aio.PanicError
		if !errors.As(err, &panicked) || panicked.Value != "no protocol today" {
			t.Errorf("ConnectProtocol: %v; want the panic", err)
		}
		c, err := l.Accept()
		if err != nil {
			return err
		}
		defer c.Close()
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Error("the connection is still open")
		}
		return nil
	})
}

// The end of what comes is told once, whatever is done to reading after it.
func TestTransport_eofOnce(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := newRecorder(), newRecorder()
		server.keepOpen = true
		tr := protocols(ctx, t, "tcp", "127.0.0.1:0", client, server)
		tr.WriteEOF()
		for !slices.Contains(server.events, "eof") {
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		server.transport.PauseReading()
		server.transport.ResumeReading()
		for range 10 {
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		server.transport.Close()
		if _, err := server.lost.Await(ctx); err != nil {
			return err
		}
		if want := []string{"made", "eof", "lost"}; !slices.Equal(server.events, want) {
			t.Errorf("the protocol was told %v, want %v", server.events, want)
		}
		return nil
	})
}
