package scenario_test

import (
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/internal/scenario"
)

// What a difference does not need goes, and what it needs stays.
func TestShrink(t *testing.T) {
	parse := func(text string) *scenario.Scenario {
		list, err := scenario.Parse("\n== x\n" + text)
		if err != nil {
			t.Fatal(err)
		}
		return list[0]
	}
	big := parse(`queue q 3
mutex m
future f
repeat 2
	lock m
	unlock m
go a
	group g
		go b in g
			sleep 700
			put q 5
	gather a2 b
go a2 eager
	raise boom
waitall a a2 b within 9
get q
`)
	tried := 0
	small := scenario.Shrink(big, func(s *scenario.Scenario) bool {
		tried++
		text := s.Program()
		if err := parse(text).Check(); err != nil { // nothing invalid is tried
			t.Errorf("%v in\n%s", err, text)
		}
		return strings.Contains(text, "put q") && strings.Contains(text, "waitall")
	})
	want := "queue q 3\nput q 5\ngo a2\nwaitall a2\n"
	if got := small.Program(); got != want {
		t.Errorf("after %d tries\n%swant\n%s", tried, got, want)
	}
}

func TestCompare(t *testing.T) {
	a := []string{"0.0 main begins", "0.1 a begins", "0.2 main yield"}
	for _, c := range []struct {
		cpython, ours []string
		same          bool
	}{
		{a, a, true},
		{a, a[:2], false},
		{a[:2], a, false},
		{a, []string{a[0], "0.2 a begins", a[2]}, false}, // another turn
		{append(a[:2:2], "stop: for a reason"), a, true},
		{append(a[:2:2], "stop: for a reason"), a[:2], true},
		{append(a[:2:2], "stop: for a reason"), a[:1], false},
		{append(a[:1:1], "stop: for a reason"), []string{"0.0 main gets it wrong"}, false},
	} {
		if got := scenario.Same(c.cpython, c.ours); got != c.same {
			t.Errorf("Same(%q, %q) = %v", c.cpython, c.ours, got)
		}
		if told := scenario.Compare(c.cpython, c.ours); (told == "no difference") != c.same {
			t.Errorf("Compare(%q, %q): %s", c.cpython, c.ours, told)
		}
	}
}

// Whoever writes a scenario is told what is wrong with it.
func TestParse_refuses(t *testing.T) {
	for program, want := range map[string]string{
		"dance":                            "no such step",
		"queue q":                          "2 words, want 3",
		"queue q many":                     "invalid syntax",
		"cond c m":                         "no mutex",
		"barrier b 0":                      "its number is 0",
		"event e\nevent e":                 "declared twice",
		"go a\ngo a":                       "declared twice",
		"await f":                          "is no future task",
		"mutex m\nwait m":                  "is no event cond barrier",
		"go a in g":                        "is no group",
		"yield\n\tyield":                   "nothing can stand below",
		"yield\n\t\tyield":                 "indented too far",
		"sleep":                            "something is missing",
		"sleep long":                       "must be a number",
		"sleep 0":                          "must be positive",
		"sleep 1 2":                        "too much",
		"soon k\n\tyield":                  "not in a callback",
		"soon k\n\tgo a eager":             "not in a callback",
		"timeout 1\n\treturn 1":            "leaves no block",
		"go a\n\tcancelled\n\tyield":       "stands last",
		"timeout 1\n\tcancelled":           "stands last",
		"go a\n\tcancelled\n\t\tcancelled": "stands last",
	} {
		if _, err := scenario.Parse("\n== x\n" + program + "\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", program, err, want)
		}
	}
}
