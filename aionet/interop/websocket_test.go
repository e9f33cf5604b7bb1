package interop_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// hijacked is the http.ResponseWriter of a connection that speaks WebSocket from its first request on.
type hijacked struct {
	http.ResponseWriter // none: nothing but Hijack is called, if the request is in order
	conn                net.Conn
	buf                 *bufio.ReadWriter
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.conn, h.buf, nil }

// upgrade reads a request, and makes a WebSocket of the connection that it came by.
func upgrade(c net.Conn) (*websocket.Conn, error) {
	buf := bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
	r, err := http.ReadRequest(buf.Reader)
	if err != nil {
		return nil, err
	}
	if !websocket.IsWebSocketUpgrade(r) {
		return nil, errors.New("the request is not a WebSocket's")
	}
	return new(websocket.Upgrader).Upgrade(hijacked{conn: c, buf: buf}, r, nil)
}

// A WebSocket reads and writes in its caller's goroutine: server and clients are tasks, and each client is two, one that
// writes and one that reads.
func TestWebSocket(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			return aionet.Serve(ctx, l, func(_ context.Context, c *aionet.Conn) error { return echo(t, c) })
		}))
		client := websocket.Dialer{NetDialContext: dialer.DialContext}
		return each(ctx, 10, func(ctx context.Context, i int) error {
			c, _, err := client.DialContext(ctx, "ws://"+l.Addr().String(), nil)
			if err != nil {
				return err
			}
			defer c.Close()
			return talk(ctx, c, i)
		})
	})
}

// echo sends back what comes until the other side closes.
func echo(t *testing.T, conn net.Conn) error {
	c, err := upgrade(conn)
	if err != nil {
		return err
	}
	if !aio.InTask() {
		t.Error("the server runs in no task")
	}
	for {
		kind, p, err := c.ReadMessage()
		if websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.WriteMessage(kind, p); err != nil {
			return err
		}
	}
}

// talk sends messages of up to 40 KB while it reads their echo.
func talk(ctx context.Context, c *websocket.Conn, i int) error {
	const messages = 30
	message := func(j int) string { return fmt.Sprint(i, "-", j, strings.Repeat(" long", j*j*10)) }
	writes := aio.Go(ctx, aio.Do(func(context.Context) error {
		for j := range messages {
			if err := c.WriteMessage(websocket.TextMessage, []byte(message(j))); err != nil {
				return err
			}
		}
		return nil
	}))
	for j := range messages {
		if _, p, err := c.ReadMessage(); err != nil || string(p) != message(j) {
			return fmt.Errorf("message %d of %d: %d bytes, %w", j, i, len(p), errors.Join(err, errors.New("not what was sent")))
		}
	}
	if _, err := writes.Await(ctx); err != nil {
		return err
	}
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := c.WriteMessage(websocket.CloseMessage, bye); err != nil {
		return err
	}
	if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		return fmt.Errorf("the end: %w", err)
	}
	return nil
}
