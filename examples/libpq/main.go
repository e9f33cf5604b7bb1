//go:build linux

// Libpq has tasks wait for a library that knows nothing of loops, but has a descriptor and calls that do not wait, as
// PostgreSQL's libpq has: PQsocket, PQconsumeInput, PQisBusy. While it is busy the task waits with aio.Readable, and is woken
// as often as something has come. Beside it the same with aio.Poll, for a library that has no descriptor: it asks every 10
// ms, and most of the time for nothing.
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

// readAsync waits for the answer to what was sent, and reports how often it was woken.
func readAsync(ctx context.Context, c *conn) (answer string, woken int, err error) {
	for c.isBusy() {
		if err := aio.Readable(ctx, c.socket()); err != nil {
			return "", woken, err
		}
		woken++
		if err := c.consumeInput(); err != nil {
			return "", woken, err
		}
	}
	return c.getResult(), woken, nil
}

// readPolling is readAsync where there is nothing to wait for.
func readPolling(ctx context.Context, c *conn) (answer string, woken int, err error) {
	answer, err = aio.Poll(ctx, every, func() (string, bool, error) {
		if err := c.consumeInput(); err != nil {
			return "", false, err
		}
		if c.isBusy() {
			woken++ // to ask again
			return "", false, nil
		}
		return c.getResult(), true, nil
	})
	return answer, woken, err
}

// pieces is what the server answers, one every 105 ms.
var pieces = []string{"forty", "-", "two\n"}

// serve is the server: it waits for the question and takes its time.
func serve(ctx context.Context, fd int) error {
	defer syscall.Close(fd)
	if err := aio.Readable(ctx, fd); err != nil {
		return err
	}
	for _, piece := range pieces {
		if err := aio.Sleep(ctx, 105*time.Millisecond); err != nil {
			return err
		}
		if _, err := syscall.Write(fd, []byte(piece)); err != nil {
			return os.NewSyscallError("write", err)
		}
	}
	return nil
}

type reader func(context.Context, *conn) (string, int, error)

// ask asks a server of its own, and says what came of it.
func ask(ctx context.Context, how string, read reader) (string, error) {
	c, server, err := open()
	if err != nil {
		return "", err
	}
	defer c.finish() // nobody waits for it any more then
	serving := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return serve(ctx, server) }))
	if err := c.sendQuery("six by seven"); err != nil {
		return "", err
	}
	answer, woken, err := read(ctx, c)
	_, failed := serving.Await(ctx)
	return fmt.Sprintf("%s: %q, woken %d times\n", how, answer, woken), errors.Join(err, failed)
}

// run has both ask at the same time.
func run(ctx context.Context, out io.Writer) error {
	var tasks []*aio.Task[string]
	for _, w := range []struct {
		how  string
		read reader
	}{{"its descriptor", readAsync}, {"polling", readPolling}} {
		tasks = append(tasks, aio.Go(ctx, func(ctx context.Context) (string, error) { return ask(ctx, w.how, w.read) }))
	}
	told, err := aio.Gather(ctx, tasks...)
	for _, text := range told {
		fmt.Fprint(out, text)
	}
	return err
}

func main() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error { return run(ctx, os.Stdout) }))
	if err != nil {
		fmt.Fprintln(os.Stderr, "libpq:", err)
		os.Exit(1)
	}
}
