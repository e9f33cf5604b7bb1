//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
	"github.com/seed8b1f0744/aio/aiotest"
)

// Between two tasks of one loop no message takes virtual time: no limit of an hour comes before the answer.
func TestConn_virtualRoundTrips(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		aiotest.Run(t, func(ctx context.Context) error {
			const trips = 300
			addr := serve(ctx, t, network, address, func(_ context.Context, c *aionet.Conn) error {
				_, err := io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{c}, make([]byte, 16))
				return err
			})
			c, err := aionet.Dial(ctx, network, addr)
			if err != nil {
				return err
			}
			defer c.Close()
			began := aio.Now(ctx)
			for i := range trips {
				soon, cancel := aio.WithTimeout(ctx, time.Hour)
				limited := c.WithContext(soon)
				_, err := limited.Write([]byte("?"))
				if err == nil {
					_, err = limited.Read(make([]byte, 1))
				}
				cancel()
				if err != nil {
					return fmt.Errorf("round trip %d of %d: %w", i, trips, err)
				}
			}
			if took := aio.Now(ctx).Sub(began); took != 0 {
				t.Errorf("they took %v of virtual time", took)
			}
			return nil
		})
	})
}
