//go:build unix

package procpool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/procpool"
)

// What the tests of this package share.

// roleName says what a process that a test starts is to be, instead of a test: see roles.
const roleName = "PROCPOOL_TEST_ROLE"

// TestMain calls Main first, as every program must that uses procpool; except for those that play one
// that does something wrong.
func TestMain(m *testing.M) {
	if role, ok := roles[os.Getenv(roleName)]; ok {
		role()
	}
	procpool.Main()
	if program, ok := programs[os.Getenv(roleName)]; ok {
		playProgram(program)
	}
	// With -race each worker would take a second to end.
	if err := os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0")); err != nil {
		panic(err)
	}
	status := m.Run()
	if left := leftGoroutines(); status == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines are left after the tests:\n\n%s\n", len(left), bytes.Join(left, []byte("\n\n")))
		status = 1
	}
	os.Exit(status)
}

// leftGoroutines are the stacks with code of ours that do not end soon.
func leftGoroutines() (left [][]byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, _ = aio.Poll(ctx, time.Millisecond, func() (int, bool, error) {
		left = nil
		buf := make([]byte, 1<<20)
		for i, stack := range bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
			if i > 0 && bytes.Contains(stack, []byte("seed8b1f0744/aio")) && !bytes.Contains(stack, []byte("procpool_test.TestMain(")) {
				left = append(left, stack)
			}
		}
		return 0, len(left) == 0, nil
	})
	return left
}

// pool makes a pool that the test's end closes.
func pool(t testing.TB, c procpool.Config) *procpool.Pool {
	t.Helper()
	p, err := procpool.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return p
}

// as is an environment in which workers play a role.
func as(role string) []string { return append(os.Environ(), roleName+"="+role) }

// soon is a ctx for what must end by itself, so that a test that hangs tells where.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 60*time.Second, errors.New("this should not take so long"))
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok holds, of something that other processes do.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	_, err := aio.Poll(ctx, time.Millisecond, func() (struct{}, bool, error) { return struct{}{}, ok(), nil })
	if err != nil {
		t.Fatalf("after a minute it is not so that %s", what)
	}
}

// diedOf is the *WorkerDied that err must be.
func diedOf(t testing.TB, err error) *procpool.WorkerDied {
	t.Helper()
	var died *procpool.WorkerDied
	if !errors.As(err, &died) {
		t.Fatalf("got error %v, want a *WorkerDied", err)
	}
	return died
}

// mentions checks that an error says something.
func mentions(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that says %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
	if !strings.HasPrefix(err.Error(), "aio: ") {
		t.Errorf("error %q does not begin with aio:", err)
	}
}

// output is a writer that may be looked at while it is written.
type output struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	writes []string
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes = append(o.writes, string(p))
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
