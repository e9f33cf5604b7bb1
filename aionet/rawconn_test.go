//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// peek looks whether there is something to read, without waiting for it: so clients look whether a connection is
// still there before they use it again.
func peek(c *aionet.Conn) (n int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	called := raw.Read(func(fd uintptr) bool {
		n, _, err = syscall.Recvfrom(int(fd), make([]byte, 8), syscall.MSG_PEEK)
		return true
	})
	if called != nil {
		return 0, called
	}
	return n, err
}

// A function given to SyscallConn's Read is called though it is known that there is nothing to read; and nothing that it
// says is taken for more than it is.
func TestConn_peek(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		run(t, func(ctx context.Context) error {
			client, server := pair(ctx, t, network, address)
			return eachCaller(ctx, func(ctx context.Context) error {
				for round := range 3 {
					if n, err := peek(client); err != syscall.EAGAIN {
						return fmt.Errorf("round %d: %d bytes, %v, want EAGAIN", round, n, err)
					}
					if _, err := server.Write([]byte("four")); err != nil {
						return err
					}
					p := make([]byte, 8)
					if n, err := client.Read(p); err != nil || string(p[:n]) != "four" { // and so knows that there is no more
						return fmt.Errorf("round %d: %q, %w", round, p[:n], err)
					}
				}
				return nil
			})
		})
	})
}

// Who only ever looks lets others run all the same.
func TestConn_peeksFairly(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, _ := pair(ctx, t, "tcp", "127.0.0.1:0")
		over := false
		aio.Go(ctx, aio.Do(func(context.Context) error { over = true; return nil }))
		for i := 0; !over; i++ {
			if i == 100_000 {
				t.Fatal("others have no turn")
			}
			if _, err := peek(client); err != syscall.EAGAIN {
				return err
			}
		}
		return nil
	})
}
