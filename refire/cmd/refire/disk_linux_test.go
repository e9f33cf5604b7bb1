package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of that size, if this process may.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fillUp takes what is left of the disk.
func fillUp(t *testing.T, dir string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "fill")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return path
		}
	}
}

// fullDiskRun runs refire in dir until its disk is full, makes room, and goes on: each entry has one outcome then, and few were fired twice, or none.
func fullDiskRun(t *testing.T, method string, dir string, room func(), run func(args ...string) (string, error), makeRoom func()) {
	const entries, concurrency = 300, 8
	s := newCounter(nil)
	defer s.Close()
	log := writeLogOf(t, t.TempDir(), method, entries)
	out := filepath.Join(dir, "retry.log")
	room()
	args := []string{"run", "--base", s.URL, "--method", method, "--out", out, "--concurrency", fmt.Sprint(concurrency), log}
	text, err := run(args...)
	if code := exitCode(err); code != exitCannotRun || !strings.Contains(text, "refire: cannot write "+out) ||
		!strings.Contains(text, "hint: firing was stopped; make room, then run the same command again") {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	if s.total() >= entries {
		t.Fatalf("%d were fired before it ended", s.total())
	}
	makeRoom()
	again, err := child(t, args...).CombinedOutput()
	unknown := checkOutcomes(t, out, entries)
	twice := 0
	for target, n := range s.all() {
		twice += n - 1
		if n > 1 && method == "POST" {
			t.Errorf("%s was fired %d times", target, n)
		}
	}
	if want := map[bool]int{true: exitRecovered, false: exitStillFails}[unknown == 0]; exitCode(err) != want || twice > concurrency || unknown > concurrency {
		t.Errorf("%v, %d fired twice, %d unknown, %d at a time\n%s\n%s", err, twice, unknown, concurrency, text, again)
	}
}

// TestDiskFillsUp: the disk is full in the middle of a run.
func TestDiskFillsUp(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			disk := smallDisk(t, 1<<20)
			var fill string
			someRoom := func() {
				fill = fillUp(t, disk)
				if err := os.Truncate(fill, mustSize(t, fill)-40<<10); err != nil { // room for some lines
					t.Fatal(err)
				}
			}
			run := func(args ...string) (string, error) {
				text, err := child(t, args...).CombinedOutput()
				return string(text), err
			}
			fullDiskRun(t, method, disk, someRoom, run, func() {
				if err := os.Remove(fill); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func mustSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestFileSizeLimit: the system lets the file grow no further (ulimit -f), which it says with a signal, too.
func TestFileSizeLimit(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			dir := t.TempDir()
			path := linkTo(t, dir)
			run := func(args ...string) (string, error) {
				cmd := child(t, args...)
				cmd.Args = append([]string{"sh", "-c", "ulimit -f 40; exec refire \"$@\"", "sh"}, args...)
				cmd.Path = "/bin/sh"
				cmd.Env = append(cmd.Env, "PATH="+path)
				text, err := cmd.CombinedOutput()
				return string(text), err
			}
			fullDiskRun(t, method, t.TempDir(), func() {}, run, func() {})
		})
	}
}

// TestReadOnlyDisk: nothing is fired, and it is said why.
func TestReadOnlyDisk(t *testing.T) {
	s := newCounter(nil)
	defer s.Close()
	disk := smallDisk(t, 1<<20)
	log, out := writeLog(t, t.TempDir(), 3), filepath.Join(disk, "retry.log")
	if text, err := child(t, "run", "--base", s.URL, "--out", out, log).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{out, filepath.Join(disk, "new.log")} {
		text, err := child(t, "run", "--base", s.URL, "--out", name, log).CombinedOutput()
		if code := exitCode(err); code != exitCannotRun || !strings.Contains(string(text), "cannot open "+name+": read-only file system") ||
			!strings.Contains(string(text), "hint: nothing was fired; name another --out") {
			t.Errorf("exit code %d\n%s", code, text)
		}
	}
	if text, err := child(t, "report", out).CombinedOutput(); err != nil {
		t.Errorf("report: %v\n%s", err, text)
	}
	if s.total() != 3 {
		t.Errorf("%d were fired", s.total())
	}
}

// TestReadOnlyFolder: a retry log that may be written, with nothing beside it. What goes out at most once is not fired then; other requests are, and it is
// said that the options are not remembered.
func TestReadOnlyFolder(t *testing.T) {
	s := newCounter(nil)
	defer s.Close()
	disk, dir := smallDisk(t, 1<<20), t.TempDir()
	out, file := filepath.Join(disk, "retry.log"), filepath.Join(dir, "retry.log")
	for _, name := range []string{out, file} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount(file, out, "", syscall.MS_BIND, ""); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { syscall.Unmount(out, syscall.MNT_DETACH) })
	if err := syscall.Mount("none", disk, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	text, err := child(t, "run", "--base", s.URL, "--out", out, writeLog(t, dir, 3)).CombinedOutput()
	if err != nil || s.total() != 3 || !strings.Contains(string(text), "cannot remember the options of this run: ") {
		t.Errorf("%v, %d fired\n%s", err, s.total(), text)
	}
	text, err = child(t, "run", "--base", s.URL, "--out", out, "--method", "POST", writeLogOf(t, dir, "POST", 3)).CombinedOutput()
	if code := exitCode(err); code != exitCannotRun || s.total() != 3 || !strings.Contains(string(text), "cannot write "+out+".fired: read-only file system") {
		t.Errorf("exit code %d, %d fired\n%s", code, s.total(), text)
	}
	checkOutcomes(t, file, 3)
}
