package aio_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/seed8b1f0744/aio"
)

// What has a descriptor on Linux can be awaited, whatever it is.

func newFD(t testing.TB, what string, number uintptr, args ...uintptr) int {
	t.Helper()
	var a [3]uintptr
	copy(a[:], args)
	fd, _, errno := syscall.Syscall(number, a[0], a[1], a[2])
	if errno != 0 {
		t.Fatalf("%s: %v", what, errno)
	}
	unblocks(t, int(fd))
	closes(t, int(fd))
	return int(fd)
}

func newEventFD(t testing.TB) int { return newFD(t, "eventfd", syscall.SYS_EVENTFD2) }

// readsAfter waits in a task until fd is readable, has act make it so while it waits, and returns what
// is there then.
func readsAfter(t *testing.T, fd int, act func()) (text []byte) {
	t.Helper()
	run(t, func(ctx context.Context) error {
		reads := aio.Go(ctx, func(ctx context.Context) ([]byte, error) {
			if err := aio.Readable(ctx, fd); err != nil {
				return nil, err
			}
			buf := make([]byte, 4096)
			n, err := syscall.Read(fd, buf)
			return buf[:max(n, 0)], err
		})
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		if reads.State() != aio.Pending {
			t.Error("it does not wait")
		}
		act()
		var err error
		text, err = reads.Await(ctx)
		return err
	})
	return text
}

func TestReadable_eventfd(t *testing.T) {
	fd := newEventFD(t)
	got := readsAfter(t, fd, func() { put(t, fd, string(binary.NativeEndian.AppendUint64(nil, 7))) })
	if len(got) != 8 || binary.NativeEndian.Uint64(got) != 7 {
		t.Errorf("read %v, want 7", got)
	}
}

func TestReadable_timerfd(t *testing.T) {
	fd := newFD(t, "timerfd_create", syscall.SYS_TIMERFD_CREATE, 1 /* CLOCK_MONOTONIC */)
	got := readsAfter(t, fd, func() { setTimer(t, fd, time.Millisecond) })
	if len(got) != 8 || binary.NativeEndian.Uint64(got) != 1 {
		t.Errorf("read %v, want 1", got)
	}
}

// setTimer has a timerfd be readable after d.
func setTimer(t testing.TB, fd int, d time.Duration) {
	t.Helper()
	timer := [2]syscall.Timespec{{}, syscall.NsecToTimespec(int64(d))}
	if _, _, errno := syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, uintptr(fd), 0, uintptr(unsafe.Pointer(&timer)), 0, 0, 0); errno != 0 {
		t.Fatalf("timerfd_settime: %v", errno)
	}
}

func TestReadable_inotify(t *testing.T) {
	dir := t.TempDir()
	fd := newFD(t, "inotify_init1", syscall.SYS_INOTIFY_INIT1)
	if _, err := syscall.InotifyAddWatch(fd, dir, syscall.IN_CREATE); err != nil {
		t.Fatal(err)
	}
	got := readsAfter(t, fd, func() {
		if err := os.WriteFile(filepath.Join(dir, "made"), nil, 0o600); err != nil {
			t.Error(err)
		}
	})
	if !bytes.Contains(got, []byte("made\x00")) {
		t.Errorf("read %q, want the file's name in it", got)
	}
}

// newPTY is both ends of a pseudo terminal.
func newPTY(t *testing.T) (master, slave int) {
	t.Helper()
	master, err := syscall.Open("/dev/ptmx", syscall.O_RDWR|syscall.O_NOCTTY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	closes(t, master)
	var unlock, number int32
	for _, c := range []struct {
		request uintptr
		arg     *int32
	}{{syscall.TIOCSPTLCK, &unlock}, {syscall.TIOCGPTN, &number}} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(master), c.request, uintptr(unsafe.Pointer(c.arg))); errno != 0 {
			t.Fatalf("ioctl: %v", errno)
		}
	}
	slave, err = syscall.Open(fmt.Sprintf("/dev/pts/%d", number), syscall.O_RDWR|syscall.O_NOCTTY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	closes(t, slave)
	return master, slave
}

// A serial-like device: lines, an echo, and a hang-up.
func TestReadable_pty(t *testing.T) {
	master, slave := newPTY(t)
	line := readsAfter(t, slave, func() { put(t, master, "hello\n") })
	if string(line) != "hello\n" {
		t.Errorf("the program read %q", line)
	}
	if echo := get(t, master, 99); echo != "hello\r\n" {
		t.Errorf("the echo is %q", echo)
	}
	answer := readsAfter(t, master, func() { put(t, slave, "answer\n") })
	if string(answer) != "answer\r\n" {
		t.Errorf("the terminal read %q", answer)
	}
	run(t, func(ctx context.Context) error {
		waits := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return aio.Readable(ctx, master) }))
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		_ = syscall.Close(slave)
		_, err := waits.Await(ctx)
		if _, err := syscall.Read(master, make([]byte, 1)); err != syscall.EIO {
			t.Errorf("after the hang-up: %v, want EIO", err)
		}
		return err
	})
}

// A pipe from a child: what it says, and its end.
func TestReadable_child(t *testing.T) {
	r, w := barePipe(t)
	closes(t, r)
	file := os.NewFile(uintptr(w), "pipe")
	child := exec.Command("sh", "-c", "echo one; read go; echo two")
	child.Stdout = file
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	var text strings.Builder
	run(t, func(ctx context.Context) error {
		for {
			if err := aio.Readable(ctx, r); err != nil {
				return err
			}
			got := get(t, r, 99)
			if got == "" {
				return nil
			}
			if text.WriteString(got); text.String() == "one\n" {
				_ = stdin.Close()
			}
		}
	})
	if text.String() != "one\ntwo\n" {
		t.Errorf("the child said %q", text.String())
	}
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
}

// A netlink socket: the kernel's answer to a question.
func TestReadable_netlink(t *testing.T) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW, syscall.NETLINK_ROUTE)
	if err != nil {
		t.Skipf("no netlink here: %v", err)
	}
	unblocks(t, fd)
	closes(t, fd)
	question := binary.NativeEndian.AppendUint32(nil, syscall.NLMSG_HDRLEN+1)
	question = binary.NativeEndian.AppendUint16(question, syscall.RTM_GETLINK)
	question = binary.NativeEndian.AppendUint16(question, syscall.NLM_F_DUMP|syscall.NLM_F_REQUEST)
	question = append(question, make([]byte, 9)...)
	got := readsAfter(t, fd, func() {
		if err := syscall.Sendto(fd, question, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
			t.Error(err)
		}
	})
	answers, err := syscall.ParseNetlinkMessage(got)
	if err != nil || len(answers) == 0 || answers[0].Header.Type != syscall.RTM_NEWLINK {
		t.Errorf("answers %v, %v; want the first interface", answers, err)
	}
}

// An epoll set of somebody else's, as libraries have that want to be asked when they may go on.
func TestReadable_epoll(t *testing.T) {
	set := newFD(t, "epoll_create1", syscall.SYS_EPOLL_CREATE1)
	r, w := pipe(t)
	if err := syscall.EpollCtl(set, syscall.EPOLL_CTL_ADD, r, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(r)}); err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error {
		waits := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return aio.Readable(ctx, set) }))
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		put(t, w, "x")
		_, err := waits.Await(ctx)
		return err
	})
}

// An idle loop with 10,000 descriptors costs no CPU and no thread, and finds the one that gets ready.
func TestReadable_10000(t *testing.T) {
	const n = 10000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < n+200 {
		t.Skipf("%d descriptors are allowed (%v)", limit.Cur, err)
	}
	fds := make([]int, n)
	for i := range fds {
		fds[i] = newEventFD(t)
	}
	timer := newFD(t, "timerfd_create", syscall.SYS_TIMERFD_CREATE, 1)
	l := start(t)
	called := make(chan int, 1)
	for i, fd := range fds {
		adds(t, l, fd, func() {
			get(t, fd, 8)
			called <- i
		})
	}
	threads := threadCount(t)
	pass := func(d time.Duration) {
		setTimer(t, timer, d)
		if err := aio.Readable(l.Context(), timer); err != nil {
			t.Error(err)
		}
		get(t, timer, 8)
	}
	pass(time.Millisecond)
	iterations, before := l.Stats().Iterations, cpuTime(t)
	pass(300 * time.Millisecond)
	if used := cpuTime(t) - before; used > 60*time.Millisecond {
		t.Errorf("an idle loop took %v of CPU time in 300 ms", used)
	}
	if n := l.Stats().Iterations - iterations; n > 20 {
		t.Errorf("an idle loop had %d iterations", n)
	}
	if now := threadCount(t); now > threads+2 { // of the tests that ran before, some may go or come
		t.Errorf("%d threads, there were %d", now, threads)
	}
	for _, i := range []int{0, n / 2, n - 1} {
		put(t, fds[i], string(binary.NativeEndian.AppendUint64(nil, 1)))
		if got := <-called; got != i {
			t.Errorf("%d was called, not %d", got, i)
		}
	}
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func threadCount(t *testing.T) int {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip(err)
	}
	return len(threads)
}

// Many loops that watch take no thread each either.
func TestReadable_manyLoops(t *testing.T) {
	const n = 100
	before := threadCount(t)
	r, w := pipe(t)
	var loops []*aio.Loop
	called := make(chan *aio.Loop, 10*n)
	for range n {
		l := start(t)
		loops = append(loops, l)
		adds(t, l, r, func() { called <- l; l.RemoveReader(r) })
		turn(t, l)
	}
	if now := threadCount(t); now > before+10 {
		t.Errorf("%d loops take %d threads", n, now-before)
	}
	put(t, w, "x")
	seen := map[*aio.Loop]bool{}
	for range n {
		seen[<-called] = true
	}
	if len(seen) != n {
		t.Errorf("%d loops saw it, want %d", len(seen), n)
	}
	for _, l := range loops {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A program that may open nothing more is told so, and can go on when it may again. In a process of
// its own, whose limit it is.
func TestReadable_noDescriptors(t *testing.T) {
	if os.Getenv("AIO_TEST_NO_DESCRIPTORS") == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestReadable_noDescriptors$", "-test.v")
		child.Env = append(os.Environ(), "AIO_TEST_NO_DESCRIPTORS=1")
		out, err := child.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("--- PASS: TestReadable_noDescriptors")) {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	r, w := pipe(t)
	l := start(t)
	turn(t, l)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := aio.Readable(l.Context(), r); !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), "aio: a loop needs descriptors of its own") {
			t.Errorf("got %v, want EMFILE and why", err)
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	put(t, w, "x")
	if err := aio.Readable(l.Context(), r); err != nil {
		t.Error(err)
	}
}
