// Heartbeat beats every millisecond while a request is made that takes 20 ms: once with the request
// on the loop, which stands still meanwhile (and says where), once with it in aio.Blocking, which
// nobody notices. It is asyncio's run_in_executor(None, ...), and what happens without it.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio"
)

const watched = 30 * time.Millisecond // how long we listen to the heart

// request blocks for 20 ms, as net/http does: it knows nothing of loops.
func request(client *http.Client, url string) (int, error) {
	answer, err := client.Get(url)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// beat returns the time from each beat to the next.
func beat(ctx context.Context) (gaps []time.Duration, err error) {
	began := aio.Now(ctx)
	for last := began; last.Sub(began) < watched; {
		if err := aio.Sleep(ctx, time.Millisecond); err != nil {
			return nil, err
		}
		now := aio.Now(ctx)
		gaps = append(gaps, now.Sub(last))
		last = now
	}
	return gaps, nil
}

// listen makes the request in a task beside the heartbeat. It returns the gaps between the beats,
// and what the loop said of steps that held it for 10 ms or more.
func listen(do func(context.Context) (int, error)) (gaps []time.Duration, reports []string, err error) {
	var said aio.Queue[string] // SlowStep is called by the loop's watchdog: it can, the loop cannot
	slow := func(s aio.SlowStep) {
		if s.Stack != nil { // it still holds the loop
			file, function, _ := strings.Cut(s.At, " ")
			_ = said.TryPut(fmt.Sprintf("task %q holds the loop at %s, in %s", s.Task.Name, filepath.Base(file), filepath.Base(function)))
		}
	}
	gaps, err = aio.Run(context.Background(), func(ctx context.Context) ([]time.Duration, error) {
		heart := aio.Go(ctx, beat)
		asked := aio.Go(ctx, func(ctx context.Context) (int, error) {
			if err := aio.Sleep(ctx, 5*time.Millisecond); err != nil {
				return 0, err
			}
			return do(ctx)
		}, aio.Named("request"))
		if _, err := asked.Await(ctx); err != nil {
			return nil, err
		}
		return heart.Await(ctx)
	}, aio.WithSlowStep(10*time.Millisecond), aio.WithHooks(aio.Hooks{SlowStep: slow}))
	said.Close()
	for report := range said.All(context.Background()) {
		reports = append(reports, report)
	}
	return gaps, reports, err
}

// compare prints both series.
func compare(out io.Writer, client *http.Client, url string) error {
	onLoop := func(context.Context) (int, error) { return request(client, url) } // the mistake
	inBlocking := func(ctx context.Context) (int, error) { return aio.Blocking(ctx, onLoop) }
	fmt.Fprintln(out, "a heartbeat every 1 ms, a request that takes 20 ms; ms from beat to beat:")
	for _, way := range []struct {
		name string
		do   func(context.Context) (int, error)
	}{{"request on the loop", onLoop}, {"in aio.Blocking    ", inBlocking}} {
		gaps, reports, err := listen(way.do)
		if err != nil {
			return err
		}
		fmt.Fprint(out, way.name, ":")
		for _, gap := range gaps {
			fmt.Fprint(out, " ", gap.Round(time.Millisecond).Milliseconds())
		}
		fmt.Fprintln(out)
		for _, report := range reports {
			fmt.Fprintln(out, "  the loop says:", report)
		}
	}
	return nil
}

// serve answers each request after 20 ms.
func serve(listener net.Listener) *http.Server {
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(20 * time.Millisecond) })}
	go server.Serve(listener)
	return server
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		defer serve(listener).Close()
		err = compare(os.Stdout, http.DefaultClient, "http://"+listener.Addr().String())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "heartbeat:", err)
		os.Exit(1)
	}
}
