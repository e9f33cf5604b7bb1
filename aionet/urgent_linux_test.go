package aionet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// Reads that the system ends though more is there: at urgent data, and after a message that came with descriptors.

// early is a way to end a read before all is read.
type early struct {
	name, network string
	send          func(fd int, text string) error
	lost          string // what of text does not come, or perhaps does not
}

func ways() []early {
	oob := func(fd int, text string) error { return syscall.Sendto(fd, []byte(text), syscall.MSG_OOB, nil) }
	return []early{
		{"urgent data of tcp", "tcp", oob, "!"},
		{"urgent data of unix", "unix", oob, "!"},
		{"descriptors", "unix", func(fd int, text string) error {
			return syscall.Sendmsg(fd, []byte(text), syscall.UnixRights(fd), nil, 0)
		}, ""},
	}
}

func eachWay(t *testing.T, test func(t *testing.T, way early, address string)) {
	for _, way := range ways() {
		t.Run(way.name, func(t *testing.T) {
			address := "127.0.0.1:0"
			if way.network == "unix" {
				address = filepath.Join(t.TempDir(), "s")
			}
			test(t, way, address)
		})
	}
}

// onDescriptor calls fn with c's.
func onDescriptor(t *testing.T, c syscall.Conn, fn func(fd int) error) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) { err = fn(int(fd)) })
	if errors.Is(err, syscall.EOPNOTSUPP) {
		t.Skip("the system has no such thing: ", err)
	}
	if err != nil {
		t.Error(err)
	}
}

// line reads up to the end of a line, without what may get lost.
func line(c *aionet.Conn, lost string, size func() int) (string, error) {
	var got strings.Builder
	if err := c.SetReadDeadline(time.Now().Add(4 * time.Second)); err != nil {
		return "", err
	}
	for {
		p := make([]byte, size())
		n, err := c.Read(p)
		for _, b := range p[:n] {
			if !strings.ContainsRune(lost, rune(b)) {
				got.WriteByte(b)
			}
		}
		if err != nil || bytes.HasSuffix(p[:n], []byte("\n")) {
			return got.String(), err
		}
	}
}

func TestConn_readEndedEarly(t *testing.T) {
	eachWay(t, func(t *testing.T, way early, address string) {
		run(t, func(ctx context.Context) error {
			peer, c := dialedBy(ctx, t, way.network, address)
			for range 3 {
				reads := aio.Go(ctx, func(context.Context) (string, error) {
					return line(c, way.lost, func() int { return 100 })
				})
				waiting(ctx, t, reads)
				onDescriptor(t, peer.(syscall.Conn), func(fd int) error {
					return errors.Join(way.send(fd, "first!"), syscall.Sendmsg(fd, []byte("second\n"), nil, nil, 0))
				})
				got, err := reads.Await(ctx)
				if want := strings.TrimSuffix("first!", way.lost) + "second\n"; got != want || err != nil {
					t.Errorf("read %q, %v, want %q", got, err, want)
				}
			}
			return nil
		})
	})
}

// Whatever comes when: nothing is left lying. The other side sends a line only when the one before was read to its end. Each
// connection is new, for one that once had urgent data is never trusted again.
func TestConn_readEndedEarly_anyTime(t *testing.T) {
	const rounds = 200
	eachWay(t, func(t *testing.T, way early, address string) {
		for seed := range uint64(rounds) {
			if t.Failed() {
				break
			}
			run(t, func(ctx context.Context) error {
				peer, c := dialedBy(ctx, t, way.network, address)
				lines, sent := make(chan struct{}, 1), make(chan string, 1)
				go func() {
					defer close(sent)
					r := rand.New(rand.NewPCG(seed, 1))
					onDescriptor(t, peer.(syscall.Conn), func(fd int) error {
						for range lines {
							text, err := scatter(r, fd, way)
							if err != nil {
								return err
							}
							sent <- text
						}
						return nil
					})
				}()
				defer close(lines)
				r := rand.New(rand.NewPCG(seed, 2))
				size := func() int { return 1 + r.IntN(40) }
				for i := range 4 {
					lines <- struct{}{}
					got, err := line(c, way.lost, size)
					if err != nil {
						return fmt.Errorf("seed %d, line %d: read %q: %w", seed, i, got, err)
					}
					if want := <-sent; got != want {
						t.Errorf("seed %d, line %d: read %q, want %q", seed, i, got, want)
					}
				}
				return nil
			})
		}
	})
}

// scatter sends a line in pieces, some of which end a read early, and returns what of it comes for certain.
func scatter(r *rand.Rand, fd int, way early) (string, error) {
	text := ""
	for i, pieces := 0, 1+r.IntN(5); i < pieces; i++ {
		piece := strings.Repeat(string(rune('a'+r.IntN(26))), 1+r.IntN(30))
		send := func(fd int, p string) error { return syscall.Sendmsg(fd, []byte(p), nil, nil, 0) }
		if r.IntN(2) == 0 {
			send = way.send
			text += piece
			piece += way.lost
		} else {
			text += piece
		}
		if err := send(fd, piece); err != nil {
			return "", err
		}
		for range r.IntN(4) {
			runtime.Gosched()
		}
	}
	return text + "\n", syscall.Sendmsg(fd, []byte("\n"), nil, nil, 0)
}

// Who has read the urgent data himself has left no sign of it but the mark, at which reads end.
func TestConn_readEndedEarly_urgentDataTaken(t *testing.T) {
	run(t, func(ctx context.Context) error {
		peer, c := dialedBy(ctx, t, "tcp", "127.0.0.1:0")
		for range 2 {
			reads := aio.Go(ctx, func(context.Context) (string, error) { return line(c, "", func() int { return 100 }) })
			waiting(ctx, t, reads)
			onDescriptor(t, peer.(syscall.Conn), func(fd int) error {
				return errors.Join(syscall.Sendto(fd, []byte("first!"), syscall.MSG_OOB, nil), syscall.Sendto(fd, []byte("second\n"), 0, nil))
			})
			onDescriptor(t, c, func(fd int) error { // before the loop can look
				p := make([]byte, 1)
				for {
					_, _, err := syscall.Recvfrom(fd, p, syscall.MSG_OOB)
					if err == syscall.EAGAIN || err == syscall.EINVAL { // not there yet
						runtime.Gosched()
						continue
					}
					return err
				}
			})
			if got, err := reads.Await(ctx); got != "firstsecond\n" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
		}
		return nil
	})
}

// An ordinary connection of tcp is not read in vain after each request.
func TestConn_shortRead(t *testing.T) {
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		for range 3 {
			if _, err := client.Write([]byte("request")); err != nil {
				return err
			}
			if _, err := server.Read(make([]byte, 100)); err != nil {
				return err
			}
			if server.MayRead() {
				t.Error("after a read that got less than it asked for another one would be tried")
			}
		}
		return nil
	})
}

func TestTransport_readEndedEarly(t *testing.T) {
	eachWay(t, func(t *testing.T, way early, address string) {
		run(t, func(ctx context.Context) error {
			l, err := aionet.Listen(ctx, way.network, address)
			if err != nil {
				return err
			}
			defer l.Close()
			p, lines := newRecorder(), aio.NewQueue[struct{}](0)
			p.onData = func(b []byte) {
				if bytes.HasSuffix(b, []byte("\n")) {
					_ = lines.TryPut(struct{}{})
				}
			}
			serving := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				return aionet.ServeProtocol(ctx, l, func() aionet.Protocol { return p })
			}))
			peer, err := net.Dial(way.network, l.Addr().String())
			if err != nil {
				return err
			}
			defer peer.Close()
			within, stop := aio.WithTimeout(ctx, 4*time.Second)
			defer stop()
			want := ""
			for range 3 {
				onDescriptor(t, peer.(syscall.Conn), func(fd int) error {
					return errors.Join(way.send(fd, "first!"), syscall.Sendmsg(fd, []byte("second\n"), nil, nil, 0))
				})
				want += strings.TrimSuffix("first!", way.lost) + "second\n"
				if _, err := lines.Get(within); err != nil {
					return fmt.Errorf("after %q: %w", p.got.String(), err)
				}
				if got := p.got.String(); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			serving.Cancel(nil)
			if _, err := serving.Await(ctx); !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		})
	})
}
