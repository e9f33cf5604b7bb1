//go:build unix

// Poll reads lines from a descriptor that does not block: where nothing is there yet, read says so
// (EAGAIN), and aio.Poll asks again in 10 ms, while other tasks run. It is asyncio's
// "while True: try ... except BlockingIOError: await sleep(...)", for what can only be asked. Where a
// thing can be waited for, waiting is better.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
)

const every = 10 * time.Millisecond

// read returns what comes next from fd, and how often it had to ask. At the end it is io.EOF.
func read(ctx context.Context, fd int) (text string, asked int, err error) {
	buf := make([]byte, 256)
	text, err = aio.Poll(ctx, every, func() (string, bool, error) {
		asked++
		switch n, err := syscall.Read(fd, buf); {
		case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR):
			return "", false, nil // not yet
		case err != nil:
			return "", false, os.NewSyscallError("read", err)
		case n == 0:
			return "", false, io.EOF
		default:
			return string(buf[:n]), true, nil
		}
	})
	return text, asked, err
}

// write stands for a device: it says something now and then, and hangs up.
func write(ctx context.Context, fd int) error {
	for _, word := range []string{"ready", "steady", "go"} {
		if err := aio.Sleep(ctx, 35*time.Millisecond); err != nil {
			return errors.Join(err, syscall.Close(fd))
		}
		if _, err := syscall.Write(fd, []byte(word)); err != nil {
			return errors.Join(os.NewSyscallError("write", err), syscall.Close(fd))
		}
	}
	return syscall.Close(fd)
}

func run(ctx context.Context, out io.Writer) error {
	var pipe [2]int
	if err := syscall.Pipe(pipe[:]); err != nil {
		return os.NewSyscallError("pipe", err)
	}
	defer syscall.Close(pipe[0])
	device := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return write(ctx, pipe[1]) }))
	if err := syscall.SetNonblock(pipe[0], true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	for {
		text, asked, err := read(ctx, pipe[0])
		if err == io.EOF {
			fmt.Fprintf(out, "questions: %d, then it hung up\n", asked)
			_, err = device.Await(ctx)
			return err
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "questions: %d, answer: %q\n", asked, text)
	}
}

func main() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error { return run(ctx, os.Stdout) }))
	if err != nil {
		fmt.Fprintln(os.Stderr, "poll:", err)
		os.Exit(1)
	}
}
