//go:build unix

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// Each of ten clients is told what the nine others say, each other's lines in their order, and at SIGTERM the
// last line and the end.
func TestChat(t *testing.T) {
	const clients, each = 10, 5
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		server := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return chat(ctx, l, syscall.SIGTERM) }))

		var conns []*aionet.Conn
		var ins []*bufio.Reader
		for i := range clients {
			c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
			if err != nil {
				return err
			}
			defer c.Close()
			in := bufio.NewReader(c)
			if i > 0 { // whom nobody would hear
				if _, err := fmt.Fprintln(c, "here"); err != nil {
					return err
				}
			}
			for _, before := range ins { // when all who were there are told so, this one is there
				if line, err := before.ReadString('\n'); line != "here\n" {
					return fmt.Errorf("told %q: %w", line, err)
				}
			}
			conns, ins = append(conns, c), append(ins, in)
		}

		for i, c := range conns {
			for n := range each {
				if _, err := fmt.Fprintf(c, "%d %d\n", i, n); err != nil {
					return err
				}
			}
		}
		for i, in := range ins {
			next := map[int]int{}
			for range (clients - 1) * each {
				var who, n int
				if _, err := fmt.Fscanf(in, "%d %d\n", &who, &n); err != nil {
					return fmt.Errorf("client %d: %w", i, err)
				}
				if who == i || n != next[who] {
					t.Errorf("client %d is told %d by %d, want %d", i, n, who, next[who])
				}
				next[who]++
			}
		}

		if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
			return err
		}
		for i, in := range ins {
			rest, err := io.ReadAll(in)
			if string(rest) != "the server ends\n" || err != nil {
				t.Errorf("client %d at the end: %q, %v", i, rest, err)
			}
		}
		_, err = server.Await(ctx)
		return err
	}))
	if err != nil {
		t.Error(err)
	}
}
