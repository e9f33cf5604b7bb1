//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// descriptorOf is c's number.
func descriptorOf(t *testing.T, c *aionet.Conn) (n int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { n = int(fd) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// refusesWaits checks that nobody else can wait for a connection's descriptor, nor take away what the connection has there.
// If somebody can it ends the test: the connection's own tasks may wait in vain then.
func refusesWaits(ctx context.Context, t *testing.T, fd int) {
	t.Helper()
	l, _ := aio.LoopOf(ctx)
	for name, wait := range map[string]func() error{
		"Readable":  func() error { return aio.Readable(ctx, fd) },
		"Writable":  func() error { return aio.Writable(ctx, fd) },
		"AddReader": func() error { return l.AddReader(fd, func() {}) },
		"AddWriter": func() error { return l.AddWriter(fd, func() {}) },
	} {
		refused := aio.Go(ctx, aio.Do(func(context.Context) error { return wait() }))
		if err := aio.Yield(ctx); err != nil {
			t.Fatal(err)
		}
		if refused.State() == aio.Pending {
			t.Fatalf("%s of a connection's descriptor waits", name)
		}
		if _, err := refused.Result(); !errors.Is(err, errors.ErrUnsupported) {
			t.Fatalf("%s of a connection's descriptor: %v", name, err)
		}
	}
	if l.RemoveReader(fd) || l.RemoveWriter(fd) {
		t.Error("there was a callback to remove")
	}
}

// A connection's descriptor is its own, whether it is ready or not.
func TestConn_ownsDescriptor(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		fd := descriptorOf(t, server)
		p := make([]byte, 9)
		for range 2 {
			reads := aio.Go(ctx, func(context.Context) (int, error) { return server.Read(p) })
			waiting(ctx, t, reads)
			refusesWaits(ctx, t, fd)
			if _, err := client.Write([]byte("one")); err != nil {
				return err
			}
			refusesWaits(ctx, t, fd)
			if n, err := reads.Await(ctx); err != nil || string(p[:n]) != "one" {
				t.Errorf("read %q, %v", p[:n], err)
			}
		}
		return nil
	})
}

// What waited for a descriptor when a connection was first used in a task is told that it can't.
func TestConn_takesDescriptor(t *testing.T) {
	var told []error
	hooks := aio.Hooks{Unhandled: func(f aio.Failure) { told = append(told, f.Err) }}
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		client, server := dialedBy(ctx, t, "tcp", "127.0.0.1:0") // which no task has used yet
		fd := descriptorOf(t, server)
		calls := 0
		for _, add := range []func(int, func()) error{l.AddReader, l.AddWriter} {
			if err := add(fd, func() { calls++ }); err != nil {
				return err
			}
		}
		waits := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return aio.Readable(ctx, fd) }))
		waiting(ctx, t, waits)
		reads := aio.Go(ctx, func(context.Context) (int, error) { return server.Read(make([]byte, 9)) })
		waiting(ctx, t, reads)
		if _, err := waits.Await(ctx); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("who waited is told %v", err)
		}
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		if len(told) != 2 || slices.ContainsFunc(told, func(err error) bool { return !errors.Is(err, errors.ErrUnsupported) }) {
			t.Errorf("told of the callbacks: %v", told)
		}
		refusesWaits(ctx, t, fd)
		calls = 0
		if _, err := client.Write([]byte("some")); err != nil {
			return err
		}
		if n, err := reads.Await(ctx); n != 4 || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
		if calls != 0 {
			t.Errorf("the callbacks were called %d times", calls)
		}
		return nil
	}), aio.WithHooks(hooks))
	if err != nil {
		t.Error(err)
	}
}
