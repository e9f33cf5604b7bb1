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
// A time limit for one call is a ctx of aio.WithTimeout, by [Conn.WithContext]; goroutines, which have no context of
// their own, may also set deadlines. TCP_NODELAY is set on every TCP connection, and keep-alive is on.
//
// # Tests
//
// Have both ends be tasks of one loop, in aiotest.Run: there limits are virtual, and what a task has written another
// reads before time passes, see package aiotest. A peer elsewhere needs real time. In a testing/synctest bubble time
// stands still while a task waits for a connection, and net.Pipe waits on channels, which holds the loop: take
// a pair of [Listen] and [Dial].
//
// # Libraries in tasks
//
// Whatever reads and writes in its caller's goroutine works in a task unchanged: bufio, crypto/tls, fasthttp,
// gorilla/websocket, redigo, pgx (its Conn, by Config.DialFunc), clients that are made around a net.Conn. One task to a connection, or one that
// reads and one that writes, where the library lets two goroutines do so.
//
// What hands the connection to goroutines of its own, and waits for them on a channel, must not be called
// in a task, for that would stop the loop, and for good if what it waits for is another task. Look for
// four things:
//
//   - A client that serves many callers: net/http's; go-redis's, and all with a pool whose callers wait for a
//     connection that another one has: pgxpool, and database/sql with a limit. A connection for each task needs no pool.
//   - A call that takes a context, where the same call without one does not: redigo's DoContext has a
//     goroutine make the call, its Do makes it itself. That loses nothing: a task's own context ends its reads
//     and writes anyway.
//   - A call that reads and writes at the same time: pgx's CopyFrom, and its statements and batches that are larger than
//     what the server takes at once.
//   - A mutex that is held during a call: two tasks must not use one tls.Conn before its handshake
//     is done: call HandshakeContext first. Nor may two tasks ever write to one tls.Conn at the same time, or to a
//     log.Logger over a Conn: the second waits for the mutex with its loop. Have one task write, from an
//     [aio.Queue], or take an [aio.Mutex].
//
// Call these through [aio.Blocking]; their connections may still be ours ([Dialer.DialContext]). aio's watchdog names
// the line where a task holds its loop, see [aio.WithSlowStep]. Servers that start a goroutine for each
// connection, as net/http's, work on a [Listener] from a goroutine.
//
// pgx says "conn closed" when a task's end has ended its read: it keeps the cause of timeouts only. Ask the context.
//
// A tls.Conn writes no more after a deadline, or the end of a context, has ended a Write: that is crypto/tls, on any
// connection. Close it then.
//
// # Where it works
//
// On Linux, macOS and the BSDs. Elsewhere [Dial] and [Listen] fail with an error that Is
// errors.ErrUnsupported: use package net in goroutines, and aio.Blocking.
package aionet
