package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A network inside of a bubble, where time passes only while everybody waits: what is listened to is exact.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours, nil
}

// lineOf is the line of main.go that code stands in.
func lineOf(t *testing.T, code string) int {
	text, err := os.ReadFile("main.go")
	before, _, found := strings.Cut(string(text), code)
	if err != nil || !found {
		t.Fatalf("main.go without %q: %v", code, err)
	}
	return strings.Count(before, "\n") + 1
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		server := serve(p)
		transport := &http.Transport{DialContext: p.dial}
		var out strings.Builder
		if err := compare(&out, &http.Client{Transport: transport}, "http://server"); err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}

		lines := strings.Split(out.String(), "\n")
		want := []string{
			"request on the loop: 1 1 1 1 21 1 1 1 1 1",
			fmt.Sprintf(`  the loop says: task "request" holds the loop at main.go:%d, in heartbeat.request`, lineOf(t, "client.Get(url)")),
			"in aio.Blocking    :" + strings.Repeat(" 1", 30),
			"",
		}
		if got := lines[1:]; !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// A step that holds the loop for less than the limit costs its beats too, and is not reported.
func TestHeartbeat_belowTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gaps, reports, err := listen(func(context.Context) (int, error) { time.Sleep(9 * time.Millisecond); return 0, nil })
		if want := 30 - 9; err != nil || len(reports) != 0 || len(gaps) != want {
			t.Errorf("%d beats, reports %q, %v; want %d beats, no report", len(gaps), reports, err, want)
		}
	})
}
