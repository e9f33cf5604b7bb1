//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// A protocol is told of everything however long no task of its loop runs: what tasks may do in a row is not counted for
// callbacks.
func TestServeProtocol_manyTurns(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		served := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			return aionet.ServeProtocol(ctx, l, func() aionet.Protocol {
				r := newRecorder()
				r.onData = func(p []byte) { r.transport.Write(p) }
				return r
			})
		}))
		err = inGoroutine(ctx, func(ctx context.Context) error {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				return err
			}
			defer c.Close()
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			buf := make([]byte, 1)
			for range 1000 {
				if _, err := c.Write(buf); err != nil {
					return err
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return err
		}
		_, err = served.Await(ctx)
		return err
	})
}
