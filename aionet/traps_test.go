//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// What a task must not do, with connections: wait for what others do by a channel, a sync.Mutex or a sync.WaitGroup,
// or call a library that does. Each stops the loop, is named by the watchdog while it does, and has a way that
// works.

// trap is one mistake. stall is called in a task named "culprit"; once the watchdog has named it, free is called in
// a goroutine, and must let it go on.
type trap struct {
	stall func(ctx context.Context) error
	free  func()
	at    string // what the stack that is told has to have in it
	right func(ctx context.Context) error
}

func tryTrap(t *testing.T, prepare func(ctx context.Context, t *testing.T) (trap, error)) {
	told := aio.NewPromise[aio.SlowStep]()
	hooks := aio.Hooks{
		SlowStep: func(s aio.SlowStep) {
			if s.Task.Name == "culprit" && s.Stack != nil {
				told.Resolve(s)
			}
		},
		Unhandled: func(f aio.Failure) { t.Errorf("unhandled, of %q: %v", f.Task.Name, f.Err) },
	}
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		tr, err := prepare(ctx, t)
		if err != nil {
			return err
		}
		freed := beside(ctx, func(context.Context) error {
			step, err := told.Await(context.Background())
			tr.free()
			if !strings.Contains(string(step.Stack), tr.at) {
				t.Errorf("the stack of the step that holds the loop does not show %q:\n%s", tr.at, step.Stack)
			}
			return err
		})
		if _, err := aio.Go(ctx, aio.Do(tr.stall), aio.Named("culprit")).Await(ctx); err != nil {
			return err
		}
		if err := freed(); err != nil {
			return err
		}
		return tr.right(ctx)
	}), aio.WithHooks(hooks), aio.WithSlowStep(20*time.Millisecond))
	if err != nil {
		t.Error(err)
	}
}

// A channel, a lock or a WaitGroup that another task would have to let go, which waits for a connection.
func TestTrap_waitsForAnotherTask(t *testing.T) {
	for name, c := range map[string]struct {
		make  func() (hold, wait, let func())
		at    string
		right func(ctx context.Context, read func(context.Context) error, send func() error) error
	}{
		"channel": {func() (hold, wait, let func()) {
			ch := make(chan int, 1)
			return func() {}, func() { <-ch }, func() { ch <- 1 }
		}, "traps_test.go", func(ctx context.Context, read func(context.Context) error, send func() error) error {
			q := aio.NewQueue[error](0)
			aio.Go(ctx, aio.Do(func(ctx context.Context) error { return q.Put(ctx, read(ctx)) }))
			if err := send(); err != nil {
				return err
			}
			got, err := q.Get(ctx)
			return errors.Join(got, err)
		}},
		"mutex": {func() (hold, wait, let func()) {
			var mu sync.Mutex
			return mu.Lock, func() { mu.Lock(); defer mu.Unlock() }, mu.Unlock
		}, "sync.(*Mutex).Lock", func(ctx context.Context, read func(context.Context) error, send func() error) error {
			var mu aio.Mutex
			reader := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				if err := mu.Lock(ctx); err != nil {
					return err
				}
				defer mu.Unlock()
				return read(ctx)
			}))
			if err := errors.Join(aio.Yield(ctx), send(), mu.Lock(ctx)); err != nil {
				return err
			}
			defer mu.Unlock()
			_, err := reader.Await(ctx)
			return err
		}},
		"WaitGroup": {func() (hold, wait, let func()) {
			var wg sync.WaitGroup
			return func() { wg.Add(1) }, wg.Wait, wg.Done
		}, "sync.(*WaitGroup).Wait", func(ctx context.Context, read func(context.Context) error, send func() error) error {
			return aio.WithGroup(ctx, func(ctx context.Context) error {
				aio.Go(ctx, aio.Do(read))
				return send()
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tryTrap(t, func(ctx context.Context, t *testing.T) (trap, error) {
				client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
				hold, wait, let := c.make()
				let = sync.OnceFunc(let)
				read := func(context.Context) error { _, err := client.Read(make([]byte, 1)); return err }
				send := func() error { _, err := server.Write([]byte("x")); return err }
				return trap{
					stall: func(ctx context.Context) error {
						reader := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
							hold()
							defer let()
							return read(ctx)
						}))
						waiting(ctx, t, reader)
						if err := send(); err != nil {
							return err
						}
						wait() // the reader has what it waits for, and can't run
						_, err := reader.Await(ctx)
						return err
					},
					free:  let,
					at:    c.at,
					right: func(ctx context.Context) error { return c.right(ctx, read, send) },
				}, nil
			})
		})
	}
}

// The client of net/http waits on channels for goroutines of its own.
func TestTrap_httpClient(t *testing.T) {
	tryTrap(t, func(_ context.Context, t *testing.T) (trap, error) {
		answer := make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-answer }))
		t.Cleanup(s.Close)
		client := &http.Client{Transport: &http.Transport{DialContext: new(aionet.Dialer).DialContext}}
		t.Cleanup(client.CloseIdleConnections)
		get := func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
			if err != nil {
				return err
			}
			got, err := client.Do(req)
			if err != nil {
				return err
			}
			return got.Body.Close()
		}
		return trap{
			stall: get,
			free:  func() { close(answer) },
			at:    "net/http.(*Client).Do",
			right: func(ctx context.Context) error { _, err := aio.Blocking(ctx, aio.Do(get)); return err },
		}, nil
	})
}

const tlsChild = "AIONET_TEST_TLS_TRAP"

// Two tasks that use one tls.Conn while it shakes hands: one is suspended and holds its sync.Mutex, for which the other
// stops the loop. Nobody can free that, so it is done in a process that ends once it has told of it.
func TestTrap_tlsHandshake(t *testing.T) {
	if os.Getenv(tlsChild) != "" {
		shakeTwice(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestTrap_tlsHandshake$")
	cmd.Env = append(os.Environ(), tlsChild+"=1")
	out, err := cmd.Output()
	if want := "crypto/tls.(*Conn).handshakeContext"; err != nil || !strings.Contains(string(out), want) || !strings.Contains(string(out), "sync.(*Mutex).Lock") {
		t.Errorf("%v; the stack of the step that holds the loop does not show a lock in %s:\n%s", err, want, out)
	}
}

func shakeTwice(t *testing.T) {
	_, _ = aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		client, _ := pair(ctx, t, "tcp", "127.0.0.1:0") // whose other end does not answer
		c := tls.Client(client, &tls.Config{ServerName: "example.com"})
		waiting(ctx, t, aio.Go(ctx, aio.Do(func(context.Context) error { return c.Handshake() })))
		_, err := aio.Go(ctx, aio.Do(func(context.Context) error { _, err := c.Write([]byte("x")); return err }), aio.Named("culprit")).Await(ctx)
		return err
	}), aio.WithSlowStep(20*time.Millisecond), aio.WithHooks(aio.Hooks{SlowStep: func(s aio.SlowStep) {
		if s.Task.Name == "culprit" && s.Stack != nil {
			fmt.Printf("%s\n", s.Stack)
			os.Exit(0)
		}
	}}))
}

// After the handshake, which one task makes first, a tls.Conn may be read by one task and written by another.
func TestTrap_tlsHandshakeFirst(t *testing.T) {
	server, client := configs(t)
	run(t, func(ctx context.Context) error {
		near, far := pair(ctx, t, "tcp", "127.0.0.1:0")
		echo := aio.Go(ctx, aio.Do(func(context.Context) error {
			s := tls.Server(far, server)
			_, err := io.Copy(s, s)
			return errors.Join(err, s.Close())
		}))
		c := tls.Client(near, client)
		if err := c.HandshakeContext(ctx); err != nil {
			return err
		}
		sent := bytes.Repeat([]byte("x"), 1<<20)
		writer := aio.Go(ctx, aio.Do(func(context.Context) error {
			_, err := c.Write(sent)
			return errors.Join(err, c.CloseWrite())
		}))
		got, err := io.ReadAll(c)
		if !bytes.Equal(got, sent) {
			t.Errorf("%d bytes came back", len(got))
		}
		_, err2 := aio.Gather(ctx, writer, echo)
		return errors.Join(err, err2)
	})
}

// In an iterator of its own that a task pulls there is nobody whom a read could suspend: it is refused, for all
// would stand still. What is read in the task, and then given to the iterator, works.
func TestTrap_readInsideIterPull(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		read := func() error { _, err := client.Read(make([]byte, 1)); return err }
		next, stop := iter.Pull(func(yield func(error) bool) { yield(read()) })
		defer stop()
		if err, _ := next(); !errors.Is(err, aio.ErrWouldDeadlock) {
			t.Errorf("Read: %v, want ErrWouldDeadlock", err)
		}
		if _, err := server.Write([]byte("x")); err != nil {
			return err
		}
		return read()
	})
}
