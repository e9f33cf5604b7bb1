//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// journalCase is a retry log that is not as a run leaves it.
type journalCase struct {
	name   string
	change func(lines []string) string // of a retry log of three outcomes
	code   int
	words  []string
	hits   int // entries that are fired
}

var journalCases = []journalCase{
	{"as it was", func(l []string) string { return strings.Join(l, "") }, 0, nil, 0},
	{"without its last newline", func(l []string) string { return strings.TrimSuffix(strings.Join(l, ""), "\n") }, 0, nil, 0},
	{"empty", func([]string) string { return "" }, 0, nil, 3},
	{"a torn last line", func(l []string) string { return l[0] + l[1] + l[2][:50] }, 0, []string{"cut short when a run was stopped; its entry is fired again"}, 1},
	{"a torn last line with zeros after it", func(l []string) string { return l[0] + l[1] + l[2][:50] + strings.Repeat("\x00", 500) }, 0, []string{"cut short"}, 1},
	{"zeros at the end", func(l []string) string { return l[0] + l[1] + strings.Repeat("\x00", 500) }, 0, []string{"cut short"}, 1},
	{"CRLF", func(l []string) string { return strings.ReplaceAll(strings.Join(l, ""), "\n", "\r\n") }, 0, nil, 0},
	{"fields of a later version", func(l []string) string {
		return strings.ReplaceAll(strings.Join(l, ""), "}\n", `,"later":{"a":[1]}}`+"\n")
	}, 0, nil, 0},
	{"a torn line, and others after it", func(l []string) string { return l[0] + l[1][:50] + l[2] }, 3, damagedAt(2), 0},
	{"a torn line that was ended", func(l []string) string { return l[0] + l[1][:50] + "\n" + l[2] }, 3, damagedAt(2), 0},
	{"binary in the middle", func(l []string) string { return l[0] + l[1] + "\x00\xff\xfe\x01junk\n" + l[2] }, 3, damagedAt(3), 0},
	{"zeros in the middle", func(l []string) string { return l[0] + strings.Repeat("\x00", 4096) + l[2] }, 3, damagedAt(2), 0},
	{"an empty line", func(l []string) string { return l[0] + "\n" + l[1] + l[2] }, 3, damagedAt(2), 0},
	{"two lines in one", func(l []string) string { return l[0] + strings.TrimSuffix(l[1], "\n") + l[2] }, 3, damagedAt(2), 0},
	{"another bit", func(l []string) string { return l[0] + strings.Replace(l[1], `"status":200`, `"status":2p0`, 1) + l[2] }, 3, damagedAt(2), 0},
	{"a line without end", func(l []string) string { return l[0] + `{"url":"http` + strings.Repeat("x", 70<<20) }, 3, damagedAt(2), 0},
	{"a byte order mark", func(l []string) string { return "\uFEFF" + strings.Join(l, "") }, 0, nil, 0},
	{"junk before the first line", func(l []string) string { return "x" + strings.Join(l, "") }, 3, damagedAt(1), 0},
	{"two first lines in one", func(l []string) string { return strings.TrimSuffix(l[0], "\n") + l[1] + l[2] }, 3, damagedAt(1), 0},
	{"zeros at the beginning", func(l []string) string { return strings.Repeat("\x00", 4096) + strings.Join(l, "")[30:] }, 3, damagedAt(1), 0},
	{"a first line without end", func(l []string) string { return strings.Repeat("x", 400<<10) + "\n" + l[1] + l[2] }, 3, damagedAt(1), 0},
	{"a text", func([]string) string { return "dear diary\n" }, 3, []string{"is not a retry log: line 1 is not an outcome that refire wrote", "hint: nothing was fired, and the file is as it was; name another --out"}, 0},
}

func damagedAt(line int) []string {
	return []string{
		fmt.Sprintf("is damaged: line %d is not an outcome that refire wrote", line),
		fmt.Sprintf("hint: nothing was fired, and the file is as it was; take that line out (sed -i.bak %dd ", line),
	}
}

// TestJournals: a retry log that is not as a run leaves it is gone on with by a stated rule, or refused with exit code 3, its line named, and left as it is.
func TestJournals(t *testing.T) {
	s := newCounter(nil)
	defer s.Close()
	for _, c := range journalCases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			log, out := writeLog(t, dir, 3), filepath.Join(dir, "retry.log")
			if text, err := child(t, "run", "--base", s.URL, "--out", out, log).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			lines := strings.SplitAfter(readText(t, out), "\n")
			before := c.change(lines)
			if err := os.WriteFile(out, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
			hits := s.total()
			text, err := child(t, "run", "--base", s.URL, "--out", out, log).CombinedOutput()
			if code := exitCode(err); code != c.code || s.total()-hits != c.hits {
				t.Errorf("exit code %d, %d fired; want %d and %d\n%.500s", code, s.total()-hits, c.code, c.hits, text)
			}
			for _, words := range c.words {
				if !strings.Contains(string(text), words) {
					t.Errorf("it does not say %q:\n%.500s", words, text)
				}
			}
			after := readText(t, out)
			if c.code != 0 {
				if after != before {
					t.Error("the file was changed")
				}
				mend(t, c, out)
				if text, err := child(t, "run", "--base", s.URL, "--out", out, log).CombinedOutput(); err != nil {
					t.Errorf("after what the hint says: %v\n%s", err, text)
				}
			}
			if text, err := child(t, "report", out).CombinedOutput(); err != nil || !strings.Contains(string(text), "3 entries, 3 lines") {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// mend does what the hint says.
func mend(t *testing.T, c journalCase, out string) {
	t.Helper()
	text := readText(t, out)
	var at int
	if _, err := fmt.Sscanf(c.words[0], "is damaged: line %d", &at); err != nil {
		text = "" // another --out
	} else {
		lines := strings.SplitAfter(text, "\n")
		text = strings.Join(append(lines[:at-1], lines[at:]...), "")
	}
	if err := os.WriteFile(out, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readText(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestOptionsChange: a run with other options than the last one on its retry log, or with another log, says which, and goes on.
func TestOptionsChange(t *testing.T) {
	s := newCounter(nil)
	defer s.Close()
	dir := t.TempDir()
	log, out := writeLog(t, dir, 3), filepath.Join(dir, "retry.log")
	other := filepath.Join(dir, "other.log")
	if err := os.WriteFile(other, []byte("192.0.2.1 - - [13/Mar/2026:14:02:00 +0000] \"POST /other HTTP/1.1\" 500 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const hint = "hint: what is in "
	for _, c := range []struct {
		args  []string
		words []string // none: nothing is said
		hits  int
	}{
		{[]string{log}, nil, 3},
		{[]string{log}, nil, 0},
		{[]string{"--dry-run", "--status", "4xx", log}, []string{`was with --status 5xx, this one is with --status 4xx`, hint}, 0},
		{[]string{"--status", "4xx,5xx", log}, []string{`was with --status 5xx, this one is with --status 4xx,5xx`, hint}, 0},
		{[]string{"--status", "4xx,5xx", log}, nil, 0},
		{[]string{"--status", "5xx,4xx", log}, nil, 0},
		{[]string{"--dedup", log}, []string{`was without --dedup, this one is with --dedup`, `--status 4xx,5xx, this one is with --status 5xx`, hint}, 0},
		{[]string{log}, []string{`was with --dedup, this one is without --dedup`, hint}, 0},
		{[]string{"--method", "any", other}, []string{`--method any`, "is the retry log of another log (" + log + ")", hint}, 1},
		{[]string{"--method", "any", "--alias", "http://x.test", log}, []string{"was without --alias, this one is with --alias http://x.test", hint}, 0},
		{[]string{"--method", "any", "--alias", "http://x.test", log, other}, nil, 0},
		{[]string{"--method", "any", "--alias", "http://x.test", "--at-most-once", other}, []string{"--at-most-once all", hint}, 0},
	} {
		hits := s.total()
		text, err := child(t, append([]string{"run", "--base", s.URL, "--out", out}, c.args...)...).CombinedOutput()
		if err != nil || s.total()-hits != c.hits {
			t.Errorf("%q: %v, %d fired", c.args, err, s.total()-hits)
		}
		for _, words := range c.words {
			if !strings.Contains(string(text), words) {
				t.Errorf("%q does not say %q:\n%s", c.args, words, text)
			}
		}
		if c.words == nil && (strings.Contains(string(text), "this one is") || strings.Contains(string(text), "another log")) {
			t.Errorf("%q:\n%s", c.args, text)
		}
	}
}

// TestNewerJournal: what a later version wrote in its own way is left to it.
func TestNewerJournal(t *testing.T) {
	s := newCounter(nil)
	defer s.Close()
	dir := t.TempDir()
	log, out := writeLog(t, dir, 3), filepath.Join(dir, "retry.log")
	meta := fmt.Sprintf(`{"refire":%d,"options":["of another form"]}`, retrylog.Version+1)
	if err := os.WriteFile(out+retrylog.MetaSuffix, []byte(meta), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dry := range []string{"--dry-run", "--dry-run=false"} {
		text, err := child(t, "run", "--base", s.URL, "--out", out, dry, log).CombinedOutput()
		if code := exitCode(err); code != exitCannotRun || !strings.Contains(string(text), "a newer refire wrote it") || s.total() > 0 {
			t.Errorf("exit code %d\n%s", code, text)
		}
	}
	if err := os.WriteFile(out+retrylog.MetaSuffix, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := child(t, "run", "--base", s.URL, "--out", out, log).CombinedOutput()
	if err != nil || !strings.Contains(string(text), "retry.log.meta: not what refire wrote") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestSecondRun: two runs on one retry log are refused, and it is said which process has it.
func TestSecondRun(t *testing.T) {
	dir := t.TempDir()
	log, out := writeLog(t, dir, 3), filepath.Join(dir, "retry.log")
	first, release := make(chan struct{}), make(chan struct{})
	s := newCounter(func(n int) {
		if n == 1 {
			close(first)
		}
		<-release
	})
	defer s.Close()
	cmd := child(t, "run", "--base", s.URL, "--out", out, "--concurrency", "1", log)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-first
	text, err := child(t, "run", "--base", s.URL, "--out", out, log).CombinedOutput()
	want := fmt.Sprintf("another refire is writing it (process %d, since ", cmd.Process.Pid)
	if code := exitCode(err); code != exitCannotRun || !strings.Contains(string(text), want) || !strings.Contains(string(text), "hint: wait for that run") {
		t.Errorf("exit code %d\n%s", code, text)
	}
	close(release)
	if code := exitCode(cmd.Wait()); code != exitRecovered || s.total() != 3 {
		t.Errorf("exit code %d, %d fired", code, s.total())
	}
}

// TestAgainAfterARestrictedOne: what an --again might not fire is fired by the next one, together with all that still fails; and the hint names only the place that
// was asked. Where it is not known that the one before had ended, it is finished first, and that is said.
func TestAgainAfterARestrictedOne(t *testing.T) {
	for _, forgotten := range []bool{false, true} {
		one, dir := newCounter(nil), t.TempDir()
		defer one.Close()
		out := filepath.Join(dir, "retry.log")
		log := filepath.Join(dir, "access.log")
		var text strings.Builder
		for i := range 5 {
			fmt.Fprintf(&text, "192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] \"GET /fail/%d HTTP/1.1\" 503 0 \"-\" \"test\"\n", i)
			fmt.Fprintf(&text, "192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] \"GET http://127.0.0.1:1/%d HTTP/1.1\" 503 0 \"-\" \"test\"\n", i)
		}
		if err := os.WriteFile(log, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		run := func(args ...string) string {
			t.Helper()
			text, err := child(t, append([]string{"run", "--base", one.URL, "--out", out}, args...)...).CombinedOutput()
			if code := exitCode(err); code != exitStillFails {
				t.Fatalf("exit code %d\n%s", code, text)
			}
			return string(text)
		}
		both := []string{"--allow-host", "127.0.0.1:1"}
		run(append(both, log)...)
		if said := run("--again"); !strings.Contains(said, "fired 5 requests") || one.total() != 10 {
			t.Errorf("%d requests\n%s", one.total(), said)
		}
		want := 15
		if forgotten {
			if err := os.Remove(out + retrylog.MetaSuffix); err != nil {
				t.Fatal(err)
			}
			said := run(append(both, "--again")...)
			if !strings.Contains(said, "this finishes the --again before, which did not come to all; 5 that it fired, and that still fail, come with the next") ||
				!strings.Contains(said, "hint: nothing at all answered at http://127.0.0.1:1: ") || one.total() != 10 {
				t.Errorf("%d requests\n%s", one.total(), said)
			}
		}
		if said := run(append(both, "--again")...); !strings.Contains(said, "fired 10 requests") || strings.Contains(said, "this finishes") || one.total() != want {
			t.Errorf("%d requests\n%s", one.total(), said)
		}
	}
}

// TestDamagedThroughALink: the command that is given for a damaged line keeps the retry log where its announcements are.
func TestDamagedThroughALink(t *testing.T) {
	const entries, n = 20, 3
	s := newCounter(nil)
	defer s.Close()
	dir := t.TempDir()
	log, link, real := writeLogOf(t, dir, "POST", entries), filepath.Join(dir, "retry.log"), filepath.Join(dir, "sub", "real.log")
	if err := errors.Join(os.Mkdir(filepath.Dir(real), 0o700), os.Symlink("sub/real.log", link)); err != nil {
		t.Fatal(err)
	}
	run := func() (string, int) {
		text, err := child(t, "run", "--base", s.URL, "--method", "POST", "--out", link, log).CombinedOutput()
		return string(text), exitCode(err)
	}
	if text, code := run(); code != 0 {
		t.Fatal(text)
	}
	if err := asKilled(readText(t, real), n, real); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(readText(t, real), "\n")
	if err := os.WriteFile(real, []byte(strings.Join(lines[:5], "")+"junk\n"+strings.Join(lines[5:], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	text, code := run()
	command := regexp.MustCompile(`\((sed .*)\)`).FindStringSubmatch(text)
	if code != exitCannotRun || command == nil {
		t.Fatalf("exit code %d\n%s", code, text)
	}
	if output, err := inShell(t, command[1]); err != nil {
		t.Fatal(output)
	}
	if text, code := run(); code != exitStillFails || s.total() != entries || !strings.Contains(text, "under way when a run was stopped: 3 requests") {
		t.Errorf("exit code %d, %d requests\n%s", code, s.total(), text)
	}
}

// TestHardLink: by another name of the same file what was announced beside the first one is not fired again.
func TestHardLink(t *testing.T) {
	s := newCounter(nil)
	defer s.Close()
	dir := t.TempDir()
	log, out, other := writeLogOf(t, dir, "POST", 10), filepath.Join(dir, "retry.log"), filepath.Join(dir, "other.log")
	run := func(out string) (string, int) {
		text, err := child(t, "run", "--base", s.URL, "--method", "POST", "--out", out, log).CombinedOutput()
		return string(text), exitCode(err)
	}
	run(out)
	if err := errors.Join(asKilled(readText(t, out), 3, out), os.Link(out, other)); err != nil {
		t.Fatal(err)
	}
	if text, code := run(other); code != exitCannotRun || !strings.Contains(text, "the same file is "+out+", and beside that a run has announced") {
		t.Errorf("exit code %d\n%s", code, text)
	}
	for _, name := range []string{out, other} {
		if text, code := run(name); code != exitStillFails || s.total() != 10 || !strings.Contains(text, "holds 10 entries") {
			t.Errorf("exit code %d, %d requests\n%s", code, s.total(), text)
		}
	}
}

// TestAnnouncedIsTold: what a killed run had announced is told of by all that read the retry log, and --fresh leaves it as it is.
func TestAnnouncedIsTold(t *testing.T) {
	s := newCounter(nil)
	defer s.Close()
	dir := t.TempDir()
	log, out := writeLogOf(t, dir, "POST", 10), filepath.Join(dir, "retry.log")
	if text, err := child(t, "run", "--base", s.URL, "--method", "POST", "--out", out, log).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := asKilled(readText(t, out), 3, out); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"report", out}, {"report", "--html", filepath.Join(dir, "page.html"), out}, {"export", "--only", "unknown", out}} {
		if text, err := child(t, args...).CombinedOutput(); exitCode(err) != 0 || !strings.Contains(string(text), "3 entries announced, and without an outcome in ") {
			t.Errorf("%q: %v\n%s", args, err, text)
		}
	}
	if err := os.Remove(out); err != nil {
		t.Fatal(err)
	}
	fired := readText(t, out+".fired")
	text, err := child(t, "run", "--fresh", "--base", s.URL, "--method", "POST", "--out", out, log).CombinedOutput()
	if code := exitCode(err); code != exitCannotRun || !strings.Contains(string(text), "retry.log.fired is there: ") || s.total() != 10 {
		t.Errorf("exit code %d\n%s", code, text)
	}
	if _, err := os.Stat(out); err == nil || readText(t, out+".fired") != fired {
		t.Error("files were changed")
	}
}

// TestNothingToChoose: a flag that would fire more than it says is refused.
func TestNothingToChoose(t *testing.T) {
	for args, words := range map[string]string{
		"--again --status 502": "--status chooses from logs, and no LOG is given",
		"--max 0 a.log":        "is no whole number from 1",
		"--max -1 a.log":       "is no whole number from 1",
		"--max x a.log":        "is no whole number from 1",
	} {
		text, err := child(t, append([]string{"run", "--base", "http://127.0.0.1:1"}, strings.Fields(args)...)...).CombinedOutput()
		if code := exitCode(err); code != exitUsage || !strings.Contains(string(text), words) {
			t.Errorf("%s: exit code %d\n%s", args, code, text)
		}
	}
}

// TestLinkToItself: one file of a folder that leads nowhere keeps none of the others from being read.
func TestLinkToItself(t *testing.T) {
	dir := t.TempDir()
	writeLog(t, dir, 3)
	if err := errors.Join(os.Symlink("round", filepath.Join(dir, "round")), os.Symlink("away", filepath.Join(dir, "gone.log"))); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, filepath.Join(dir, "*")} {
		text, err := child(t, "scan", name).CombinedOutput()
		if err != nil || !strings.Contains(string(text), "round (a link that leads nowhere but to itself)") || strings.Count(string(text), "503\tGET\t") != 3 {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}
