//go:build unix

package procpool_test

import (
	"context"
	"io"
	"os"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

// The budget: a round trip of 64 bytes takes at most 1.5 times that of BenchmarkPipePair, one write
// and one read to a child that does nothing else. Compare in one run:
//
//	go test ./procpool -run '^$' -bench 'PipePair|Execute' -count 6

// echo is a job that does nothing.
var echo = job.Define("echo", func(_ context.Context, in []byte) ([]byte, error) { return in, nil })

// echoCall is a call of echo with n bytes.
func echoCall(n int) job.Call {
	var seen capture
	_, _ = echo.In(context.Background(), &seen, make([]byte, n)).Await(context.Background())
	return seen.call
}

// capture is an executor that only looks at calls.
type capture struct{ call job.Call }

func (c *capture) Execute(_ context.Context, call job.Call) ([]byte, error) {
	c.call = call
	return nil, aio.ErrClosed
}

func (c *capture) Close() error { return nil }

func BenchmarkPipePair(b *testing.B) {
	for _, c := range sizes {
		b.Run(c.name, func(b *testing.B) {
			in, out := cat(b)
			buf := make([]byte, c.n)
			b.SetBytes(int64(c.n))
			for b.Loop() {
				if c.n > 4096 {
					go out.Write(buf)
				} else if _, err := out.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(in, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var sizes = []struct {
	name string
	n    int
}{{"64B", 64}, {"64KiB", 64 << 10}, {"1MiB", 1 << 20}, {"60MiB", 60 << 20}}

// cat starts a child that writes what it reads.
func cat(b *testing.B) (in, out *os.File) {
	childIn, out, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	in, childOut, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	child, err := os.StartProcess(self, []string{"cat"}, &os.ProcAttr{Env: as("cat"), Files: []*os.File{childIn, childOut, os.Stderr}})
	if err != nil {
		b.Fatal(err)
	}
	childIn.Close()
	childOut.Close()
	b.Cleanup(func() {
		out.Close()
		child.Wait()
		in.Close()
	})
	return in, out
}

func playCat() {
	buf := make([]byte, 64<<10)
	for {
		n, err := os.Stdin.Read(buf)
		if err != nil {
			os.Exit(0)
		}
		if _, err := os.Stdout.Write(buf[:n]); err != nil {
			os.Exit(0)
		}
	}
}

func BenchmarkExecute(b *testing.B) {
	for _, c := range sizes {
		b.Run(c.name, func(b *testing.B) {
			p := pool(b, procpool.Config{Workers: 1})
			call := echoCall(c.n)
			execute(b, b.Context(), p, call)
			b.SetBytes(int64(c.n))
			for b.Loop() {
				execute(b, b.Context(), p, call)
			}
		})
	}
}

func BenchmarkExecute_inTask(b *testing.B) {
	p := pool(b, procpool.Config{Workers: 1})
	_, err := aio.Run(b.Context(), aio.Do(func(ctx context.Context) error {
		call := echoCall(64)
		execute(b, ctx, p, call)
		for b.Loop() {
			execute(b, ctx, p, call)
		}
		return nil
	}))
	if err != nil {
		b.Fatal(err)
	}
}

// A worker for each call: started, and ended.
func BenchmarkExecute_newWorker(b *testing.B) {
	p := pool(b, procpool.Config{Workers: 1, MaxCalls: 1})
	call := echoCall(64)
	for b.Loop() {
		execute(b, b.Context(), p, call)
	}
}

func execute(b *testing.B, ctx context.Context, p *procpool.Pool, c job.Call) {
	if _, err := p.Execute(ctx, c); err != nil {
		b.Fatal(err)
	}
}
