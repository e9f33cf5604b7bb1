//go:build linux

// Inotify waits for what the kernel tells of a directory, with an open descriptor and nothing else:
// as with any library that has a descriptor and asks to be called again when it is ready. Once by
// aio.Readable, which wakes the task when there is something to read, and once by aio.Poll, which asks every 10
// ms: that needs nothing from the system, but finds things late, and wakes up for nothing.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
)

const every = 10 * time.Millisecond

// watch is a descriptor that tells what is created in dir. It does not block.
func watch(dir string) (int, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("inotify_init1", err)
	}
	if _, err := syscall.InotifyAddWatch(fd, dir, syscall.IN_CREATE); err != nil {
		return -1, errors.Join(os.NewSyscallError("inotify_add_watch", err), syscall.Close(fd))
	}
	return fd, nil
}

// created is the names of the files that fd tells of, as far as it has already: the library's part.
// With none yet it says EAGAIN.
func created(fd int) (names []string, err error) {
	buf := make([]byte, 4096)
	n, err := syscall.Read(fd, buf)
	if err != nil {
		return nil, err
	}
	for buf = buf[:n]; len(buf) >= syscall.SizeofInotifyEvent; {
		end := syscall.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buf[12:]))
		name, _, _ := bytes.Cut(buf[syscall.SizeofInotifyEvent:end], []byte{0})
		names, buf = append(names, string(name)), buf[end:]
	}
	return names, nil
}

// awaited is created, for a task: it reads, and where that would block, waits until it does not.
// Any goroutine may call it.
func awaited(ctx context.Context, fd int) (names []string, reads int, err error) {
	for {
		reads++
		names, err = created(fd)
		if err != syscall.EAGAIN && err != syscall.EINTR {
			return names, reads, err
		}
		if err := aio.Readable(ctx, fd); err != nil {
			return nil, reads, err
		}
	}
}

// polled is awaited where nobody can tell when to try again.
func polled(ctx context.Context, fd int) (names []string, reads int, err error) {
	names, err = aio.Poll(ctx, every, func() ([]string, bool, error) {
		reads++
		names, err := created(fd)
		if err == syscall.EAGAIN || err == syscall.EINTR {
			return nil, false, nil
		}
		return names, true, err
	})
	return names, reads, err
}

// run has both watch dir, and creates a file.
func run(ctx context.Context, dir string, out io.Writer) error {
	type watcher func(context.Context, int) ([]string, int, error)
	watchers := []struct {
		how  string
		wait watcher
	}{{"awaited", awaited}, {"polled", polled}}
	var tasks []*aio.Task[string]
	for _, w := range watchers {
		fd, err := watch(dir)
		if err != nil {
			return err
		}
		defer syscall.Close(fd) // nobody waits for it any more then
		tasks = append(tasks, aio.Go(ctx, func(ctx context.Context) (string, error) {
			names, reads, err := w.wait(ctx, fd)
			return fmt.Sprintf("%s: %q, after %d reads", w.how, names, reads), err
		}))
	}
	if err := aio.Sleep(ctx, 95*time.Millisecond); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "news"), nil, 0o600); err != nil {
		return err
	}
	told, err := aio.Gather(ctx, tasks...)
	for _, text := range told {
		fmt.Fprintln(out, text)
	}
	return err
}

func inTemp(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "inotify")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return run(ctx, dir, os.Stdout)
}

func main() {
	if _, err := aio.Run(context.Background(), aio.Do(inTemp)); err != nil {
		fmt.Fprintln(os.Stderr, "inotify:", err)
		os.Exit(1)
	}
}
