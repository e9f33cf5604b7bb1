//go:build unix

package main

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// A real pipe on virtual time: how often one has to ask is exact. The words come at 35, 70 and 105 ms, and
// are found at 40, 70 (the device's timer was armed first) and 110.
func TestPoll(t *testing.T) {
	const want = `questions: 5, answer: "ready"
questions: 4, answer: "steady"
questions: 5, answer: "go"
questions: 1, then it hung up
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

// Other tasks run between two questions, and the end of ctx ends the asking.
func TestPoll_others(t *testing.T) {
	aiotest.Run(t, func(ctx context.Context) error {
		var pipe [2]int
		if err := syscall.Pipe(pipe[:]); err != nil {
			return err
		}
		defer syscall.Close(pipe[1])
		defer syscall.Close(pipe[0])
		if err := syscall.SetNonblock(pipe[0], true); err != nil {
			return err
		}
		turns := 0
		other := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			for {
				if err := aio.Sleep(ctx, every); err != nil {
					return err
				}
				turns++
			}
		}))
		defer other.Cancel(nil)
		soon, cancel := aio.WithTimeout(ctx, time.Second+every/2)
		defer cancel()
		_, asked, err := read(soon, pipe[0])
		if !errors.Is(err, context.DeadlineExceeded) || asked != 101 || turns != 100 {
			t.Errorf("asked %d times while another task had %d turns, then %v; want 101, 100 and the end of ctx", asked, turns, err)
		}
		return nil
	})
}
