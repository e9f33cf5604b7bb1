//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

var handsFor = flag.Duration("hands", 0, "how long each TestConn_hands goes on, with one seed after the other; 0: for one seed")

const (
	handReaders = 6
	handWriters = 4
	handWrites  = 100  // of each writer, of up to
	handBytes   = 3000 // bytes: readers find nothing often
)

// A Conn goes from hand to hand, as those of a pool do: each call is made somewhere else, in a task, in one of another
// loop, through Blocking, in a goroutine, several at a time, while contexts end, and deadlines are set and taken back by
// others. All that was written comes back from the other side, each byte once, and all calls end.
func TestConn_hands(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		began := time.Now()
		for seed := uint64(1); !t.Failed() && (seed == 1 || time.Since(began) < *handsFor); seed++ {
			run(t, func(ctx context.Context) error {
				h := &hands{t: t, seed: seed, other: otherLoop(t)}
				defer h.limit().Stop()
				defer h.other.Close()
				return h.play(ctx, network, address)
			})
		}
	})
}

// hands are all those that one Conn is in.
type hands struct {
	t     *testing.T
	seed  uint64
	other *aio.Loop
	conn  *aionet.Conn

	sent, came   [256]atomic.Int64 // how often each byte
	calls, ended atomic.Int64      // of the calls, those that a context or a deadline ended
}

// limit ends the program, and shows all stacks, if the calls do not end.
func (h *hands) limit() *time.Timer {
	return time.AfterFunc(time.Minute, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("with seed %d the calls of one Conn have not come to an end in a minute; those that wait are in the stacks below", h.seed))
	})
}

func (h *hands) play(ctx context.Context, network, address string) error {
	client, server := pair(ctx, h.t, network, address)
	defer client.Close()
	defer server.Close()
	h.conn = client
	r := h.random(0)
	echo := in(ctx, places[r.IntN(len(places))], h.other, func(context.Context) error {
		_, err := io.Copy(server, server)
		return errors.Join(err, server.CloseWrite())
	})
	var readers, writers []func() error
	for i := range handReaders {
		r := h.random(1 + i)
		readers = append(readers, beside(ctx, func(ctx context.Context) error { return h.reads(ctx, r) }))
	}
	for i := range handWriters {
		r := h.random(1 + handReaders + i)
		writers = append(writers, beside(ctx, func(ctx context.Context) error { return h.writes(ctx, r) }))
	}
	err := joined(writers)
	err = errors.Join(err, client.CloseWrite(), joined(readers), echo())
	h.account()
	return err
}

func (h *hands) random(i int) *rand.Rand { return rand.New(rand.NewPCG(h.seed, uint64(i))) }

// joined waits for all of them.
func joined(waits []func() error) (err error) {
	for _, wait := range waits {
		err = errors.Join(err, wait())
	}
	return err
}

// account checks that each byte came as often as it was sent, and that the calls met what they should meet.
func (h *hands) account() {
	for b := range h.sent {
		if sent, came := h.sent[b].Load(), h.came[b].Load(); sent != came {
			h.t.Errorf("with seed %d byte %d was sent %d times, and came %d times", h.seed, b, sent, came)
		}
	}
	if calls, ended := h.calls.Load(), h.ended.Load(); ended == 0 || ended == calls {
		h.t.Errorf("with seed %d %d of %d calls were ended by a context or a deadline, want some, not all", h.seed, ended, calls)
	}
}

// reads reads until the end of the stream.
func (h *hands) reads(ctx context.Context, r *rand.Rand) error {
	for p := make([]byte, handBytes); ; {
		n := 0
		err := h.call(ctx, r, h.conn.SetReadDeadline, func(c *aionet.Conn) (err error) {
			n, err = c.Read(p)
			return err
		})
		count(&h.came, p[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// writes writes all it has; of what a call leaves, it writes the rest in the next.
func (h *hands) writes(ctx context.Context, r *rand.Rand) error {
	for range handWrites {
		p := make([]byte, 1+r.IntN(handBytes))
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		for len(p) > 0 {
			n := 0
			err := h.call(ctx, r, h.conn.SetWriteDeadline, func(c *aionet.Conn) (err error) {
				n, err = c.Write(p)
				return err
			})
			count(&h.sent, p[:n])
			p = p[n:]
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func count(in *[256]atomic.Int64, p []byte) {
	for _, b := range p {
		in[b].Add(1)
	}
}

// call makes one call, at any place, which may be ended by any means: that is no error.
func (h *hands) call(ctx context.Context, r *rand.Rand, setDeadline func(time.Time) error, fn func(*aionet.Conn) error) error {
	c, soon, after := h.conn, time.Duration(r.IntN(300))*time.Microsecond, func() {}
	switch r.IntN(5) {
	case 0: // by nothing but its end
	case 1:
		inner, cancel := context.WithTimeout(ctx, soon)
		c, after = c.WithContext(inner), cancel
	case 2:
		inner, cancel := aio.WithTimeout(ctx, soon)
		c, after = c.WithContext(inner), cancel
	case 3:
		inner, cancel := context.WithCancel(ctx)
		c = c.WithContext(inner)
		after = afterward(r, cancel)
	case 4: // as pgx ends a call
		set := afterward(r, func() { _ = setDeadline(time.Unix(1, 0)) })
		after = func() {
			set()
			_ = setDeadline(time.Time{})
		}
	}
	defer after()
	err := h.somewhere(ctx, r, func() error { return fn(c) })
	h.calls.Add(1)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		h.ended.Add(1)
		return nil
	}
	return err
}

// afterward calls fn in a goroutine, a little later.
func afterward(r *rand.Rand, fn func()) (wait func()) {
	turns, done := r.IntN(100), make(chan struct{})
	go func() {
		defer close(done)
		for range turns {
			runtime.Gosched()
		}
		fn()
	}()
	return func() { <-done }
}

// somewhere calls fn at any place, and waits for it.
func (h *hands) somewhere(ctx context.Context, r *rand.Rand, fn func() error) error {
	l, _ := aio.LoopOf(ctx)
	do := func(context.Context) error { return fn() }
	switch r.IntN(4) {
	case 0:
		return fn()
	case 1:
		_, err := aio.Submit(ctx, l, aio.Do(do)).Await(ctx)
		return err
	case 2:
		_, err := aio.Submit(h.other.Context(), h.other, aio.Do(do)).Await(ctx)
		return err
	default:
		_, err := aio.Submit(ctx, l, aio.Do(func(ctx context.Context) error { return inGoroutine(ctx, do) })).Await(ctx)
		return err
	}
}
