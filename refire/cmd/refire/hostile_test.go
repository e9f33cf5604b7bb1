//go:build unix

package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestHostileLinesOnTheScreen: nothing that a terminal could act on comes out of any command, whatever the log holds, and nothing goes elsewhere.
func TestHostileLinesOnTheScreen(t *testing.T) { eachClient(t, testHostileLinesOnTheScreen) }

func testHostileLinesOnTheScreen(t *testing.T) {
	base := newCounter(nil)
	defer base.Close()
	var elsewhere atomic.Int32
	victim := httptest.NewUnstartedServer(http.NotFoundHandler())
	victim.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			elsewhere.Add(1)
		}
	}
	victim.Start()
	defer victim.Close()
	dir := t.TempDir()
	log := hostileLog(t, dir, base.Listener.Addr().String(), victim.Listener.Addr().String())
	out := filepath.Join(dir, "retry.log")
	run := func(args ...string) string {
		t.Helper()
		cmd := child(t, args...)
		cmd.Dir = dir
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if code := exitCode(cmd.Run()); code != exitRecovered && code != exitStillFails {
			t.Fatalf("%v: exit code %d\n%s", args, code, stderr.String())
		}
		mustBePlain(t, args, "stdout", stdout.Bytes())
		mustBePlain(t, args, "stderr", stderr.Bytes())
		return stdout.String()
	}
	flags := []string{"--base", base.URL, "--method", "any", "--show-bad", "--show-refused", "--progress", "on", "--out", out}
	run("scan", "--method", "any", "--show-bad", log)
	urls := run(append(append([]string{"run", "--dry-run"}, flags...), log)...)
	commands := run(append(append([]string{"run", "--dry-run=curl"}, flags...), log)...)
	if a, b := strings.Count(urls, "\n"), strings.Count(commands, "\n"); a != b || a < 50 || base.total() > 0 {
		t.Errorf("%d URLs, %d commands, %d requests", a, b, base.total())
	}
	mustParseInShell(t, commands)
	run(append(append([]string{"run"}, flags...), log)...)
	run("report", out)
	written, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	mustBePlain(t, nil, "the retry log", written)
	if lines := bytes.Count(written, []byte("\n")); lines != strings.Count(urls, "\n") {
		t.Errorf("%d outcomes of %d that a dry run had announced", lines, strings.Count(urls, "\n"))
	}
	run(append([]string{"run", "--again"}, flags...)...)
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("%d connections to another place", n)
	}
}

const scanTabs = 4

// hostileLog is an access log of package refire's corpus, every line of it once as it is.
func hostileLog(t *testing.T, dir, base, victim string) (path string) {
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "hostile.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(victim)
	places := strings.NewReplacer("BASE", base, "VICTIM", victim, "VPORT", port)
	var b bytes.Buffer
	for text := range strings.Lines(string(data)) {
		_, quoted, found := strings.Cut(strings.TrimSpace(text), " ")
		if !found || text[0] == '#' {
			continue
		}
		request, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatal(text, err)
		}
		b.WriteString(`192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] "` + places.Replace(request) + "\" 502 0 \"-\" \"\x1b[31m\"\n")
	}
	b.WriteString("\x1b]0;bad\x07 \x9b31m line\n" + `\x1b[31m - - [12/Mar/2026` + "\n")
	path = filepath.Join(dir, "access\x1b[31m\n.log")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// mustBePlain fails on whatever is neither printable nor a newline, nor a tab between two of scan's fields.
func mustBePlain(t *testing.T, args []string, what string, text []byte) {
	t.Helper()
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if tabs := bytes.Count(line, []byte("\t")); tabs == scanTabs && len(args) > 0 && args[0] == "scan" {
			line = bytes.ReplaceAll(line, []byte("\t"), nil)
		}
		for rest := line; len(rest) > 0; {
			r, size := utf8.DecodeRune(rest)
			if r == utf8.RuneError && size <= 1 || !unicode.IsPrint(r) {
				t.Errorf("%.60q: %s has %q in %.200q", args, what, rest[:size], line)
				break
			}
			rest = rest[size:]
		}
	}
}

// mustParseInShell puts the commands to a shell that does not run them.
func mustParseInShell(t *testing.T, commands string) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		return
	}
	cmd := exec.Command(sh, "-n")
	cmd.Stdin = strings.NewReader(commands)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, text)
	}
}
