//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// A server and its client on one loop: both are tasks.
func ExampleServe() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			return aionet.Serve(ctx, l, func(_ context.Context, c *aionet.Conn) error {
				_, err := io.Copy(c, c)
				return err
			})
		}))

		c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := fmt.Fprintln(c, "hello"); err != nil {
			return err
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		fmt.Print(line)
		return err
	}))
	if err != nil {
		fmt.Println(err)
	}
	// Output: hello
}

// shout answers in capitals what it is told.
type shout struct{ transport *aionet.Transport }

func (s *shout) ConnectionMade(t *aionet.Transport) { s.transport = t }
func (s *shout) EOFReceived() bool                  { return false }
func (s *shout) ConnectionLost(error)               {}

func (s *shout) DataReceived(p []byte) {
	for i := range p {
		if 'a' <= p[i] && p[i] <= 'z' {
			p[i] -= 'a' - 'A'
		}
	}
	s.transport.Write(p)
}

// A protocol is told what comes in callbacks, and costs no task.
func ExampleServeProtocol() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			return aionet.ServeProtocol(ctx, l, func() aionet.Protocol { return new(shout) })
		}))

		c, err := aionet.Dial(ctx, "tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := fmt.Fprint(c, "hello"); err != nil {
			return err
		}
		if err := c.CloseWrite(); err != nil {
			return err
		}
		answer, err := io.ReadAll(c)
		fmt.Printf("%s\n", answer)
		return err
	}))
	if err != nil {
		fmt.Println(err)
	}
	// Output: HELLO
}

// A server of datagrams, and a client that waits for one for a while.
func ExampleListenPacket() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		p, err := aionet.ListenPacket(ctx, "udp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer p.Close()
		aio.Go(ctx, aio.Do(func(context.Context) error {
			buf := make([]byte, 1500)
			n, from, err := p.ReadFrom(buf)
			if err != nil {
				return err
			}
			_, err = p.WriteTo(append([]byte("echo "), buf[:n]...), from)
			return err
		}))

		c, err := aionet.Dial(ctx, "udp", p.LocalAddr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write([]byte("hello")); err != nil {
			return err
		}
		limited, stop := aio.WithTimeout(ctx, time.Minute) // a datagram may be lost
		defer stop()
		answer := make([]byte, 1500)
		n, err := c.WithContext(limited).Read(answer)
		fmt.Printf("%s\n", answer[:n])
		return err
	}))
	if err != nil {
		fmt.Println(err)
	}
	// Output: echo hello
}
