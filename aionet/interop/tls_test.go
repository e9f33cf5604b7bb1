package interop_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/nettest"
)

// configs are of a server and of a client that trusts it. No session tickets: who closes without having read
// them resets the connection, and nettest's clients only write.
func configs(t *testing.T) (server, client *tls.Config) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	client = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client.ServerName = "example.com"
	return &tls.Config{Certificates: s.TLS.Certificates, SessionTicketsDisabled: true}, client
}

// tlsPipes are crypto/tls on connections of package net, and on ours.
var tlsPipes = map[string]func(t *testing.T) (c1, c2 net.Conn, stop func(), err error){
	"net":    netPipe,
	"aionet": func(t *testing.T) (c1, c2 net.Conn, stop func(), err error) { return pipe(t, "tcp") },
}

// netPipe is pipe of package net's.
func netPipe(*testing.T) (c1, c2 net.Conn, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, nil, err
	}
	defer l.Close()
	if c1, err = net.Dial("tcp", l.Addr().String()); err != nil { // the system takes it before Accept does
		return nil, nil, nil, err
	}
	if c2, err = l.Accept(); err != nil {
		return nil, nil, nil, err
	}
	return c1, c2, func() { _, _ = c1.Close(), c2.Close() }, nil
}

// tlsPipe is a pipe whose ends have shaken hands.
func tlsPipe(t *testing.T, over string) (c1, c2 net.Conn, stop func(), err error) {
	b1, b2, stop, err := tlsPipes[over](t)
	if err != nil {
		return nil, nil, nil, err
	}
	server, client := configs(t)
	s1, s2 := tls.Client(b1, client), tls.Server(b2, server)
	shaken := make(chan error, 1)
	go func() { shaken <- s2.Handshake() }()
	if err := errors.Join(s1.Handshake(), <-shaken); err != nil {
		stop()
		return nil, nil, nil, err
	}
	return s1, s2, stop, nil
}

// After a deadline has ended a Write, a tls.Conn writes no more, whatever it stands on: crypto/tls says so. This is
// why it can't pass all of nettest.
func TestTLS_afterWriteTimeout(t *testing.T) {
	for over := range tlsPipes {
		t.Run(over, func(t *testing.T) {
			c, _, stop, err := tlsPipe(t, over)
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			_ = c.SetWriteDeadline(time.Unix(1, 0))
			if _, err := c.Write([]byte("late")); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("with a deadline that has passed: %v", err)
			}
			_ = c.SetWriteDeadline(time.Time{})
			if _, err := c.Write([]byte("again")); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("then, with none: %v; if crypto/tls goes on now, beyondTLS can shrink", err)
			}
		})
	}
}

// beyondTLS are the cases of nettest in which a tls.Conn must write again after a Write has timed out. In those that
// are certain one always does time out.
var beyondTLS = map[string]struct {
	certain bool
	why     string
}{
	"PastTimeout":       {true, "writes with a deadline that has passed, and then without one"},
	"FutureTimeout":     {true, "writes until the deadline comes, and then without one"},
	"ConcurrentMethods": {false, "sets deadlines while a hundred goroutines write, and then writes without one"},
}

// Go's own conformance of connections, on crypto/tls: what passes over package net's connections passes over ours,
// and what fails over those is known, with its reason. Both run in processes of their own, for there they may fail.
func TestTLS_nettest(t *testing.T) {
	if over := os.Getenv("AIO_NETTEST_TLS_OVER"); over != "" {
		nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
			c1, c2, stop, err := tlsPipe(t, over)
			return &givesUp{Conn: c1}, c2, stop, err
		})
		return
	}
	of, output := make(map[string]map[string]bool), make(map[string][]byte)
	for over := range tlsPipes {
		of[over], output[over] = nettestTLS(t, over)
	}
	if len(of["net"]) < 11 || len(of["net"]) != len(of["aionet"]) {
		t.Fatalf("these cases were run:\n%v\n%v", of["net"], of["aionet"])
	}
	for name, passes := range of["net"] {
		beyond, known := beyondTLS[name]
		ours, ran := of["aionet"][name]
		switch {
		case !ran:
			t.Errorf("%s ran over package net's connections, and not over ours", name)
		case passes && !ours && (!known || beyond.certain):
			t.Errorf("%s passes over package net's connections, and not over ours", name)
		case !passes && !known:
			t.Errorf("%s fails over package net's connections: why?", name)
		case known && beyond.certain && (passes || ours):
			t.Errorf("%s passes over net: %v, aionet: %v; take it from beyondTLS", name, passes, ours)
		case known:
			t.Logf("%s passes over net: %v, aionet: %v; it %s", name, passes, ours, beyond.why)
		}
	}
	if t.Failed() {
		t.Logf("over net:\n%s\nover aionet:\n%s", output["net"], output["aionet"])
	}
}

var outcome = regexp.MustCompile(`--- (PASS|FAIL): TestTLS_nettest/(\w+)`)

// nettestTLS runs nettest on crypto/tls over these connections in another process, and tells which cases passed.
func nettestTLS(t *testing.T, over string) (passed map[string]bool, output []byte) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTLS_nettest$", "-test.v")
	cmd.Env = append(os.Environ(), "AIO_NETTEST_TLS_OVER="+over)
	output, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	passed = make(map[string]bool)
	for _, m := range outcome.FindAllSubmatch(output, -1) {
		passed[string(m[2])] = string(m[1]) == "PASS"
	}
	return passed, output
}

// givesUp is closed by a Write that fails though there is no deadline: nettest, which does not look, would wait for a minute
// for what was not written.
type givesUp struct {
	net.Conn
	mu      sync.Mutex
	limited bool // guarded by mu; writes have a deadline
}

func (c *givesUp) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && !c.limited {
		_ = c.Conn.Close()
	}
	return n, err
}

func (c *givesUp) SetDeadline(t time.Time) error {
	c.note(t)
	return c.Conn.SetDeadline(t)
}

func (c *givesUp) SetWriteDeadline(t time.Time) error {
	c.note(t)
	return c.Conn.SetWriteDeadline(t)
}

func (c *givesUp) note(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limited = !t.IsZero()
}

// A tls.Conn holds a sync.Mutex for as long as it shakes hands: a task that uses it meanwhile holds the loop, and whoever
// shakes hands may be a task that needs it. Once that is done, one task may read while another writes.
func TestTLS_shakingHands(t *testing.T) {
	b1, b2, stop, err := pipe(t, "tcp")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	_, client := configs(t)
	c := tls.Client(b1, client)
	shaken := make(chan error, 1)
	go func() { shaken <- c.Handshake() }()
	if _, err := b2.Read(make([]byte, 1)); err != nil { // it has begun
		t.Fatal(err)
	}
	release := func() { _ = b2.Close() }
	stalls(t, "crypto/tls.(*Conn)", release, func(context.Context) error {
		if _, err := c.Write([]byte("hello")); err == nil {
			return errors.New("written, without a handshake")
		}
		return nil
	})
	if err := <-shaken; err == nil {
		t.Error("the handshake: nil, and there was nobody at the other end")
	}
	run(t, func(ctx context.Context) error {
		c1, c2, stop, err := tlsPipe(t, "aionet")
		if err != nil {
			return err
		}
		defer stop()
		return each(ctx, 3, func(_ context.Context, i int) error {
			p := make([]byte, 1<<20)
			switch i {
			case 0:
				_, err = c2.Write(p)
			case 1:
				_, err = io.ReadFull(c1, p)
			case 2:
				_, err = c1.Write([]byte("meanwhile"))
			}
			return err
		})
	})
}
