//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

// TestFullDisk: standard output that takes nothing ends the run with exit code 3 and says why.
func TestFullDisk(t *testing.T) { eachClient(t, testFullDisk) }

func testFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	s := newCounter(nil)
	defer s.Close()
	cmd := child(t, "run", "--base", s.URL, "--out", "-", "--concurrency", "2", writeLog(t, t.TempDir(), 500))
	cmd.Stdout = full
	var words strings.Builder
	cmd.Stderr = &words
	code := exitCode(cmd.Run())
	if code != exitCannotRun || !strings.Contains(words.String(), "refire: cannot write outcomes: no space left on device") {
		t.Errorf("exit code %d\n%s", code, words.String())
	}
	var fired int
	if _, err := fmt.Sscanf(words.String(), "refire: fired %d request", &fired); err != nil || !strings.Contains(words.String(), fmt.Sprintf("  unwritten        %d   fired, and ", fired)) {
		t.Errorf("none was written:\n%s", words.String())
	}
	if n := s.total(); n > 2 {
		t.Errorf("%d requests although none could be written, 2 at a time", n)
	}
}

// TestFullDiskAndSignal: a disk that is full is told of, although the run was interrupted as well.
func TestFullDiskAndSignal(t *testing.T) { eachClient(t, testFullDiskAndSignal) }

func testFullDiskAndSignal(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&interruption{os.Interrupt})
	e := &ended{flags: newRunFlags(), err: &refire.SinkError{Err: syscall.ENOSPC}}
	var f *failure
	if err := e.stopped(ctx); !errors.As(err, &f) || f.code != exitCannotRun || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	e.err = errors.New("read no further")
	if err := e.stopped(ctx); !errors.As(err, &f) || f.code != exitInterrupted {
		t.Errorf("%v", err)
	}
}

// TestSignalsWhileWordsAreBlocked: somebody has stopped reading standard error; Ctrl-C twice ends the program all the same.
func TestSignalsWhileWordsAreBlocked(t *testing.T) {
	dir := t.TempDir()
	var refused strings.Builder // more words than a pipe holds
	for i := range 5000 {
		fmt.Fprintf(&refused, "192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] \"GET http://elsewhere.test/%d HTTP/1.1\" 503 0\n", i)
	}
	log := filepath.Join(dir, "access.log")
	if err := os.WriteFile(log, []byte(refused.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "run", "--base", "http://127.0.0.1:1", "--out", filepath.Join(dir, "retry.log"), "--show-refused", log)
	words, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReaderSize(words, 16).ReadString('\n'); err != nil { // it is at it, and nobody reads on
		t.Fatal(err)
	}
	ended := make(chan int)
	go func() {
		state, _ := cmd.Process.Wait()
		ended <- state.ExitCode()
	}()
	for {
		cmd.Process.Signal(os.Interrupt) // two that come at once may be one
		select {
		case code := <-ended:
			if code != exitInterrupted {
				t.Errorf("exit code %d", code)
			}
			return
		default:
		}
	}
}

// TestRotatedDuringTheRun: the logs are those that had these names when the run began.
func TestRotatedDuringTheRun(t *testing.T) {
	dir := t.TempDir()
	first, second := writeLog(t, dir, 40), filepath.Join(dir, "second.log")
	const line = "192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] \"GET /second HTTP/1.1\" 503 0\n"
	if err := os.WriteFile(second, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newCounter(func(n int) {
		if n == 1 {
			if err := errors.Join(os.Rename(second, second+".1"), os.WriteFile(second, nil, 0o600)); err != nil {
				t.Error(err)
			}
		}
	})
	defer s.Close()
	text, err := child(t, "run", "--base", s.URL, "--concurrency", "1", "--out", filepath.Join(dir, "a.log"), first, second).CombinedOutput()
	if code := exitCode(err); code != exitRecovered || s.count("/second") != 1 {
		t.Errorf("exit code %d, /second was fired %d times\n%s", code, s.count("/second"), text)
	}
}

// TestTruncatedDuringTheRun: a log that was emptied before its turn came is no log without failures, and one that has grown again since is not the one that was
// named, in its turn or before.
func TestTruncatedDuringTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		which int // of the two logs
		grown int // lines that it has then
		size  int // of the first one
	}{
		"emptied before its turn":      {1, 0, 40},
		"grown again before its turn":  {1, 90_000, 40},
		"grown again while it is read": {0, 90_000, 20_000},
	} {
		t.Run(name, func(t *testing.T) {
			logs := []string{writeLog(t, t.TempDir(), c.size), writeLogOf(t, t.TempDir(), "HEAD", 100)}
			later := strings.Repeat(failedEntry("/later"), c.grown)
			s := newCounter(func(n int) {
				if n == 1 {
					if err := os.WriteFile(logs[c.which], []byte(later), 0o600); err != nil { // the same file, as copytruncate leaves it
						t.Error(err)
					}
				}
			})
			defer s.Close()
			args := append([]string{"run", "--base", s.URL, "--concurrency", "1", "--out", filepath.Join(t.TempDir(), "a.log")}, logs...)
			text, err := child(t, args...).CombinedOutput()
			if code := exitCode(err); code != exitCannotRun || !strings.Contains(string(text), "changed while it was read: ") || !strings.Contains(string(text), "name the copy") {
				t.Errorf("exit code %d\n%s", code, text)
			}
			if n := s.count("/later"); n > 0 || s.total() == 0 {
				t.Errorf("%d of what was written later were fired", n)
			}
		})
	}
}

// TestWordsGoUnread: a program that reads our words and ends does not end the firing.
func TestWordsGoUnread(t *testing.T) {
	dir := t.TempDir()
	gone := make(chan struct{})
	s := newCounter(func(int) { <-gone })
	defer s.Close()
	cmd := child(t, "run", "--base", s.URL, "--out", filepath.Join(dir, "retry.log"), "--show-bad", writeLog(t, dir, 20))
	words, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	words.Close()
	close(gone)
	if code := exitCode(cmd.Wait()); code != exitRecovered || s.total() != 20 {
		t.Errorf("exit code %d, %d requests", code, s.total())
	}
}

// TestNamesOnTheScreen: a log's name and a stranger's method take one line each, and not a long one.
func TestNamesOnTheScreen(t *testing.T) {
	name := filepath.Join(t.TempDir(), "odd\n\x1bname.log")
	line := "192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] \"" + strings.Repeat("M", 100_000) + " / HTTP/1.1\" 503 0\n"
	if err := os.WriteFile(name, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "scan", name)
	var words strings.Builder
	cmd.Stdout, cmd.Stderr = io.Discard, &words
	if code := exitCode(cmd.Run()); code != 0 || words.Len() > 1000 {
		t.Errorf("exit code %d, %d bytes of words", code, words.Len())
	}
	if text := words.String(); !strings.Contains(text, `odd\n\x1bname.log: 1 line`) {
		t.Errorf("%.300s", text)
	}
}

// TestTooManyOpenFiles: what this machine lacks uses no entry up.
func TestTooManyOpenFiles(t *testing.T) { eachClient(t, testTooManyOpenFiles) }

func testTooManyOpenFiles(t *testing.T) {
	dir := t.TempDir()
	several := make(chan struct{})
	s := newCounter(func(n int) { // several connections at a time
		if n == 5 {
			close(several)
		}
		<-several
	})
	defer s.Close()
	args := []string{"run", "--base", s.URL, "--out", filepath.Join(dir, "retry.log"), "--concurrency", "64", writeLog(t, dir, 100)}
	cmd := child(t, args...)
	cmd.Args = append([]string{"sh", "-c", "ulimit -n 20; exec refire \"$@\"", "sh"}, args...)
	cmd.Path = "/bin/sh"
	cmd.Env = append(cmd.Env, "PATH="+linkTo(t, dir))
	text, err := cmd.CombinedOutput()
	if code := exitCode(err); code != exitCannotRun || !strings.Contains(string(text), "cannot open more connections") {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	if text, err := child(t, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	if n := s.total(); n != 100 {
		t.Errorf("%d requests for 100 entries", n)
	}
}

// linkTo returns a folder with this program in it, as refire.
func linkTo(t *testing.T, dir string) string {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "refire")); err != nil {
		t.Fatal(err)
	}
	return dir
}
