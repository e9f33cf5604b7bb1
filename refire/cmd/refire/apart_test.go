//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesOfARun: what is written is none of what is read, nor of what else is written, whether it is there already or not.
func TestFilesOfARun(t *testing.T) {
	s := newCounter(nil)
	defer s.Close()
	for _, c := range []struct {
		args  []string
		there bool // the retry log, by a run before
	}{
		{[]string{"--report", "retry.log"}, false},
		{[]string{"--report", "./sub/../retry.log"}, true},
		{[]string{"--report", "access.log"}, false},
		{[]string{"--json=access.log"}, false},
		{[]string{"--json=retry.log"}, false},
		{[]string{"--json=link"}, true},
		{[]string{"--report", "retry.log.meta"}, false},
		{[]string{"--json=retry.log.fired"}, false},
		{[]string{"--report", "page", "--json=page"}, false},
		{[]string{"--report", "headers", "--header-file", "headers"}, false},
		{[]string{"--out", "access.log"}, false},
	} {
		dir := t.TempDir()
		log := writeLog(t, dir, 1)
		err := errors.Join(os.Mkdir(filepath.Join(dir, "sub"), 0o700), os.WriteFile(filepath.Join(dir, "headers"), []byte("X-A: b\n"), 0o600),
			os.Symlink("retry.log", filepath.Join(dir, "link")))
		if err != nil {
			t.Skip(err)
		}
		run := func(more ...string) (string, int) {
			cmd := child(t, append(append([]string{"run", "--base", s.URL}, more...), "access.log")...)
			cmd.Dir = dir
			text, err := cmd.CombinedOutput()
			return string(text), exitCode(err)
		}
		if c.there {
			run()
		}
		was, had := readText(t, log), s.total()
		text, code := run(c.args...)
		if code != exitUsage || !strings.Contains(text, "name another file") || s.total() != had || readText(t, log) != was {
			t.Errorf("%q: exit code %d, %d fired\n%s", c.args, code, s.total()-had, text)
		}
	}
}
