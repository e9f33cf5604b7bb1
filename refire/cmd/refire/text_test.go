package main

import (
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

func TestSafe(t *testing.T) {
	for text, want := range map[string]string{
		"plain, caf\u00e9": "plain, caf\u00e9",
		"two\nlines":       `two\nlines`,
		"\x1b[31mred":      `\x1b[31mred`,
		"bell\x07 \"q\"":   `bell\a "q"`,
		"c1 \u009b31m":     `c1 \u009b31m`,
		"bad \xff":         `bad \xff`,
		"turn \u202e it":   `turn \u202e it`,
		"a\x00\nb\r":       `a\x00\nb\r`,
	} {
		if got := safe(text); got != want {
			t.Errorf("safe(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -100: "-100", 1e9: "1,000,000,000"} {
		if got := number(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
	if got := plural(1, "entry") + plural(2000, "entry") + plural(0, "line"); got != "1 entry2,000 entries0 lines" {
		t.Error(got)
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]float64{"50/s": 50, "50": 50, "30/m": 0.5, "0.5/s": 0.5, "3600/h": 1} {
		if got, err := parseRate(text); got != want || err != nil {
			t.Errorf("%s is %g, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "/s", "0", "-1/s", "5/x", "5/s/s", "NaN", "Inf", "fast"} {
		if got, err := parseRate(text); err == nil {
			t.Errorf("%q is %g", text, got)
		}
	}
}

// TestMeter: the ETA guesses from the bytes while the log is being read, is by requests after that, and the rate follows what happens now.
func TestMeter(t *testing.T) {
	m := meter{c: &console{}, total: 1000}
	say := func(p refire.Progress) string {
		m.observe(p)
		return m.line(p)
	}
	if got := say(refire.Progress{Elapsed: time.Second, Read: 100, Admitted: 50, Done: 50, Recovered: 40, Running: 8}); got != "fired 50, log read to 10%, recovered 40, failing 10, running 8, 50/s, ETA 9s" {
		t.Error(got)
	}
	if got := say(refire.Progress{Elapsed: 2 * time.Second, Read: 1000, ReadAll: true, Admitted: 200, Done: 100, Recovered: 90}); got != "fired 100 of 200, recovered 90, failing 10, running 0, 50/s, ETA 2s" {
		t.Error(got)
	}
	got := say(refire.Progress{Elapsed: 3 * time.Second, ReadAll: true, Admitted: 200, Done: 100})
	if !strings.Contains(got, "32/s, ETA 3s") {
		t.Error(got)
	}
	m = meter{c: &console{}}
	if got := say(refire.Progress{Elapsed: time.Second, Done: 5}); got != "fired 5, recovered 0, failing 5, running 0, 5/s" {
		t.Error(got)
	}
}

// TestConsole: the status line gives way to others and comes back, without terminal codes.
func TestConsole(t *testing.T) {
	var b strings.Builder
	width := 20
	c := &console{w: &b, terminal: true, width: func() int { return width }}
	show := func(text string) { c.update(func(width int) string { return text[:min(width, len(text))] }) }
	show("fired 10 and much more than fits") // without room for the ^C that the terminal may add
	c.say("bad: %s", "\x1b[31m")
	show("short")
	show("")
	want := "\rfired 10 and much" + "\r" + strings.Repeat(" ", 19) + "\rbad: \\x1b[31m\nfired 10 and much" +
		"\rshort" + strings.Repeat(" ", 12) + strings.Repeat("\b", 12) + "\r" + strings.Repeat(" ", 5) + strings.Repeat("\b", 5)
	if b.String() != want {
		t.Errorf("%q\nwant\n%q", b.String(), want)
	}
	if c.paint(red, "5") != "5" {
		t.Error("paints although colour is off")
	}
}

// TestConsole_narrower: a line that a narrower window has wrapped is taken away as a whole.
func TestConsole_narrower(t *testing.T) {
	var b strings.Builder
	width := 20
	c := &console{w: &b, terminal: true, width: func() int { return width }}
	show := func(text string) { c.update(func(width int) string { return text[:min(width, len(text))] }) }
	show("0123456789012345678")
	width = 8
	b.Reset()
	show("abcdefghijk")
	if got, want := b.String(), "\r\x1b[2A\x1b[J\rabcde"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	width = 4
	b.Reset()
	c.leave()
	if got, want := b.String(), "\r\x1b[1A\x1b[J"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	b.Reset()
	show("more")
	if b.Len() > 0 {
		t.Errorf("after it has left: %q", b.String())
	}
}

// TestUpdates: no line is updated where that would only leave rubbish.
func TestUpdates(t *testing.T) {
	for _, test := range []struct {
		term, ci string
		want     bool
	}{{"xterm", "", true}, {"dumb", "", false}, {"xterm", "true", false}, {"xterm", "false", true}} {
		t.Setenv("TERM", test.term)
		t.Setenv("CI", test.ci)
		if updates(true) != test.want || updates(false) {
			t.Errorf("%+v", test)
		}
	}
}

// TestFold: lines of words break at spaces, and what follows is indented; what is to be copied stays whole.
func TestFold(t *testing.T) {
	for _, test := range []struct {
		line  string
		width int
		want  string
	}{
		{"hint: see what is there", 80, "hint: see what is there"},
		{"hint: see what is there", 0, "hint: see what is there"},
		{"hint: see what is there", 18, "hint: see what is\n      there"},
		{"hint: see  what is therewithoutaspace and", 18, "hint: see  what is\n      therewithoutaspace\n      and"},
		{"refire: caf\u00e9 caf\u00e9 caf\u00e9 caf\u00e9", 22, "refire: caf\u00e9 caf\u00e9 caf\u00e9\n        caf\u00e9"},
		{"hint: see what is there", 10, "hint: see what is there"}, // too narrow for any of it
		{"  by status  503", 14, "  by status\n  503"},
	} {
		if got := fold(test.line, test.width, hang(test.line)); got != test.want {
			t.Errorf("%q in %d columns:\n%s", test.line, test.width, got)
		}
	}
}

// TestConsole_hint: a hint may be several lines; on a terminal they are folded, and a command is not.
func TestConsole_hint(t *testing.T) {
	const text = "fire what still fails once more:\n  refire run --base http://shop.example --again\nor \x1b[31m"
	for _, test := range []struct {
		terminal bool
		want     string
	}{
		{false, "hint: fire what still fails once more:\n        refire run --base http://shop.example --again\n      or \\x1b[31m\n"},
		{true, "hint: fire what still\n      fails once more:\n        refire run --base http://shop.example --again\n      or \\x1b[31m\n"},
	} {
		var b strings.Builder
		c := &console{w: &b, terminal: test.terminal, width: func() int { return 24 }}
		c.hint("")
		c.hint(text)
		if b.String() != test.want {
			t.Errorf("terminal %v:\n%s", test.terminal, b.String())
		}
	}
}

// TestWriteRows: a table folds in a narrow window, and a count keeps its colour there.
func TestWriteRows(t *testing.T) {
	rows := []row{{"recovered", 20, "", green, true}, {"still failing", 1062, "578 404, 484 500", red, true}, {"unknown", 0, "", red, false}}
	paint := func(code, text string) string { return "<" + code + " " + text + ">" }
	for width, want := range map[int]string{
		0:  "  recovered        <32    20>\n  still failing    <31 1,062>   578 404, 484 500\n",
		36: "  recovered        <32    20>\n  still failing    <31 1,062>   578 404,\n            484 500\n",
	} {
		var b strings.Builder
		if writeRows(&b, rows, paint, width); b.String() != want {
			t.Errorf("%d:\n%s", width, b.String())
		}
	}
}
