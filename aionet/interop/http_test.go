package interop_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// net/http's client has each connection read and written by goroutines of its own, and waits for them on channels: in a
// task that holds the loop until the answer has come. The server, on our listener, has goroutines as well.
func TestHTTP_client(t *testing.T) {
	l, err := aionet.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	may := make(chan struct{}, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-may
		_, _ = io.WriteString(w, "hello")
	})}
	served := make(chan error)
	go func() { served <- server.Serve(l) }()
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	get := func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.Addr().String(), nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(req)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "hello" {
			return fmt.Errorf("the answer is %q, %w", body, err)
		}
		return nil
	}
	t.Run("in a task", func(t *testing.T) {
		stalls(t, "net/http.(*Client)", func() { may <- struct{}{} }, get)
	})
	t.Run("through Blocking", func(t *testing.T) {
		flows(t, "net/http", func(ctx context.Context) error {
			got := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				_, err := aio.Blocking(ctx, aio.Do(get))
				return err
			}))
			may <- struct{}{} // the loop is free to say so
			_, err := got.Await(ctx)
			return err
		})
	})
	client.CloseIdleConnections()
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
}

// fasthttp's Serve takes connections from our listener, and gives them to goroutines of its own; its clients are tasks.
func TestFasthttp_Serve(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := &fasthttp.Server{Handler: func(c *fasthttp.RequestCtx) {
			if aio.InTask() {
				t.Error("a handler runs in a task")
			}
			fmt.Fprintf(c, "hello %s", c.QueryArgs().Peek("who"))
		}}
		served := aio.NewPromise[struct{}]()
		go func() {
			if err := server.Serve(l); err != nil {
				served.Reject(err)
			} else {
				served.Resolve(struct{}{})
			}
		}()
		err = each(ctx, 10, func(ctx context.Context, i int) error {
			return askFasthttp(ctx, l.Addr(), i)
		})
		_, stopped := aio.Blocking(ctx, aio.Do(func(context.Context) error { return server.Shutdown() }))
		_, ended := served.Await(ctx)
		return errors.Join(err, stopped, ended)
	})
}

// askFasthttp asks 20 times, by a client of its own, so that no task waits for the pool of another.
func askFasthttp(ctx context.Context, server net.Addr, i int) error {
	client := fasthttp.HostClient{Addr: server.String(), MaxIdemponentCallAttempts: 1, Dial: func(addr string) (net.Conn, error) {
		return aionet.Dial(ctx, "tcp", addr)
	}}
	defer client.CloseIdleConnections()
	for j := range 20 {
		who := fmt.Sprint(i, "-", j)
		status, body, err := client.Get(nil, "http://"+server.String()+"/?who="+who)
		if err != nil || status != 200 || string(body) != "hello "+who {
			return fmt.Errorf("%d %q: %w", status, body, errors.Join(err, errors.New("not what was asked for")))
		}
	}
	return nil
}
