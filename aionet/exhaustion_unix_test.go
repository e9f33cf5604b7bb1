//go:build linux || darwin || freebsd

package aionet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

const exhaustionChild = "AIONET_TEST_EXHAUSTION"

// Without descriptors a server goes on with what it has, does not spin, and takes the connections that
// wait once there are some. In a process of its own, for the limit is the process's.
func TestServe_exhaustion(t *testing.T) {
	if os.Getenv(exhaustionChild) != "" {
		serveExhausted(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestServe_exhaustion$", "-test.v")
	cmd.Env = append(os.Environ(), exhaustionChild+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func serveExhausted(t *testing.T) {
	run(t, func(ctx context.Context) error {
		addr := serve(ctx, t, "tcp", "127.0.0.1:0", func(_ context.Context, c *aionet.Conn) error {
			return echoOnce(c)
		})
		first, err := aionet.Dial(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		defer first.Close()
		if err := ask(first); err != nil {
			return err
		}
		// The client has its descriptor, the server gets none.
		second, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		defer second.Close()
		hoard := exhaust(t)
		third, err := aionet.Dial(ctx, "tcp", addr)
		if !errors.Is(err, syscall.EMFILE) {
			return fmt.Errorf("a dial without descriptors: %v, %w", third, err)
		}
		l, _ := aio.LoopOf(ctx)
		before := l.Stats().Iterations
		if err := aio.Sleep(ctx, 50e6); err != nil { // what a spinning loop would do in this time is what is looked at
			return err
		}
		if n := l.Stats().Iterations - before; n > 200 {
			t.Errorf("%d iterations while there was nothing to do", n)
		}
		for _, fd := range hoard {
			_ = syscall.Close(fd)
		}
		_, err = aio.Blocking(ctx, aio.Do(func(context.Context) error { return ask(second) }))
		return err
	})
}

// exhaust takes all descriptors that are left.
func exhaust(t *testing.T) (hoard []int) {
	limit := syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = 64
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	for {
		fd, err := syscall.Dup(0)
		if err == syscall.EMFILE {
			return hoard
		}
		if err != nil {
			t.Fatal(err)
		}
		hoard = append(hoard, fd)
	}
}

func echoOnce(c net.Conn) error {
	b := make([]byte, 1)
	if _, err := c.Read(b); err != nil {
		return err
	}
	if _, err := c.Write(b); err != nil {
		return err
	}
	_, _ = c.Read(b)
	return nil
}
