//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// places are where one Conn may be used at the same time.
var places = []string{"a task", "a task of another loop", "a goroutine"}

// in runs fn at a place, beside the caller.
func in(ctx context.Context, place string, other *aio.Loop, fn func(context.Context) error) (wait func() error) {
	switch place {
	case "a goroutine":
		return beside(ctx, fn)
	case "a task":
		task := aio.Go(ctx, aio.Do(fn))
		return func() error { _, err := task.Await(ctx); return err }
	default:
		task := aio.Submit(other.Context(), other, aio.Do(fn))
		return func() error { _, err := task.Await(ctx); return err }
	}
}

func otherLoop(t *testing.T) *aio.Loop {
	l := aio.Start(aio.WithHooks(aio.Hooks{Unhandled: func(f aio.Failure) { t.Errorf("unhandled, of the other loop: %v", f.Err) }}))
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// One Conn is read at one place and written at another, whichever these are, more than any buffer holds.
func TestConn_places(t *testing.T) {
	for _, reader := range places {
		for _, writer := range places {
			t.Run(fmt.Sprintf("read in %s, written in %s", reader, writer), func(t *testing.T) {
				other := otherLoop(t)
				run(t, func(ctx context.Context) error {
					client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
					sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
					echo := in(ctx, "a task", other, func(context.Context) error {
						_, err := io.Copy(server, server)
						return errors.Join(err, server.CloseWrite())
					})
					var got []byte
					read := in(ctx, reader, other, func(context.Context) (err error) { got, err = io.ReadAll(client); return err })
					write := in(ctx, writer, other, func(context.Context) error {
						_, err := client.Write(sent)
						return errors.Join(err, client.CloseWrite())
					})
					err := errors.Join(write(), read(), echo())
					if !bytes.Equal(got, sent) {
						t.Errorf("%d bytes came back of %d", len(got), len(sent))
					}
					return err
				})
			})
		}
	}
}

// Many at each place read one Conn at the same time: each byte goes to one of them, none is lost, and the end of
// the stream is told to all. Then the same for those who write: their Writes do not mix.
func TestConn_crowd(t *testing.T) {
	other := otherLoop(t)
	run(t, func(ctx context.Context) error {
		const each, rounds = 3, 200
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		var came [256]atomic.Int32
		var all []func() error
		for _, place := range places {
			for range each {
				all = append(all, in(ctx, place, other, func(context.Context) error {
					for b := make([]byte, 3); ; {
						n, err := client.Read(b)
						for _, v := range b[:n] {
							came[v].Add(1)
						}
						if err != nil {
							if err == io.EOF {
								return nil
							}
							return err
						}
					}
				}))
			}
		}
		one := make([]byte, 256)
		for i := range one {
			one[i] = byte(i)
		}
		for range rounds { // so small that most readers find nothing and wait
			for _, part := range [][]byte{one[:1], one[1:10], one[10:]} {
				if _, err := server.Write(part); err != nil {
					return err
				}
				if err := aio.Yield(ctx); err != nil {
					return err
				}
			}
		}
		if err := server.CloseWrite(); err != nil {
			return err
		}
		for _, wait := range all {
			if err := wait(); err != nil {
				return err
			}
		}
		for i := range came {
			if n := came[i].Load(); n != rounds {
				t.Errorf("byte %d came %d times, want %d", i, n, rounds)
			}
		}
		return crowdWrites(ctx, t, other, client, server)
	})
}

func crowdWrites(ctx context.Context, t *testing.T, other *aio.Loop, from, to *aionet.Conn) error {
	const times, size = 4, 1 << 16
	var all []func() error
	for i, place := range places {
		all = append(all, in(ctx, place, other, func(context.Context) error {
			for range times {
				if _, err := from.Write(bytes.Repeat([]byte{byte(i)}, size)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	var count [3]int
	for range times * len(places) {
		got := make([]byte, size)
		if _, err := io.ReadFull(to, got); err != nil {
			return err
		}
		if bytes.Count(got, got[:1]) != size {
			t.Error("Writes are mixed")
		}
		count[got[0]]++
	}
	if count != [3]int{times, times, times} {
		t.Errorf("got %v writes", count)
	}
	var errs []error
	for _, wait := range all {
		errs = append(errs, wait())
	}
	return errors.Join(errs...)
}

// Close ends the waits at all places at once; and the end of one loop ends those of its tasks only.
func TestConn_closedForAll(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		read := func(context.Context) error { _, err := client.Read(make([]byte, 1)); return err }
		gone := otherLoop(t)
		task := aio.Submit(gone.Context(), gone, aio.Do(read))
		here, goroutine := aio.Go(ctx, aio.Do(read)), beside(ctx, read)
		waiting(ctx, t, here)
		if err := gone.Close(); err != nil {
			return err
		}
		if _, err := task.Await(ctx); !errors.Is(err, aio.ErrCancelled) {
			t.Errorf("in the loop that was closed: %v, want ErrCancelled", err)
		}
		if here.State() != aio.Pending {
			t.Error("another loop's end ended the wait of ours")
		}
		if _, err := server.Write([]byte("xy")); err != nil {
			return err
		}
		_, err := here.Await(ctx)
		if err := errors.Join(err, goroutine()); err != nil {
			return err
		}
		third := otherLoop(t)
		var ends []func() error
		for _, place := range places {
			ends = append(ends, in(ctx, place, third, read))
		}
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		if err := client.Close(); err != nil {
			return err
		}
		for i, end := range ends {
			if err := end(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("in %s: %v, want net.ErrClosed", places[i], err)
			}
		}
		return nil
	})
}
