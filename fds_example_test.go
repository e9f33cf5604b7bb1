//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aio_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/seed8b1f0744/aio"
)

// A read that waits: any goroutine may call it, a task gives the loop to others meanwhile.
func ExampleReadable() {
	read := func(ctx context.Context, fd int, buf []byte) (int, error) {
		for {
			n, err := syscall.Read(fd, buf)
			if err != syscall.EAGAIN {
				return n, err
			}
			if err := aio.Readable(ctx, fd); err != nil {
				return 0, err
			}
		}
	}
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		var pipe [2]int
		if err := errors.Join(syscall.Pipe(pipe[:]), syscall.SetNonblock(pipe[0], true)); err != nil {
			return err
		}
		defer syscall.Close(pipe[0])
		defer syscall.Close(pipe[1])
		text := aio.Go(ctx, func(ctx context.Context) (string, error) {
			buf := make([]byte, 100)
			n, err := read(ctx, pipe[0], buf)
			return string(buf[:n]), err
		})
		if _, err := syscall.Write(pipe[1], []byte("hello")); err != nil {
			return err
		}
		got, err := text.Await(ctx)
		fmt.Println(got)
		return err
	}))
	fmt.Println(err)
	// Output:
	// hello
	// <nil>
}

// The callback is called again as long as there is something left.
func ExampleLoop_AddReader() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		loop, _ := aio.LoopOf(ctx)
		var pipe [2]int
		if err := errors.Join(syscall.Pipe(pipe[:]), syscall.SetNonblock(pipe[0], true)); err != nil {
			return err
		}
		defer syscall.Close(pipe[0])
		var atEnd aio.Event
		err := loop.AddReader(pipe[0], func() {
			buf := make([]byte, 3)
			n, err := syscall.Read(pipe[0], buf)
			if n == 0 || err != nil {
				loop.RemoveReader(pipe[0]) // before it is closed
				atEnd.Set()
				return
			}
			fmt.Println(string(buf[:n]))
		})
		if err != nil {
			return err
		}
		_, err = syscall.Write(pipe[1], []byte("onetwo"))
		return errors.Join(err, syscall.Close(pipe[1]), atEnd.Wait(ctx))
	}))
	fmt.Println(err)
	// Output:
	// one
	// two
	// <nil>
}
