package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// onSmallDisk runs a shell script in a folder of 64 KiB. Skips where a test may not have one.
func onSmallDisk(t *testing.T, dir, script string, args ...string) string {
	t.Helper()
	cmd := exec.Command("/bin/sh", append([]string{"-c", "mount -t tmpfs -o size=64k none \"$1\" || exit 99; cd \"$1\"; shift\n" + script, "sh", dir}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+linkTo(t, t.TempDir())+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	text, err := cmd.CombinedOutput()
	if code := exitCode(err); code == -2 || code == 99 {
		t.Skipf("no disk of our own: %v\n%s", err, text)
	}
	return string(text)
}

// TestDiskStaysFull: run after run on a full disk fires nothing that it cannot write down; only what was under way when it became full is fired twice.
func TestDiskStaysFull(t *testing.T) {
	const entries, atOnce = 400, 8
	s := newCounter(nil)
	defer s.Close()
	log := writeLog(t, t.TempDir(), entries)
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text := onSmallDisk(t, dir, `
		head -c 20000 /dev/zero >filler
		for n in 1 2 3; do
			refire run --base "$1" --concurrency 8 --progress off "$2"; echo "exit code $?"
			wc -l <retry.log
		done
		rm filler
		mount -o remount,size=1m .
		refire run --base "$1" --concurrency 8 --progress off "$2"; echo "exit code $?"
		wc -l <retry.log`, s.URL, log)
	if n := strings.Count(text, "exit code 3\n"); n != 3 || !strings.Contains(text, "cannot write retry.log: no space left on device") ||
		strings.Count(text, "refire: no room for retry.log: no space left on device\nhint: nothing was fired") != 2 {
		t.Errorf("%d times exit code 3\n%s", n, text)
	}
	if !strings.HasSuffix(text, "exit code 0\n400\n") {
		t.Errorf("does not end well\n%s", text)
	}
	if n := s.total(); n < entries || n > entries+atOnce {
		t.Errorf("%d requests for %d entries", n, entries)
	}
}

// TestDiskFullOfAnnouncements: run after run on a disk that is full, and a little larger each time: what goes out at most once is announced, and has room for its
// outcome, before it is fired, so that none becomes unknown.
func TestDiskFullOfAnnouncements(t *testing.T) {
	const entries = 400
	s := newCounter(nil)
	defer s.Close()
	log := writeLogOf(t, t.TempDir(), "POST", entries)
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text := onSmallDisk(t, dir, `
		for size in 36 52 68 84 100 116 132 148 164 180 1000; do
			mount -o remount,size=${size}k .
			refire run --base "$1" --method POST --concurrency 16 --progress off "$2"; echo "exit code $?"
			wc -l <retry.log
		done
		ls`, s.URL, log)
	if n := s.total(); n != entries || strings.Contains(text, "  unknown ") || strings.Contains(text, "the outcomes of ") {
		t.Errorf("%d requests for %d entries", n, entries)
	}
	if strings.Count(text, "exit code 3\n") < 3 || !strings.HasSuffix(text, "exit code 0\n400\nretry.log\nretry.log.meta\n") {
		t.Errorf("does not end well")
	}
	if t.Failed() || testing.Verbose() {
		t.Log(text)
	}
}
