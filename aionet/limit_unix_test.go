//go:build linux || darwin || freebsd

package aionet_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

const limitChild = "AIONET_TEST_LIMIT"

const (
	descriptors = 1000 // that a server is allowed
	clients     = descriptors + 100
)

// A server that takes as many connections as its descriptors allow serves all of these; those that are too many wait,
// and are served when others have gone. The server is a process of its own, for the limit is the process's.
func TestListener_descriptorLimit(t *testing.T) {
	if os.Getenv(limitChild) != "" {
		serveLimited(t)
		return
	}
	var own syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &own); err != nil || own.Cur < clients+100 {
		t.Skipf("this process may have only %d descriptors, %v", own.Cur, err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestListener_descriptorLimit$", "-test.v")
	cmd.Env = append(os.Environ(), limitChild+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := &limitReport{lines: bufio.NewScanner(out)}
	run(t, func(ctx context.Context) error { return askLimited(ctx, t, told) })
	_ = in.Close()
	for told.lines.Scan() {
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// limitReport is what the server says.
type limitReport struct{ lines *bufio.Scanner }

// next is what follows key on the next line that begins with it.
func (r *limitReport) next(ctx context.Context, key string) (string, error) {
	return aio.Blocking(ctx, func(context.Context) (string, error) {
		for r.lines.Scan() {
			if value, ok := strings.CutPrefix(r.lines.Text(), key+" "); ok {
				return value, nil
			}
		}
		return "", fmt.Errorf("the server has ended without a word on %q", key)
	})
}

func askLimited(ctx context.Context, t *testing.T, told *limitReport) error {
	address, err := told.next(ctx, "address")
	if err != nil {
		return err
	}
	var all []*aionet.Conn
	defer func() {
		for _, c := range all {
			_ = c.Close()
		}
	}()
	for range clients { // those that are not taken wait in the system's queue
		c, err := aionet.Dial(ctx, "tcp", address)
		if err != nil {
			return err
		}
		all = append(all, c)
		if err := aio.Yield(ctx); err != nil { // to dial one that answers at once is nothing to wait for
			return err
		}
	}
	text, err := told.next(ctx, "full")
	if err != nil {
		return err
	}
	taken := 0
	_, _ = fmt.Sscan(text, &taken)
	t.Logf("%d connections with %d descriptors", taken, descriptors)
	if taken < descriptors-20 || taken >= descriptors {
		t.Fatalf("the server was full with %d connections", taken)
	}
	for i, c := range all[:taken] {
		if err := ask(c); err != nil {
			return fmt.Errorf("connection %d of %d: %w", i, taken, err)
		}
	}
	for _, c := range all[:200] {
		_ = c.Close()
	}
	for i, c := range all[taken:] {
		if err := ask(c); err != nil {
			return fmt.Errorf("connection %d, which came when the server was full: %w", taken+i, err)
		}
	}
	return nil
}

func serveLimited(t *testing.T) {
	limit := syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = descriptors
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println("address", l.Addr())
		beside(ctx, func(context.Context) error {
			_, _ = io.Copy(io.Discard, os.Stdin)
			return l.Close()
		})
		for full, open := false, 0; ; {
			c, err := l.Accept()
			switch {
			case errors.Is(err, net.ErrClosed):
				return nil
			case errors.Is(err, syscall.EMFILE):
				if !full {
					fmt.Println("full", open)
				}
				full = true
				continue
			case err != nil:
				return err
			}
			open++
			aio.Go(ctx, aio.Do(func(context.Context) error {
				defer c.Close()
				_, _ = io.Copy(c, c)
				return nil
			}))
		}
	})
}
