package aionet_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// noise is n bytes that differ wherever one looks.
func noise(n int) []byte {
	p := make([]byte, 0, n+8)
	for r := rand.NewPCG(1, uint64(n)); len(p) < n; {
		p = binary.LittleEndian.AppendUint64(p, r.Uint64())
	}
	return p[:n]
}

// fileOf is an open file that holds p.
func fileOf(t *testing.T, p []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, p, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// countMoves counts the bytes that a call of the system's moves, until the test is over.
func countMoves(t *testing.T, call string) *atomic.Int64 {
	count := new(atomic.Int64)
	aionet.Moved(t, func(by string, n int) {
		if by == call {
			count.Add(int64(n))
		}
	})
	return count
}

func offset(t *testing.T, f *os.File) int64 {
	t.Helper()
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A file goes to a connection by sendfile, from where it stands, whole or as much as is asked for, and then stands behind
// that; in a task and in a goroutine, however io.Copy gets there.
func TestConn_sendfile(t *testing.T) {
	const size = 5<<20 + 12345 // more than the system holds for a reader that has not begun
	all := noise(size)
	for name, way := range map[string]struct {
		copy     func(c *aionet.Conn, f *os.File) (int64, error)
		from, to int64
	}{
		"ReadFrom":        {func(c *aionet.Conn, f *os.File) (int64, error) { return c.ReadFrom(f) }, 0, size},
		"io.Copy":         {func(c *aionet.Conn, f *os.File) (int64, error) { return io.Copy(c, f) }, 0, size},
		"from the middle": {func(c *aionet.Conn, f *os.File) (int64, error) { return io.Copy(c, f) }, 4321, size},
		"io.CopyN":        {func(c *aionet.Conn, f *os.File) (int64, error) { return io.CopyN(c, f, 3<<20+1) }, 77, 77 + 3<<20 + 1},
		"too much asked":  {func(c *aionet.Conn, f *os.File) (int64, error) { return c.ReadFrom(io.LimitReader(f, 2*size)) }, 1, size},
	} {
		t.Run(name, func(t *testing.T) {
			eachNetwork(t, func(t *testing.T, network, address string) {
				f := fileOf(t, all)
				count := countMoves(t, "sendfile")
				run(t, func(ctx context.Context) error {
					client, server := pair(ctx, t, network, address)
					return eachCaller(ctx, func(ctx context.Context) error {
						if _, err := f.Seek(way.from, io.SeekStart); err != nil {
							return err
						}
						count.Store(0)
						want := way.to - way.from
						wrote := beside(ctx, func(context.Context) error {
							n, err := way.copy(client, f)
							if n != want || count.Load() != n || offset(t, f) != way.to {
								t.Errorf("%d bytes, %d of them by sendfile, and the file stands at %d; want %d and %d", n, count.Load(), offset(t, f), want, way.to)
							}
							return err
						})
						got := make([]byte, want)
						if _, err := io.ReadFull(server, got); err != nil {
							return err
						}
						if !bytes.Equal(got, all[way.from:way.to]) {
							t.Error("other bytes came than are in the file")
						}
						return wrote()
					})
				})
			})
		})
	}
}

// What a sendfile that is ended midway says was sent, was: the file stands there, and the other side has just that.
func TestConn_sendfileEnded(t *testing.T) {
	all := noise(64 << 20) // more than the system holds
	for name, end := range map[string]func(c *aionet.Conn, cancel func()) error{
		"cancelled": func(_ *aionet.Conn, cancel func()) error { cancel(); return nil },
		"deadline":  func(c *aionet.Conn, _ func()) error { return c.SetWriteDeadline(time.Unix(1, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			f := fileOf(t, all)
			count := countMoves(t, "sendfile")
			run(t, func(ctx context.Context) error {
				client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
				inner, cancel := context.WithCancel(ctx)
				defer cancel()
				var n int64
				var failed error
				send := aio.Go(inner, aio.Do(func(context.Context) error {
					n, failed = client.ReadFrom(f)
					return nil
				}))
				waiting(ctx, t, send)
				if err := end(client, cancel); err != nil {
					return err
				}
				_, _ = send.Await(ctx)
				if !errors.Is(failed, context.Canceled) && !errors.Is(failed, os.ErrDeadlineExceeded) {
					t.Errorf("%v, want the end", failed)
				}
				if n == 0 || n >= int64(len(all)) || count.Load() != n || offset(t, f) != n {
					t.Errorf("%d bytes, %d by sendfile, and the file stands at %d", n, count.Load(), offset(t, f))
				}
				if err := client.Close(); err != nil {
					return err
				}
				got, err := io.ReadAll(server)
				if !bytes.Equal(got, all[:n]) {
					t.Errorf("%d bytes came, of %d sent, or others", len(got), n)
				}
				return err
			})
		})
	}
}

// A file that gets shorter while it is sent ends where it ends then.
func TestConn_sendfileTruncated(t *testing.T) {
	all := noise(64 << 20)
	f := fileOf(t, all)
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		var n int64
		send := aio.Go(ctx, aio.Do(func(context.Context) (err error) {
			n, err = client.ReadFrom(f)
			return errors.Join(err, client.CloseWrite())
		}))
		waiting(ctx, t, send)
		const rest = 48 << 20
		if err := f.Truncate(rest); err != nil {
			return err
		}
		got, err := io.ReadAll(server)
		if err != nil {
			return err
		}
		if _, err := send.Await(ctx); err != nil {
			return err
		}
		if n != rest || !bytes.Equal(got, all[:rest]) {
			t.Errorf("%d bytes are said to be sent, %d came; want %d", n, len(got), rest)
		}
		return nil
	})
}

// counting is a file whose Read is not the file's.
type counting struct {
	*os.File
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	c.n += n
	return n, err
}

// What is no plain file, or only looks like one, is read: a file of /proc, a pipe, what embeds a file; and what can't be
// read tells so itself.
func TestConn_sendfileNot(t *testing.T) {
	count := countMoves(t, "sendfile")
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "unix", filepath.Join(t.TempDir(), "s"))
		expect := func(r io.Reader, want string) error {
			before := count.Load()
			n, err := client.ReadFrom(r)
			if err != nil || n != int64(len(want)) || count.Load() != before {
				t.Errorf("%T: %d bytes, %d of them by sendfile, %v; want %d", r, n, count.Load()-before, err, len(want))
			}
			got := make([]byte, len(want))
			_, err = io.ReadFull(server, got)
			if string(got) != want {
				t.Errorf("%T: got %q, want %q", r, got, want)
			}
			return err
		}
		wrapped := &counting{File: fileOf(t, []byte("embedded"))}
		if err := expect(wrapped, "embedded"); err != nil || wrapped.n != len("embedded") {
			t.Errorf("its own Read was asked for %d bytes, %v", wrapped.n, err)
		}
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		_, _ = w.WriteString("of a pipe")
		_ = w.Close()
		defer r.Close()
		if err := expect(r, "of a pipe"); err != nil {
			return err
		}
		version, err := os.ReadFile("/proc/self/comm")
		if err != nil {
			return err
		}
		proc, err := os.Open("/proc/self/comm")
		if err != nil {
			return err
		}
		defer proc.Close()
		n, err := client.ReadFrom(proc) // by which way, is the system's business
		got := make([]byte, len(version))
		if n != int64(len(version)) || err != nil {
			t.Errorf("of /proc: %d bytes of %d, %v", n, len(version), err)
		} else if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, version) {
			t.Errorf("of /proc: %q, %v, want %q", got, err, version)
		}
		closed := fileOf(t, []byte("x"))
		_ = closed.Close()
		if n, err := client.ReadFrom(closed); n != 0 || !errors.Is(err, os.ErrClosed) {
			t.Errorf("of a closed file: %d, %v", n, err)
		}
		if n, err := client.ReadFrom(io.LimitReader(fileOf(t, []byte("x")), 0)); n != 0 || err != nil {
			t.Errorf("nothing of a file: %d, %v", n, err)
		}
		return nil
	})
}

// Much from one connection to another goes by splice, and little does not; what comes is what was sent, to its end. The
// relay is a task or a goroutine.
func TestConn_splice(t *testing.T) {
	const size = 20<<20 + 54321
	all := noise(size)
	for name, way := range map[string]struct {
		relay func(to, from *aionet.Conn) (int64, error)
		want  int
	}{
		"io.Copy":  {func(to, from *aionet.Conn) (int64, error) { return io.Copy(to, from) }, size},
		"ReadFrom": {func(to, from *aionet.Conn) (int64, error) { return to.ReadFrom(from) }, size},
		"io.CopyN": {func(to, from *aionet.Conn) (int64, error) { return io.CopyN(to, from, 10<<20+1) }, 10<<20 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			eachNetwork(t, func(t *testing.T, network, address string) {
				count := countMoves(t, "splice")
				run(t, func(ctx context.Context) error {
					for _, inTask := range []bool{true, false} {
						source, from := pair(ctx, t, network, address)
						to, sink := pair(ctx, t, network, strings.Replace(address, "/s", "/t", 1))
						count.Store(0)
						call := func(context.Context) error {
							n, err := way.relay(to, from)
							if n != int64(way.want) || count.Load() < n/2 {
								t.Errorf("in a task %v: %d bytes of %d, %d by splice", inTask, n, way.want, count.Load())
							}
							return errors.Join(err, to.CloseWrite())
						}
						relay := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
							if inTask {
								return call(ctx)
							}
							return inGoroutine(ctx, call)
						}))
						send := aio.Go(ctx, aio.Do(func(context.Context) error {
							_, err := source.Write(all[:way.want])
							return errors.Join(err, source.CloseWrite())
						}))
						got, err := io.ReadAll(sink)
						if !bytes.Equal(got, all[:way.want]) {
							t.Errorf("in a task %v: %d bytes came of %d, or others", inTask, len(got), way.want)
						}
						_, serr := send.Await(ctx)
						_, rerr := relay.Await(ctx)
						if err := errors.Join(err, serr, rerr); err != nil {
							return err
						}
					}
					return nil
				})
			})
		})
	}
}

// A relay of little pieces needs no pipe: it holds neither descriptors nor memory while it waits.
func TestConn_spliceLittle(t *testing.T) {
	count := countMoves(t, "splice")
	run(t, func(ctx context.Context) error {
		client, server := pair(ctx, t, "tcp", "127.0.0.1:0")
		echo := aio.Go(ctx, aio.Do(func(context.Context) error { _, err := io.Copy(server, server); return err }))
		for i := range 100 {
			p := noise(i + 1)
			if _, err := client.Write(p); err != nil {
				return err
			}
			got := make([]byte, len(p))
			if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, p) {
				t.Fatalf("%q came back, %v", got, err)
			}
		}
		if count.Load() != 0 {
			t.Errorf("%d bytes went by splice", count.Load())
		}
		_ = client.CloseWrite()
		_, err := echo.Await(ctx)
		return err
	})
}

// When the side that is written to fails, the relay says so, and how much was written.
func TestConn_spliceEnded(t *testing.T) {
	run(t, func(ctx context.Context) error {
		source, from := pair(ctx, t, "tcp", "127.0.0.1:0")
		to, sink := pair(ctx, t, "tcp", "127.0.0.1:0")
		all := noise(64 << 20)
		send := aio.Go(ctx, aio.Do(func(context.Context) error { _, err := source.Write(all); return err }))
		var n int64
		var failed error
		relay := aio.Go(ctx, aio.Do(func(context.Context) error { n, failed = io.Copy(to, from); return nil }))
		waiting(ctx, t, send)
		waiting(ctx, t, relay)
		if err := to.SetWriteDeadline(time.Unix(1, 0)); err != nil {
			return err
		}
		_, _ = relay.Await(ctx)
		if !errors.Is(failed, os.ErrDeadlineExceeded) || n == 0 {
			t.Errorf("%d bytes, %v; want a deadline's end", n, failed)
		}
		_ = from.Close()
		if _, err := send.Await(ctx); err == nil {
			t.Error("all was sent to who has gone")
		}
		if err := to.CloseWrite(); err != nil {
			return err
		}
		got, err := io.ReadAll(sink)
		if !bytes.Equal(got, all[:n]) {
			t.Errorf("%d bytes came, %d are said to be written, or others came", len(got), n)
		}
		return err
	})
}
