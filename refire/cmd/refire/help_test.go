package main

import (
	"os"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpOf is what refire prints with these arguments.
func helpOf(t *testing.T, args ...string) string {
	t.Helper()
	var b strings.Builder
	if code := run(args, stdio{os.Stdin, &b, os.Stderr}); code != 0 {
		t.Fatalf("%v: exit code %d", args, code)
	}
	return b.String()
}

func commandsWithHeadings(t *testing.T) (list []*cobra.Command) {
	t.Helper()
	for _, name := range []string{"run", "scan"} {
		cmd, _, err := newRoot(stdio{}).Find([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, cmd)
	}
	return list
}

// TestHelp_screen: the help of each command fits a screen of 80 columns; a flag that makes it longer must make another one rare, or be so itself. That of run is
// short enough to be read.
func TestHelp_screen(t *testing.T) {
	for _, args := range [][]string{{}, {"run"}, {"scan"}, {"report"}, {"export"}, {"demo"}, {"run", "all"}, {"scan", "all"}} {
		short := len(args) < 2
		if short {
			args = append(args, "--help")
		} else {
			args = []string{args[0], "--help", "all"}
		}
		text := helpOf(t, args...)
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if short && len(lines) > 45 {
			t.Errorf("%v: %d lines; see rare\n%s", args, len(lines), text)
		}
		for _, line := range lines {
			if len(line) > 80 {
				t.Errorf("%v: %d columns: %s", args, len(line), line)
			}
		}
	}
}

// TestHelp_headings: a flag of run and scan stands under a heading (see put), and is explained in the whole help, once; in the short one as well, or it is named.
func TestHelp_headings(t *testing.T) {
	for _, cmd := range commandsWithHeadings(t) {
		name := cmd.Name()
		short, whole := helpOf(t, name, "--help"), helpOf(t, name, "--help", "all")
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if headingOf(f) == anything {
				t.Errorf("%s --%s stands under no heading: put it under one, where it is registered", name, f.Name)
			}
			line := "\n  " + flagName(f) + " "
			if strings.Count(whole, line) != 1 {
				t.Errorf("%s --help all has --%s %d times", name, f.Name, strings.Count(whole, line))
			}
			_, rest, _ := strings.Cut(short, "explains the others: ")
			isNamed := strings.Contains(" "+strings.ReplaceAll(strings.ReplaceAll(rest, "\n", " "), ",", " ")+" ", " --"+f.Name+" ")
			if shown := strings.Contains(short, line); shown == isNamed || isNamed != (f.Annotations[isRare] != nil) {
				t.Errorf("%s --%s: explained %v, named %v", name, f.Name, shown, isNamed)
			}
		})
		for _, h := range headings[1:] {
			if name == "run" && strings.Count(short, "\n"+string(h)+":\n") != 1 {
				t.Errorf("run --help has no %q", h)
			}
		}
	}
}

// TestHelp_all: it is asked for in several ways, and names the formats.
func TestHelp_all(t *testing.T) {
	want := helpOf(t, "run", "--help", "all")
	for _, part := range []string{"--progress WHEN", "Formats (refire help formats): w3c, alb, ", "Exit codes: 0 all recovered", "Usage: refire run", "--json[=FILE]", "-q, --quiet "} {
		if !strings.Contains(want, part) {
			t.Errorf("no %q in\n%s", part, want)
		}
	}
	for _, args := range [][]string{{"run", "-h", "all"}, {"help", "run", "all"}} {
		if got := helpOf(t, args...); got != want {
			t.Errorf("%v:\n%s", args, got)
		}
	}
	if got := helpOf(t, "help", "run"); got != helpOf(t, "run", "--help") || got == want {
		t.Errorf("help run:\n%s", got)
	}
	if got := helpOf(t, "help"); got != helpOf(t) {
		t.Errorf("help:\n%s", got)
	}
	for _, args := range [][]string{{"help", "fire"}, {"help", "run", "what"}} {
		if code := run(args, stdio{os.Stdin, new(strings.Builder), os.Stderr}); code != exitUsage {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}

func TestWrap(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "",
		"one":                "one",
		"one  two three":     "one two\nthree",
		"longerthanthat a b": "longerthanthat\na b",
	} {
		if got := wrap(text, 8); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestHelp_formats: the page has each name that --format takes, and none that it does not.
func TestHelp_formats(t *testing.T) {
	names := accesslog.FormatNames()
	_, table, _ := strings.Cut(formatsTopic.text, "has the name:")
	table, _, _ = strings.Cut(table, "Before a name")
	listed := map[string]bool{}
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") {
			for name := range strings.SplitSeq(strings.TrimSpace(line), ", ") {
				listed[name] = true
			}
		}
	}
	for _, name := range names {
		if listed[name] == (name == accesslog.Auto.String()) {
			t.Errorf("%s: listed %v", name, listed[name])
		}
		delete(listed, name)
	}
	if len(listed) > 0 {
		t.Errorf("no formats: %v", listed)
	}
	if n := strings.Count(helpOf(t, "help", "formats"), "\n"); n > 45 {
		t.Errorf("%d lines", n)
	}
}
