//go:build linux || darwin || freebsd

package aionet_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// mostAtOnce is more than a task may do at connections before others have their turn.
const mostAtOnce = 150

// longestRun has a task do something again and again, and tells how often it did before another one had its turn, at most.
func longestRun(ctx context.Context, t *testing.T, times int, do func(ctx context.Context, i int) error) (longest, turns int) {
	t.Helper()
	run := 0
	busy := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
		for i := range times {
			if err := do(ctx, i); err != nil {
				return err
			}
			run++
		}
		return nil
	}))
	for busy.State() == aio.Pending {
		if err := aio.Yield(ctx); err != nil {
			t.Fatal(err)
		}
		if run > 0 {
			longest, run = max(longest, run), 0
			turns++
		}
	}
	if _, err := busy.Await(ctx); err != nil {
		t.Fatal(err)
	}
	return longest, turns
}

// A task that finds all ready lets others run: one that dials what answers at once, that reads where there always is something, from one
// connection or from many in turns, or that writes where there always is room.
func TestConn_turns(t *testing.T) {
	const conns, times = 8, 2000
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		var near, far []*aionet.Conn
		for range conns {
			c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
			if err != nil {
				return err
			}
			defer c.Close()
			o, err := l.Accept()
			if err != nil {
				return err
			}
			defer o.Close()
			near, far = append(near, c), append(far, o.(*aionet.Conn))
		}
		fill := func() {
			for _, c := range far {
				if _, err := c.Write(make([]byte, times)); err != nil {
					t.Fatal(err)
				}
			}
		}
		p := make([]byte, 1)
		for name, do := range map[string]func(ctx context.Context, i int) error{
			"reads of one": func(context.Context, int) error { _, err := near[0].Read(p); return err },
			"reads of many": func(_ context.Context, i int) error {
				_, err := near[i%conns].Read(p)
				return err
			},
			"writes": func(_ context.Context, i int) error { _, err := near[i%conns].Write(p); return err },
			"reads and writes": func(_ context.Context, i int) error {
				c := near[i/2%conns]
				if i%2 == 0 {
					_, err := c.Read(p)
					return err
				}
				_, err := c.Write(p)
				return err
			},
		} {
			fill()
			if longest, turns := longestRun(ctx, t, times, do); longest > mostAtOnce || turns > times/50 {
				t.Errorf("%s: up to %d in a row, and %d turns of others in %d", name, longest, turns, times)
			}
		}
		return nil
	})
}

func TestDial_turns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := net.Listen("tcp", "127.0.0.1:0") // whose queue takes them
		if err != nil {
			return err
		}
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			}
		}()
		const times = 500
		longest, turns := longestRun(ctx, t, times, func(ctx context.Context, _ int) error {
			c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
			if err != nil {
				return err
			}
			return c.Close()
		})
		if longest > mostAtOnce {
			t.Errorf("up to %d in a row, and %d turns of others in %d", longest, turns, times)
		}
		return nil
	})
}
