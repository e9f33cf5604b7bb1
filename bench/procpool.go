package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

// procpoolRows are the rows that compare calls to a pool of processes with the bare bytes, there and back, to
// a child that does nothing else.
func procpoolRows() []row {
	const small, mib, large = 64, 1 << 20, 64 << 20
	pipes, socket := bareBytes(throughPipes, small), "the bytes over a socket pair, into one buffer"
	return []row{
		{name: "procpool, 64 B there and back, from a goroutine", peer: "write + read over two pipes to a child", budget: 1.5, ours: inPool(executeHere, small), theirs: pipes},
		{name: "procpool, 64 B there and back, from a task", key: "process", peer: "write + read over two pipes to a child", budget: 1.5, ours: inPool(executeInTask, small), theirs: pipes},
		{name: "procpool, 64 B by In and Await, in a task", peer: "write + read over two pipes to a child", budget: 1.5, ours: inPool(inAndAwait, small), theirs: pipes},
		{name: "procpool, 1 MiB there and back", key: "process1m", peer: socket, budget: 3, ours: inPool(executeInTask, mib), theirs: bareBytes(throughSocket, mib)},
		{name: "procpool, 64 MiB there and back", key: "process64m", peer: socket, budget: 3, fixed: 4, ours: inPool(executeInTask, large), theirs: bareBytes(throughSocket, large)},
	}
}

// echoes is the job of all of them.
var echoes = job.Define("echo", func(_ context.Context, in []byte) ([]byte, error) { return in, nil })

// inPool times n calls, one after the other, to a pool of two workers that has been in use.
func inPool(work func(p *procpool.Pool, c job.Call, n int), size int) func(n int) float64 {
	return func(n int) float64 {
		p, err := procpool.New(procpool.Config{Workers: 2, MaxFrameBytes: size + 1024})
		if err != nil {
			return broken("procpool", err)
		}
		defer p.Close()
		call := encoded(make([]byte, size))
		return timed(func(n int) { work(p, call, n) })(n)
	}
}

func executeHere(p *procpool.Pool, c job.Call, n int) { execute(context.Background(), p, c, n) }

func executeInTask(p *procpool.Pool, c job.Call, n int) {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error { execute(ctx, p, c, n); return nil }))
	must(err)
}

func execute(ctx context.Context, p *procpool.Pool, c job.Call, n int) {
	for range n {
		_, err := p.Execute(ctx, c)
		must(err)
	}
}

// inAndAwait is what users write: a future, with encoding and decoding.
func inAndAwait(p *procpool.Pool, c job.Call, n int) {
	in := make([]byte, len(c.Payload))
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		for range n {
			if _, err := echoes.In(ctx, p, in).Await(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
	must(err)
}

// encoded is the call that In would make.
func encoded(in []byte) job.Call {
	var seen looker
	_, _ = echoes.In(context.Background(), &seen, in).Await(context.Background())
	return seen.call
}

// looker is an executor that only looks at a call.
type looker struct{ call job.Call }

func (l *looker) Execute(_ context.Context, c job.Call) ([]byte, error) {
	l.call = c
	return nil, aio.ErrClosed
}

func (l *looker) Close() error { return nil }

// bareBytes times n round trips of size bytes to a child that reads them all and then writes them.
func bareBytes(through func() (in, out *os.File, theirs []*os.File, err error), size int) func(n int) float64 {
	return func(n int) float64 {
		in, out, theirs, err := through()
		if err != nil {
			return broken("a child that echoes", err)
		}
		child := exec.Command(os.Args[0], "child", fmt.Sprint("echo ", size))
		child.Stderr, child.ExtraFiles = os.Stderr, theirs
		if err := child.Start(); err != nil {
			return broken("a child that echoes", err)
		}
		for _, f := range theirs {
			_ = f.Close() // a socket is there twice
		}
		buf := make([]byte, size)
		start := time.Now()
		for i := range n + n/10 + 1 {
			if i == n/10+1 {
				start = time.Now()
			}
			_, err := out.Write(buf)
			must(err)
			_, err = io.ReadFull(in, buf)
			must(err)
		}
		took := time.Since(start)
		_, _ = out.Close(), in.Close()
		must(child.Wait())
		return float64(took)
	}
}

func throughPipes() (in, out *os.File, theirs []*os.File, err error) {
	theirIn, out, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	in, theirOut, err := os.Pipe()
	return in, out, []*os.File{theirIn, theirOut}, err
}

func throughSocket() (in, out *os.File, theirs []*os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
		must(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, 1<<20))
	}
	must(syscall.SetNonblock(fds[0], true))
	ours, their := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	return ours, ours, []*os.File{their, their}, nil
}

// echoBytes is the child: C, in Go. It ends with what it reads.
func echoBytes(size int) float64 {
	const in, out = 3, 4
	buf := make([]byte, size)
	for {
		for did := 0; did < size; {
			n, err := syscall.Read(in, buf[did:])
			if n <= 0 && err != syscall.EINTR {
				os.Exit(0)
			}
			did += max(n, 0)
		}
		for did := 0; did < size; {
			n, err := syscall.Write(out, buf[did:])
			if n <= 0 && err != syscall.EINTR {
				os.Exit(1)
			}
			did += max(n, 0)
		}
	}
}
