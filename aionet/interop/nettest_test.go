package interop_test

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/seed8b1f0744/aio/aionet"
)

// Go's own conformance of connections. nettest calls from goroutines of its own, so this is about
// them; what it asks of tasks as well, aionet's tests say. On crypto/tls: TestTLS_nettest.
func TestConn_nettest(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) { return pipe(t, network) })
		})
	}
}

func pipe(t *testing.T, network string) (c1, c2 net.Conn, stop func(), err error) {
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := aionet.Listen(context.Background(), network, address)
	if err != nil {
		return nil, nil, nil, err
	}
	defer l.Close()
	accepted := make(chan error, 1)
	go func() {
		var err error
		c2, err = l.Accept()
		accepted <- err
	}()
	if c1, err = aionet.Dial(context.Background(), network, l.Addr().String()); err != nil {
		return nil, nil, nil, err
	}
	if err := <-accepted; err != nil {
		return nil, nil, nil, err
	}
	return c1, c2, func() { _, _ = c1.Close(), c2.Close() }, nil
}
