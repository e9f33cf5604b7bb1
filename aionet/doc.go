// Package aionet brings connections to the loop of package aio: asyncio's streams, transports and
// protocols, and sockets below them.
//
// A [Conn] is a net.Conn of one color. In a task its Read and Write suspend the task and others run;
// in any other goroutine they block that, through the poller of Go's runtime, and need no loop. Both
// may use one Conn at the same time: a task that reads, a goroutine that writes.
//
//	aio.Run(ctx, aio.Do(func(ctx context.Context) error {
//		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:7")
//		if err != nil {
//			return err
//		}
//		return aionet.Serve(ctx, l, func(ctx context.Context, c *aionet.Conn) error {
//			_, err := io.Copy(c, c)
//			return err
//		})
//	}))
//
// # Libraries in tasks
//
// Whatever reads and writes in its caller's goroutine works in a task unchanged: bufio, crypto/tls,
// clients that are made around a net.Conn. What hands the connection to goroutines of its own, and
// waits for them on a channel, must not be called in a task, for that would stop the loop: net/http's client
// does so. Call it through [aio.Blocking]; its connections may still be ours ([Dialer.DialContext]). Servers
// that start a goroutine for each connection, as net/http's, work on a [Listener] from a goroutine.
//
// Neither may two tasks use one tls.Conn before its handshake is done: it holds a sync.Mutex over
// it. Call HandshakeContext first.
//
// # Where it works
//
// On Linux, macOS and the BSDs. Elsewhere [Dial] and [Listen] fail with an error that Is
// errors.ErrUnsupported: use package net in goroutines, and aio.Blocking.
package aionet
