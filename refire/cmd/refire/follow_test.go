//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// followingRun is a run with --follow as a process of its own, and a server that tells what arrives.
type followingRun struct {
	t       *testing.T
	log     string
	out     string
	cmd     *exec.Cmd
	words   <-chan string
	server  *counter
	arrived chan int
}

func followRun(t *testing.T, log string, args ...string) *followingRun {
	t.Helper()
	f := &followingRun{t: t, log: log, out: filepath.Join(t.TempDir(), "retry.log"), arrived: make(chan int, 1000)}
	f.server = newCounter(func(n int) { f.arrived <- n })
	t.Cleanup(f.server.Close)
	f.cmd = child(t, append([]string{"run", "--base", f.server.URL, "--out", f.out}, args...)...)
	f.words = watchWords(t, f.cmd, "", nil)
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return f
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wait waits for a request, which must be for target, and the only one.
func (f *followingRun) wait(target string) {
	f.t.Helper()
	<-f.arrived
	if n := f.server.count(target); n != 1 || len(f.arrived) > 0 {
		f.t.Errorf("%s was fired %d times; all: %v", target, n, f.server.all())
	}
}

// end interrupts it.
func (f *followingRun) end(code int, says ...string) {
	f.t.Helper()
	f.cmd.Process.Signal(os.Interrupt)
	text := <-f.words
	if got := exitCode(f.cmd.Wait()); got != code {
		f.t.Errorf("exit code %d, want %d", got, code)
	}
	for _, s := range says {
		if !strings.Contains(text, s) {
			f.t.Errorf("it does not say %q", s)
		}
	}
	if f.t.Failed() {
		f.t.Log(text)
	}
}

// TestFollow: what is appended is fired as it comes, through a rotation by rename and one by truncation, half a line not before it is whole; Ctrl-C ends
// it, and the same command goes on: nothing is fired twice.
func TestFollow(t *testing.T) {
	log := filepath.Join(t.TempDir(), "access.log")
	appendTo(t, log, failedEntry("/there")+failedEntry("/fine"))
	f := followRun(t, log, "--follow", log)
	<-f.arrived
	<-f.arrived
	half := failedEntry("/half")
	appendTo(t, log, failedEntry("/whole")+half[:30])
	f.wait("/whole")
	appendTo(t, log, half[30:])
	f.wait("/half")

	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	appendTo(t, log+".1", failedEntry("/late"))
	f.wait("/late")
	appendTo(t, log, failedEntry("/new"))
	f.wait("/new")

	if err := os.Truncate(log, 0); err != nil {
		t.Fatal(err)
	}
	appendTo(t, log, failedEntry("/truncated"))
	f.wait("/truncated")
	f.end(exitInterrupted, "access.log was rotated", "access.log was truncated; it was read to byte ", "recovered        7", "the same command goes on from there")

	// with what was rotated meanwhile, nothing is fired twice
	appendTo(t, log, failedEntry("/while-away"))
	output, err := child(t, "run", "--base", f.server.URL, "--out", f.out, log+".1", log).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	f.wait("/while-away")
	if n := f.server.total(); n != 8 {
		t.Errorf("%d requests for 8 entries", n)
	}
}

// TestFollow_several: logs that are there, one that is not yet, and a packed one.
func TestFollow_several(t *testing.T) {
	dir := t.TempDir()
	one, two, packed := filepath.Join(dir, "one.log"), filepath.Join(dir, "two.log"), filepath.Join(dir, "one.log.1.gz")
	data, err := pack("gzip", []byte(failedEntry("/packed")))
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, packed, string(data))
	appendTo(t, one, failedEntry("/one"))
	f := followRun(t, one, "--follow", "--concurrency", "1", packed, one, two)
	f.wait("/packed")
	f.wait("/one")
	appendTo(t, two, failedEntry("/two"))
	f.wait("/two")
	appendTo(t, one, failedEntry("/one/more"))
	f.wait("/one/more")
	f.end(exitInterrupted, "two.log is not there yet; waits for it")
}

// TestFollowFor: it ends by itself, with the exit code of a run.
func TestFollowFor(t *testing.T) {
	log := filepath.Join(t.TempDir(), "access.log")
	appendTo(t, log, failedEntry("/there"))
	f := followRun(t, log, "--follow-for", "300ms", log)
	f.wait("/there")
	text := <-f.words
	if code := exitCode(f.cmd.Wait()); code != exitRecovered || !strings.Contains(text, "fired 1 request") {
		t.Errorf("exit code %d\n%s", code, text)
	}
}

// TestFollow_appearsFirst: the only log is not there yet; nor is it taken for the retry log, which is not either.
func TestFollow_appearsFirst(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "access.log")
	arrived := make(chan int, 10)
	s := newCounter(func(n int) { arrived <- n })
	defer s.Close()
	cmd := child(t, "run", "--base", s.URL, "--out", filepath.Join(dir, "retry.log"), "--json="+filepath.Join(dir, "events"), "--follow", log)
	words := watchWords(t, cmd, "access.log is not there yet; waits for it", func() { appendTo(t, log, failedEntry("/one")) })
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-arrived
	cmd.Process.Signal(os.Interrupt)
	text := <-words
	if code := exitCode(cmd.Wait()); code != exitInterrupted || !strings.Contains(text, "fired 1 request") || s.count("/one") != 1 {
		t.Errorf("exit code %d\n%s", code, text)
	}
	output, err := child(t, "run", "--base", s.URL, "--follow", "--out", log+".2", log+".2").CombinedOutput()
	if code := exitCode(err); code != exitUsage || !strings.Contains(string(output), "is the log") {
		t.Errorf("exit code %d\n%s", code, output)
	}
}

// TestFollow_truncatedWhileHeldBack: a log is truncated, and grows again, while the server keeps refire from reading on. Nothing of the new text is fired as if
// it were the old one's, so nothing is fired twice; what was not read is told, at the end, too, with an exit code of its own.
func TestFollow_truncatedWhileHeldBack(t *testing.T) {
	const old, later = 5000, 6000 // more than is read at once
	dir := t.TempDir()
	log, out := filepath.Join(dir, "access.log"), filepath.Join(dir, "retry.log")
	lines := func(target string, n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(failedEntry(fmt.Sprintf("/%s/%d", target, i)))
		}
		return b.String()
	}
	appendTo(t, log, lines("old", old))
	first, rewritten, last := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var once sync.Once
	var s *counter
	s = newCounter(func(n int) {
		if n == 1 {
			close(first)
		}
		<-rewritten
		if s.count(fmt.Sprintf("/new/%d", later-1)) > 0 {
			once.Do(func() { close(last) })
		}
	})
	defer s.Close()
	cmd := child(t, "run", "--base", s.URL, "--method", "GET", "--out", out, "--follow", "--progress", "off", log)
	words := watchWords(t, cmd, "access.log was truncated", nil)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-first
	for _, file := range []struct{ name, text string }{{log + ".1", readText(t, log)}, {log, lines("new", later)}} {
		if err := os.WriteFile(file.name, []byte(file.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	close(rewritten)
	<-last
	cmd.Process.Signal(os.Interrupt)
	text := <-words
	if code := exitCode(cmd.Wait()); code != exitInterrupted || !strings.Contains(text, "access.log was not read in full: it was truncated before it was read to its end") {
		t.Errorf("exit code %d\n%s", code, text)
	}
	if output, err := child(t, "run", "--base", s.URL, "--out", out, log+".1", log).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	if n := s.total(); n != old+later {
		t.Errorf("%d requests for %d entries", n, old+later)
	}
	checkOutcomes(t, out, old+later)
}
