//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aio_test

import (
	"bytes"
	"runtime"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
)

// Descriptors for tests. All are in non-blocking mode, and closed at the test's end; a test that
// closes one itself takes barePipe.

// pipe is both ends of one.
func pipe(t testing.TB) (r, w int) {
	t.Helper()
	r, w = barePipe(t)
	closes(t, r)
	closes(t, w)
	return r, w
}

// barePipe is pipe for who closes both ends.
func barePipe(t testing.TB) (r, w int) {
	t.Helper()
	var p [2]int
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(p[:]); err != nil {
		t.Fatalf("pipe: %v", err)
	}
	unblocks(t, p[0])
	unblocks(t, p[1])
	return p[0], p[1]
}

// pair is both ends of a stream.
func pair(t testing.TB) (a, b int) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	p, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatalf("socketpair: %v", err)
	}
	unblocks(t, p[0])
	unblocks(t, p[1])
	closes(t, p[0])
	closes(t, p[1])
	return p[0], p[1]
}

func unblocks(t testing.TB, fd int) {
	t.Helper()
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatalf("fcntl: %v", err)
	}
}

// closes closes fd at the test's end; it may be closed by then.
func closes(t testing.TB, fd int) {
	t.Cleanup(func() { _ = syscall.Close(fd) })
}

// put writes to a descriptor that has room.
func put(t testing.TB, fd int, text string) {
	t.Helper()
	if n, err := syscall.Write(fd, []byte(text)); n != len(text) || err != nil {
		t.Errorf("write to descriptor %d: %d, %v", fd, n, err)
	}
}

// get reads what is there, if anything: at most n bytes.
func get(t testing.TB, fd, n int) string {
	t.Helper()
	buf := make([]byte, n)
	got, err := syscall.Read(fd, buf)
	if err != nil {
		if err != syscall.EAGAIN {
			t.Errorf("read of descriptor %d: %v", fd, err)
		}
		return ""
	}
	return string(buf[:got])
}

// fill writes to fd until there is no room, and reports how much it was.
func fill(t testing.TB, fd int) (size int) {
	t.Helper()
	for block := make([]byte, 4096); ; {
		n, err := syscall.Write(fd, block)
		if err == syscall.EAGAIN {
			return size
		}
		if err != nil {
			t.Errorf("write: %v", err)
			return size
		}
		size += n
	}
}

// waiting returns when n goroutines are blocked in Readable or Writable.
func waiting(n int) {
	for buf := make([]byte, 1<<20); ; runtime.Gosched() {
		waits := 0
		for _, stack := range bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
			if bytes.Contains(stack, []byte("aio.waitFD(")) && bytes.Contains(stack, []byte("aio.(*waiter).block(")) {
				waits++
			}
		}
		if waits >= n {
			return
		}
	}
}

// adds adds a reader, on whatever goroutine.
func adds(t testing.TB, l *aio.Loop, fd int, fn func()) {
	t.Helper()
	if err := l.AddReader(fd, fn); err != nil {
		t.Errorf("AddReader: %v", err)
	}
}
