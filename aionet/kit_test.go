//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// run runs fn in a loop whose failures are the test's.
func run(t *testing.T, fn func(context.Context) error) {
	t.Helper()
	hooks := aio.Hooks{Unhandled: func(f aio.Failure) { t.Errorf("unhandled, of %q: %v", f.Task.Name, f.Err) }}
	if _, err := aio.Run(t.Context(), aio.Do(fn), aio.WithHooks(hooks)); err != nil {
		t.Error(err)
	}
}

// eachNetwork runs a test on all kinds of connections; address is one to listen on.
func eachNetwork(t *testing.T, test func(t *testing.T, network, address string)) {
	t.Run("tcp", func(t *testing.T) { test(t, "tcp", "127.0.0.1:0") })
	t.Run("unix", func(t *testing.T) { test(t, "unix", filepath.Join(t.TempDir(), "s")) })
}

// eachCaller runs fn in the calling task, and then in a goroutine.
func eachCaller(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := fn(ctx); err != nil {
		return errors.Join(errors.New("in a task"), err)
	}
	if err := inGoroutine(ctx, fn); err != nil {
		return errors.Join(errors.New("in a goroutine"), err)
	}
	return nil
}

// inGoroutine calls fn in a goroutine, and has the calling task wait for it.
func inGoroutine(ctx context.Context, fn func(context.Context) error) error {
	_, err := aio.Blocking(ctx, aio.Do(fn))
	return err
}

// beside runs fn in a task and, if called in a task, in a goroutine: whatever the caller is not.
func beside(ctx context.Context, fn func(context.Context) error) (wait func() error) {
	l, _ := aio.LoopOf(ctx)
	if !aio.InTask() {
		task := aio.Submit(ctx, l, aio.Do(fn))
		return func() error { _, err := task.Await(ctx); return err }
	}
	p := aio.NewPromise[struct{}]()
	go func() {
		if err := fn(ctx); err != nil {
			p.Reject(err)
		} else {
			p.Resolve(struct{}{})
		}
	}()
	return func() error { _, err := p.Await(ctx); return err }
}

// waiting lets others run until the task waits for a descriptor.
func waiting[T any](ctx context.Context, t *testing.T, task *aio.Task[T]) {
	t.Helper()
	l, _ := aio.LoopOf(ctx)
	for {
		for _, info := range l.Tasks() {
			if info.Name == task.Name() && info.State == "waiting" {
				return
			}
		}
		if task.State() != aio.Pending {
			_, err := task.Result()
			t.Fatalf("the task is over, with %v, and should wait", err)
		}
		if err := aio.Yield(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// serve serves in a task of its own until the test is over, and returns the address.
func serve(ctx context.Context, t *testing.T, network, address string, handle func(context.Context, *aionet.Conn) error) string {
	t.Helper()
	l, err := aionet.Listen(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	aio.Go(ctx, aio.Do(func(ctx context.Context) error { return aionet.Serve(ctx, l, handle) }))
	return l.Addr().String()
}

// pair is both ends of a connection, closed when the test is over.
func pair(ctx context.Context, t *testing.T, network, address string) (client, server *aionet.Conn) {
	t.Helper()
	l, err := aionet.Listen(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := aio.Go(ctx, func(context.Context) (net.Conn, error) { return l.Accept() })
	client, err = aionet.Dial(ctx, network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := accepted.Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	server = c.(*aionet.Conn)
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}

// dialedBy is a connection that package net has dialed, and its other end.
func dialedBy(ctx context.Context, t *testing.T, network, address string) (peer net.Conn, c *aionet.Conn) {
	t.Helper()
	l, err := aionet.Listen(ctx, network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if peer, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = accepted.Close() })
	return peer, accepted.(*aionet.Conn)
}

func ask(c net.Conn) error {
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	_, err := c.Read(make([]byte, 1))
	return err
}
