//go:build linux

package main

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// On virtual time: who waits for the descriptor is woken as often as a piece came, three times; who polls, every 10 ms until
// 320, the first after 315.
func TestLibpq(t *testing.T) {
	const want = `its descriptor: "forty-two", woken 3 times
polling: "forty-two", woken 32 times
`
	aiotest.Run(t, func(ctx context.Context) error {
		var out strings.Builder
		err := run(ctx, &out)
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
		return err
	})
}

// An answer that is there already wakes nobody, and one function is for all callers: a plain goroutine, and tasks.
func TestLibpq_there(t *testing.T) {
	loop := aio.Start()
	defer loop.Close()
	c, server, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.finish()
	defer syscall.Close(server)
	if _, err := syscall.Write(server, []byte("one\ntwo\n")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"one", "two"} {
		answer, woken, err := readAsync(loop.Context(), c)
		if answer != want || woken != 1-i || err != nil {
			t.Errorf("got %q, woken %d times, %v; want %q, woken %d times", answer, woken, err, want, 1-i)
		}
	}
}

// The end of ctx ends the waiting, and so does that of the server.
func TestLibpq_ends(t *testing.T) {
	for name, read := range map[string]reader{"descriptor": readAsync, "polling": readPolling} {
		t.Run(name, func(t *testing.T) {
			aiotest.Run(t, func(ctx context.Context) error {
				c, server, err := open()
				if err != nil {
					return err
				}
				defer c.finish()
				soon, cancel := aio.WithTimeout(ctx, 10*every)
				defer cancel()
				if _, _, err := read(soon, c); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("without an answer: %v, want the end of ctx", err)
				}
				if err := syscall.Close(server); err != nil {
					return err
				}
				if answer, _, err := read(ctx, c); err == nil {
					t.Errorf("without a server the answer is %q", answer)
				}
				return nil
			})
		})
	}
}
