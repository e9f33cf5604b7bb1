//go:build linux || darwin || freebsd

package aionet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// A connection that was forgotten is closed once nobody can reach it, whoever has used it before: nobody, a task, a goroutine,
// both, or another form of it.
func TestConn_dropped(t *testing.T) {
	uses := map[string]func(ctx context.Context, c *aionet.Conn) error{
		"never used": func(context.Context, *aionet.Conn) error { return nil },
		"by a task":  func(_ context.Context, c *aionet.Conn) error { return waitsOnce(c) },
		"by a goroutine": func(ctx context.Context, c *aionet.Conn) error {
			return inGoroutine(ctx, func(context.Context) error { return waitsOnce(c) })
		},
		"by both": func(ctx context.Context, c *aionet.Conn) error {
			return eachCaller(ctx, func(context.Context) error { return waitsOnce(c) })
		},
		"with a context": func(ctx context.Context, c *aionet.Conn) error {
			return waitsOnce(c.WithContext(context.WithoutCancel(ctx)))
		},
	}
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			run(t, func(ctx context.Context) error {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					return err
				}
				defer l.Close()
				dropper := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
					if err != nil {
						return err
					}
					return use(ctx, c)
				}))
				other, err := aio.Blocking(ctx, func(context.Context) (net.Conn, error) { return l.Accept() })
				if err != nil {
					return err
				}
				defer other.Close()
				if _, err := dropper.Await(ctx); err != nil {
					return err
				}
				dropper = nil
				return closedByGC(ctx, other)
			})
		})
	}
}

// waitsOnce has the caller wait for something to read, that does not come.
func waitsOnce(c *aionet.Conn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	asked := 0
	return raw.Write(func(uintptr) bool { asked++; return asked == 2 }) // the second time the poller has had it
}

// manyGCs is more than it takes until clean-ups have run.
const manyGCs = 100

// closedByGC collects garbage until the other end has gone.
func closedByGC(ctx context.Context, other net.Conn) error {
	read := aio.Go(ctx, func(ctx context.Context) (int, error) {
		return aio.Blocking(ctx, func(context.Context) (int, error) { return other.Read(make([]byte, 1)) })
	})
	for i := 0; read.State() == aio.Pending; i++ {
		if runtime.GC(); i == manyGCs {
			return errors.New("it was not closed")
		}
		if err := aio.Yield(ctx); err != nil {
			return err
		}
	}
	if _, err := read.Await(ctx); err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
		return errors.Join(errors.New("the other end has not seen the end"), err)
	}
	return nil
}

// One that somebody waits for is not forgotten, though only who waits has it; nor is one that was closed closed twice: the
// number is another file's then.
func TestConn_notDropped(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		reader := func(ctx context.Context) error {
			c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
			if err != nil {
				return err
			}
			_, err = c.Read(make([]byte, 1))
			return errors.Join(err, c.Close())
		}
		task := aio.Go(ctx, aio.Do(reader))
		one, err := l.Accept()
		if err != nil {
			return err
		}
		goroutine := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return inGoroutine(ctx, reader) }))
		two, err := l.Accept()
		if err != nil {
			return err
		}
		waiting(ctx, t, task)
		for range 5 {
			runtime.GC()
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		for _, c := range []net.Conn{one, two} {
			if _, err := c.Write([]byte("x")); err != nil {
				return err
			}
		}
		_, terr := task.Await(ctx)
		_, gerr := goroutine.Await(ctx)
		if err := errors.Join(terr, gerr); err != nil {
			return err
		}
		_, _ = one.Close(), two.Close()
		var files []*os.File // which get the numbers
		for range 20 {
			r, w, err := os.Pipe()
			if err != nil {
				return err
			}
			defer r.Close()
			defer w.Close()
			files = append(files, r, w)
		}
		for range 5 {
			runtime.GC()
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		for _, f := range files {
			if _, err := f.Stat(); err != nil {
				t.Errorf("a file that has nothing to do with it was closed: %v", err)
			}
		}
		return nil
	})
}

// A listener and a socket of datagrams that were forgotten leave their addresses.
func TestListener_dropped(t *testing.T) {
	run(t, func(ctx context.Context) error {
		addresses := func() (stream, datagram string) {
			l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			p, err := aionet.ListenPacket(ctx, "udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			return l.Addr().String(), p.LocalAddr().String()
		}
		stream, datagram := addresses()
		for gone, i := 0, 0; gone < 2; i++ {
			if runtime.GC(); i == manyGCs {
				t.Fatal("an address is still in use")
			}
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			gone = 0
			if l, err := aionet.Listen(ctx, "tcp", stream); err == nil {
				gone++
				_ = l.Close()
			}
			if p, err := aionet.ListenPacket(ctx, "udp", datagram); err == nil {
				gone++
				_ = p.Close()
			}
		}
		return nil
	})
}
