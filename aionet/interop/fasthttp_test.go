package interop_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// fasthttp's server serves each connection in a task, and its client asks in tasks: both read and write in
// their caller's goroutine.
func TestFasthttp(t *testing.T) {
	run(t, func(ctx context.Context) error {
		server := &fasthttp.Server{Handler: func(c *fasthttp.RequestCtx) {
			if !aio.InTask() {
				t.Error("a handler runs in no task")
			}
			fmt.Fprintf(c, "hello %s", c.QueryArgs().Peek("who"))
		}}
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		served, stop := context.WithCancel(ctx)
		defer stop()
		aio.Go(served, aio.Do(func(ctx context.Context) error {
			return aionet.Serve(ctx, l, func(_ context.Context, c *aionet.Conn) error { return server.ServeConn(c) })
		}))
		return each(ctx, 10, func(ctx context.Context, i int) error { return askFasthttp(ctx, l.Addr(), i) })
	})
}
