//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/seed8b1f0744/aio"
)

// Many buffers of many lengths, empty ones and one bigger than the system takes at a time among them, come whole
// and in order, and are taken out of the slice; from a task and from a goroutine.
func TestConn_buffers(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		run(t, func(ctx context.Context) error {
			client, server := pair(ctx, t, network, address)
			return eachCaller(ctx, func(ctx context.Context) error {
				var v net.Buffers
				var want []byte
				for i := range 300 { // more than fit into one call
					p := bytes.Repeat([]byte{byte(i)}, i*7%50)
					if i == 150 {
						p = bytes.Repeat([]byte("big"), 1<<20)
					}
					v, want = append(v, p), append(want, p...)
				}
				all := v
				wrote := beside(ctx, func(context.Context) error {
					n, err := client.ReadFrom(&v)
					if n != int64(len(want)) || len(v) != 0 {
						t.Errorf("%d bytes of %d, and %d buffers are left", n, len(want), len(v))
					}
					return err
				})
				got := make([]byte, len(want))
				if _, err := io.ReadFull(server, got); err != nil {
					return err
				}
				if !bytes.Equal(got, want) {
					t.Error("other bytes came than were sent")
				}
				if err := wrote(); err != nil {
					return err
				}
				for i, p := range all {
					if p != nil {
						t.Errorf("buffer %d is still held", i)
					}
				}
				return nil
			})
		})
	})
}

// A vectored write is whole: no other Write comes between its buffers.
func TestConn_buffersAreOneWrite(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		const size = 1 << 20 // more than the system holds for a reader that has not begun
		write := aio.Go(ctx, aio.Do(func(context.Context) error {
			v := net.Buffers{bytes.Repeat([]byte("a"), 4*size), bytes.Repeat([]byte("a"), 4*size)}
			_, err := client.ReadFrom(&v)
			return err
		}))
		waiting(ctx, t, write)
		other := beside(ctx, func(context.Context) error { _, err := client.Write(bytes.Repeat([]byte("b"), size)); return err })
		got := make([]byte, 9*size)
		if _, err := io.ReadFull(server, got); err != nil {
			return err
		}
		if i := bytes.IndexByte(got, 'b'); i != 8*size {
			t.Errorf("another Write began after %d bytes, want after %d", i, 8*size)
		}
		_, err := write.Await(ctx)
		return errors.Join(err, other())
	})
}

// What was not written when the wait ended is what is left.
func TestConn_buffersLeft(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		const count, size = 1000, 1 << 16
		v := make(net.Buffers, count)
		for i := range v {
			v[i] = bytes.Repeat([]byte{byte(i)}, size)
		}
		var wrote int64
		write := aio.Go(inner, aio.Do(func(context.Context) (err error) {
			wrote, err = client.ReadFrom(&v)
			return err
		}))
		waiting(ctx, t, write)
		cancel()
		if _, err := write.Await(ctx); !errors.Is(err, aio.ErrCancelled) {
			t.Errorf("%v, want ErrCancelled", err)
		}
		left := int64(0)
		for _, p := range v {
			left += int64(len(p))
		}
		if wrote == 0 || wrote+left != count*size {
			t.Errorf("%d written and %d left are not %d", wrote, left, count*size)
		}
		if err := client.Close(); err != nil {
			return err
		}
		got, err := io.Copy(io.Discard, server)
		if got != wrote {
			t.Errorf("%d bytes came, of %d that are said to be written", got, wrote)
		}
		return err
	})
}
