//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// changeCase is what somebody does to a retry log while a run writes it.
type changeCase struct {
	change func(out string) error
	says   string
	mended bool // nothing is to be done before the next run
	twice  bool // lines are gone, and nobody can know them
}

func truncate(name string) error { return os.Truncate(name, 0) }

var changeCases = map[string]changeCase{
	"removed": {os.Remove, "it was removed while this run wrote it; it was written again, in full", true, false},
	"removed, and another one made": {func(out string) error {
		return errors.Join(os.Remove(out), os.WriteFile(out, nil, 0o600))
	}, "it was removed while this run wrote it; what it held was written to", false, false},
	"edited in place, by a new file": {func(out string) error {
		text, err := os.ReadFile(out)
		return errors.Join(err, os.WriteFile(out+".new", text, 0o600), os.Rename(out+".new", out))
	}, "it was removed while this run wrote it; what it held was written to", false, false},
	"renamed": {func(out string) error { return os.Rename(out, out+".1") }, "it was renamed while this run wrote it: it is ", false, false},
	"rotated": {func(out string) error {
		return errors.Join(os.Rename(out, out+".1"), os.WriteFile(out, nil, 0o600))
	}, "it was renamed while this run wrote it: it is ", false, false},
	"copied and truncated": {func(out string) error {
		text, err := os.ReadFile(out)
		return errors.Join(err, os.WriteFile(out+".copy", text, 0o600), truncate(out))
	}, " bytes that it had held are not in it", false, false},
	"truncated":       {truncate, " bytes that it had held are not in it", true, true},
	"moved elsewhere": {func(out string) error { return os.Rename(out, filepath.Join(filepath.Dir(out), "sub", "x")) }, "to a place that is not known", true, true},
	"written to": {func(out string) error {
		text, err := os.ReadFile(out)
		line, _, _ := strings.Cut(string(text), "\n")
		f, oerr := os.OpenFile(out, os.O_WRONLY|os.O_APPEND, 0)
		if err := errors.Join(err, oerr); err != nil {
			return err
		}
		_, err = f.WriteString(line + "\n")
		return errors.Join(err, f.Close())
	}, "it was written to by somebody else while this run wrote it: ", true, false},
}

// TestJournalIsChanged: somebody removes, renames, truncates a retry log while a run writes it, in its middle or at its last request: the run ends, says what has
// become of it, claims nothing that is not so, and after what the hint says every entry has been fired once, and has its outcome.
func TestJournalIsChanged(t *testing.T) {
	for name, c := range changeCases {
		for _, method := range []string{"GET", "POST"} {
			for _, at := range []int{5, 20} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, method, at), func(t *testing.T) { testJournalIsChanged(t, c, method, at) })
			}
		}
	}
}

func testJournalIsChanged(t *testing.T, c changeCase, method string, at int) {
	const entries = 20
	dir := t.TempDir()
	log, out := writeLogOf(t, t.TempDir(), method, entries), filepath.Join(dir, "retry.log")
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := newCounter(func(n int) {
		if n == at {
			if err := c.change(out); err != nil {
				t.Error(err)
			}
		}
	})
	defer s.Close()
	args := []string{"run", "--base", s.URL, "--method", method, "--out", out, "--concurrency", "1", "--report", filepath.Join(dir, "page.html"), log}
	output, err := child(t, args...).CombinedOutput()
	text := string(output)
	if code := exitCode(err); code != exitCannotRun || !strings.Contains(text, "retry.log is not as this run wrote it: ") || !strings.Contains(text, c.says) {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	if claims := strings.Contains(text, "retry.log holds "); claims != strings.Contains(c.says, "in full") {
		t.Errorf("%v\n%s", claims, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "page.html")); errors.Is(err, fs.ErrNotExist) != strings.Contains(text, "there is no --report") {
		t.Errorf("the page: %v\n%s", err, text)
	}
	if n := s.total(); n > at+1 {
		t.Errorf("%d were fired after it", n-at)
	}
	if !c.mended {
		doAsHinted(t, text, out+".copy")
	}
	if output, err := child(t, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	if n := s.total(); c.twice == (n == entries) {
		t.Errorf("%d requests for %d entries\n%s", n, entries, text)
	}
	if output, err := child(t, "report", out).CombinedOutput(); err != nil || !strings.Contains(string(output), "20 entries") {
		t.Errorf("%v\n%s", err, output)
	}
	if _, err := os.Stat(out + ".fired"); err == nil {
		t.Error("announcements were left behind")
	}
}

// doAsHinted runs the command that a hint gives.
func doAsHinted(t *testing.T, text, copied string) {
	t.Helper()
	command := regexp.MustCompile(`(?m)(cat .* && mv \S+ \S+|mv \S+ \S+)(;.*)?$`).FindStringSubmatch(text)
	if command == nil {
		t.Fatalf("no command in\n%s", text)
	}
	if output, err := inShell(t, strings.ReplaceAll(command[1], "COPY", copied)); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

// TestAnnouncementsAreChanged: without the file of announcements nothing more is fired that it would keep from going out twice; what was under way has its outcome.
func TestAnnouncementsAreChanged(t *testing.T) {
	const entries = 20
	for name, change := range map[string]func(string) error{
		"removed": os.Remove, "truncated": truncate, "renamed": func(name string) error { return os.Rename(name, name+".1") },
	} {
		t.Run(name, func(t *testing.T) {
			log, out := writeLogOf(t, t.TempDir(), "POST", entries), filepath.Join(t.TempDir(), "retry.log")
			s := newCounter(func(n int) {
				if n == 5 {
					if err := change(out + ".fired"); err != nil {
						t.Error(err)
					}
				}
			})
			defer s.Close()
			args := []string{"run", "--base", s.URL, "--method", "POST", "--out", out, "--concurrency", "1", log}
			text, err := child(t, args...).CombinedOutput()
			if code := exitCode(err); code != exitCannotRun || !strings.Contains(string(text), "retry.log.fired is not as this run wrote it: it was "+name) ||
				!strings.Contains(string(text), "fired 5 requests") || s.total() != 5 {
				t.Errorf("exit code %d, %d fired\n%s", code, s.total(), text)
			}
			if text, err := child(t, args...).CombinedOutput(); err != nil || s.total() != entries {
				t.Errorf("%v, %d fired\n%s", err, s.total(), text)
			}
			checkOutcomes(t, out, entries)
		})
	}
}

func inShell(t *testing.T, command string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", command)
	cmd.Dir = t.TempDir()
	text, err := cmd.CombinedOutput()
	return string(text), err
}
