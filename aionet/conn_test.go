//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// What is sent comes back, more than any buffer holds, from tasks and from goroutines, each with the
// other kind writing beside it.
func TestConn_echo(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		run(t, func(ctx context.Context) error {
			addr := serve(ctx, t, network, address, func(_ context.Context, c *aionet.Conn) error {
				_, err := io.Copy(c, c)
				return err
			})
			return eachCaller(ctx, func(ctx context.Context) error {
				c, err := aionet.Dial(ctx, network, addr)
				if err != nil {
					return err
				}
				defer c.Close()
				sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
				wrote := beside(ctx, func(context.Context) error {
					_, err := c.Write(sent)
					return errors.Join(err, c.CloseWrite())
				})
				got, err := io.ReadAll(c)
				if err != nil {
					return err
				}
				if !bytes.Equal(got, sent) {
					t.Errorf("%d bytes came back, not the %d that were sent", len(got), len(sent))
				}
				return wrote()
			})
		})
	})
}

// A message of one side is answered by the other, many times: no report of readiness may be missed.
func TestConn_pingPong(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		run(t, func(ctx context.Context) error {
			client, server := pair(ctx, t, network, address)
			const rounds = 2000
			play := func(c *aionet.Conn, first bool) error {
				var b [8]byte
				for i := range rounds {
					n := 1 + i%len(b)
					if first {
						if _, err := c.Write(b[:n]); err != nil {
							return err
						}
					}
					if _, err := io.ReadFull(c, b[:n]); err != nil {
						return err
					}
					if !first {
						if _, err := c.Write(b[:n]); err != nil {
							return err
						}
					}
				}
				return nil
			}
			for range 2 { // once in two tasks, then in a task and a goroutine
				other := aio.Go(ctx, aio.Do(func(context.Context) error { return play(server, false) }))
				if err := play(client, true); err != nil {
					return err
				}
				if _, err := other.Await(ctx); err != nil {
					return err
				}
			}
			other := beside(ctx, func(context.Context) error { return play(server, false) })
			return errors.Join(play(client, true), other())
		})
	})
}

// endings are the ways in which a wait ends, and its error.
var endings = []struct {
	name string
	end  func(c *aionet.Conn, cancel context.CancelFunc) error
	want error
}{
	{"Close", func(c *aionet.Conn, _ context.CancelFunc) error { return c.Close() }, net.ErrClosed},
	{"context", func(_ *aionet.Conn, cancel context.CancelFunc) error { cancel(); return nil }, context.Canceled},
	{"deadline", func(c *aionet.Conn, _ context.CancelFunc) error { return c.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
	{"deadline to come", func(c *aionet.Conn, _ context.CancelFunc) error {
		return c.SetDeadline(time.Now().Add(time.Millisecond))
	}, os.ErrDeadlineExceeded},
}

// waits are the calls that wait: nothing is to be read, and nobody reads what is written.
var waits = map[string]func(c *aionet.Conn) error{
	"read": func(c *aionet.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
	"write": func(c *aionet.Conn) error {
		for {
			if _, err := c.Write(make([]byte, 1<<16)); err != nil {
				return err
			}
		}
	},
	"copy": func(c *aionet.Conn) error { _, err := io.Copy(io.Discard, c); return err },
}

func TestConn_endedWhileWaiting(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		for op, wait := range waits {
			for _, e := range endings {
				for _, task := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s %s task=%v", op, e.name, task), func(t *testing.T) {
						run(t, func(ctx context.Context) error {
							c, _ := pair(ctx, t, network, address)
							inner, cancel := context.WithCancel(ctx)
							defer cancel()
							var ended func() error
							if task {
								waiter := aio.Go(inner, aio.Do(func(context.Context) error { return wait(c) }))
								waiting(ctx, t, waiter)
								ended = func() error { _, err := waiter.Await(ctx); return err }
							} else {
								ended = beside(ctx, func(context.Context) error { return wait(c.WithContext(inner)) })
							}
							if err := e.end(c, cancel); err != nil {
								return err
							}
							checkOpError(t, ended(), e.want)
							return nil
						})
					})
				}
			}
		}
	})
}

// checkOpError checks that err is want in the form of package net's errors.
func checkOpError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("the error is %v, want %v", err, want)
	}
	if errors.Is(err, aio.ErrCancelled) && want == context.Canceled {
		return // that of the task, in which it is
	}
	var op *net.OpError
	if !errors.As(err, &op) {
		t.Errorf("the error is a %T, want a *net.OpError", err)
	} else if op.Timeout() != (want == os.ErrDeadlineExceeded) {
		t.Errorf("Timeout of %v is %v", err, op.Timeout())
	}
}

// A context that ends ends the wait of its own goroutine only.
func TestConn_othersGoOn(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		read := func(c *aionet.Conn) func(context.Context) error {
			return func(context.Context) error { _, err := c.Read(make([]byte, 1)); return err }
		}
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		goroutine, task := beside(ctx, read(client)), aio.Go(ctx, aio.Do(read(client)))
		ended := beside(ctx, read(client.WithContext(inner)))
		waiting(ctx, t, task)
		cancel()
		checkOpError(t, ended(), context.Canceled)
		if _, err := server.Write([]byte("a")); err != nil {
			return err
		}
		if _, err := server.Write([]byte("b")); err != nil {
			return err
		}
		_, err := task.Await(ctx)
		return errors.Join(err, goroutine())
	})
}

// A deadline that is taken back or moved while somebody waits does not end the wait when it would have come.
func TestConn_deadlineMoved(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		for _, later := range []time.Time{{}, time.Now().Add(time.Hour)} {
			soon := time.Now().Add(20 * time.Millisecond)
			if err := client.SetReadDeadline(soon); err != nil {
				return err
			}
			task := aio.Go(ctx, aio.Do(func(context.Context) error { _, err := client.Read(make([]byte, 1)); return err }))
			waiting(ctx, t, task)
			if err := client.SetReadDeadline(later); err != nil {
				return err
			}
			if err := aio.Sleep(ctx, time.Until(soon)+time.Millisecond); err != nil { // a deadline is real time
				return err
			}
			if task.State() != aio.Pending {
				t.Error("the old deadline ended the wait")
			}
			if _, err := server.Write([]byte("x")); err != nil {
				return err
			}
			if _, err := task.Await(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// In a task whose context has ended a call fails though it need not wait; under another context it does not.
func TestConn_endedContext(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		if _, err := server.Write([]byte("x")); err != nil {
			return err
		}
		inner, cancel := context.WithCancel(ctx)
		task := aio.Go(inner, aio.Do(func(ctx context.Context) error {
			cancel()
			_, err := client.Read(make([]byte, 1))
			checkOpError(t, err, context.Canceled)
			_, err = client.Write([]byte("x"))
			checkOpError(t, err, context.Canceled)
			free := client.WithContext(context.WithoutCancel(ctx))
			_, err = free.Read(make([]byte, 1))
			return err
		}))
		_, err := task.Await(ctx)
		return err
	})
}

// In a callback there is no waiting.
func TestConn_inCallback(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		l, _ := aio.LoopOf(ctx)
		inCallback := func(fn func() error) error {
			p := aio.NewPromise[error]()
			l.CallSoon(func() { p.Resolve(fn()) })
			got, err := p.Await(ctx)
			return errors.Join(err, got)
		}
		err := inCallback(func() error { _, err := client.Read(make([]byte, 1)); return err })
		if !errors.Is(err, aio.ErrWouldDeadlock) {
			t.Errorf("Read: %v, want ErrWouldDeadlock", err)
		}
		return inCallback(func() error { _, err := server.Write([]byte("x")); return err })
	})
}

// Two Writes do not mix, whoever makes them.
func TestConn_wholeWrites(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		run(t, func(ctx context.Context) error {
			client, server := pair(ctx, t, network, address)
			const size = 1 << 20
			var writers []func() error
			for _, r := range "abcd" {
				write := func(context.Context) error {
					_, err := client.Write(bytes.Repeat([]byte(string(r)), size))
					return err
				}
				if r < 'c' {
					writers = append(writers, beside(ctx, write))
					continue
				}
				task := aio.Go(ctx, aio.Do(write))
				writers = append(writers, func() error { _, err := task.Await(ctx); return err })
			}
			got := make([]byte, 4*size)
			if _, err := io.ReadFull(server, got); err != nil {
				return err
			}
			for i := range 4 {
				if part := got[i*size : (i+1)*size]; bytes.Count(part, part[:1]) != size {
					t.Errorf("part %d is mixed", i)
				}
			}
			var errs []error
			for _, w := range writers {
				errs = append(errs, w())
			}
			return errors.Join(errs...)
		})
	})
}

// After half of a connection is closed the other half goes on.
func TestConn_halfClose(t *testing.T) {
	eachNetwork(t, func(t *testing.T, network, address string) {
		run(t, func(ctx context.Context) error {
			client, server := pair(ctx, t, network, address)
			if err := client.CloseWrite(); err != nil {
				return err
			}
			if _, err := server.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("after CloseWrite the other side reads %v, want io.EOF", err)
			}
			if _, err := server.Write([]byte("answer")); err != nil {
				return err
			}
			got := make([]byte, 6)
			if _, err := io.ReadFull(client, got); err != nil || string(got) != "answer" {
				t.Errorf("got %q, %v", got, err)
			}
			task := aio.Go(ctx, aio.Do(func(context.Context) error { _, err := client.Read(make([]byte, 1)); return err }))
			waiting(ctx, t, task)
			if err := client.CloseRead(); err != nil {
				return err
			}
			if _, err := task.Await(ctx); err != io.EOF {
				t.Errorf("after CloseRead Read is %v, want io.EOF", err)
			}
			return nil
		})
	})
}

// A connection that the other side resets fails, and who waits for it is told.
func TestConn_reset(t *testing.T) {
	run(t, func(ctx context.Context) error {
		return eachCaller(ctx, func(ctx context.Context) error {
			l, _ := aio.LoopOf(ctx)
			ends, err := aio.Submit(ctx, l, func(ctx context.Context) ([2]*aionet.Conn, error) {
				client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
				return [2]*aionet.Conn{client, server}, nil
			}).Await(ctx)
			if err != nil {
				return err
			}
			client, server := ends[0], ends[1]
			reset := beside(ctx, func(context.Context) error {
				raw, err := server.SyscallConn()
				if err != nil {
					return err
				}
				err = raw.Control(func(fd uintptr) {
					err = syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
				})
				return errors.Join(err, server.Close())
			})
			_, err = client.Read(make([]byte, 1))
			checkOpError(t, err, syscall.ECONNRESET)
			return reset()
		})
	})
}

// Closed is closed, for every method.
func TestConn_closed(t *testing.T) {
	run(t, func(ctx context.Context) error {
		c, _ := pair(ctx, t, "tcp", "127.0.0.1:0")
		local := c.LocalAddr().String()
		if err := c.Close(); err != nil {
			return err
		}
		for name, call := range map[string]func() error{
			"Read":        func() error { _, err := c.Read(make([]byte, 1)); return err },
			"Write":       func() error { _, err := c.Write(make([]byte, 1)); return err },
			"Close":       c.Close,
			"CloseRead":   c.CloseRead,
			"CloseWrite":  c.CloseWrite,
			"SetDeadline": func() error { return c.SetDeadline(time.Time{}) },
			"SyscallConn": func() error { _, err := c.SyscallConn(); return err },
			"ReadFrom":    func() error { _, err := c.ReadFrom(strings.NewReader("x")); return err },
			"WriteTo":     func() error { _, err := c.WriteTo(io.Discard); return err },
		} {
			if err := call(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v, want net.ErrClosed", name, err)
			}
		}
		if c.LocalAddr().String() != local {
			t.Error("a closed connection forgot its address")
		}
		return nil
	})
}

// A peer that sends without end leaves time to others.
func TestConn_fair(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		stop := make(chan struct{})
		sender := beside(ctx, func(context.Context) error {
			for {
				select {
				case <-stop:
					return server.Close()
				default:
				}
				if _, err := server.Write(make([]byte, 1<<16)); err != nil {
					return err
				}
			}
		})
		reader := aio.Go(ctx, aio.Do(func(context.Context) error {
			one := make([]byte, 1)
			for {
				if _, err := client.Read(one); err == io.EOF || err != nil {
					return nil
				}
			}
		}))
		for range 100 {
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		if reader.State() != aio.Pending {
			t.Error("the reader is over")
		}
		close(stop)
		_ = client.Close()
		_, err := reader.Await(ctx)
		_ = sender()
		return err
	})
}
