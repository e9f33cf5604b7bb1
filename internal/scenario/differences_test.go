package scenario_test

import (
	"os"
	"slices"
	"testing"

	"github.com/seed8b1f0744/aio/internal/scenario"
)

const (
	differences = "testdata/differences/differences.txt"
	page        = "../../docs/differences.md"
)

// Each deliberate difference is one, still, and the page tells of all of them as they are.
func TestDifferences(t *testing.T) {
	if *update {
		recordDifferences(t)
	}
	list := read(t, differences)
	for _, s := range list {
		t.Run(s.Name, func(t *testing.T) {
			if s.Why == "" {
				t.Error("no reason is given")
			}
			if len(s.Trace) == 0 || len(s.Ours) == 0 {
				t.Fatal("nothing is recorded: run with -update where python3.13 is")
			}
			if scenario.Same(s.Trace, s.Ours) {
				t.Error("this is no difference")
			}
			if got := trace(t, s); !scenario.Same(s.Ours, got) {
				t.Errorf("%s\n%s", s.Program(), scenario.Compare(s.Ours, got))
			}
		})
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if want := scenario.Differences(list, transports(t)); string(text) != want {
		t.Errorf("%s is not what it is made from: run with -update", page)
	}
}

// transports is what package aionet's test records, and keeps true.
func transports(t *testing.T) scenario.Transports {
	t.Helper()
	var texts [3]string
	for i, ext := range []string{".py", ".trace", ".ours"} {
		text, err := os.ReadFile("../../aionet/testdata/order/differences" + ext)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	return scenario.Transports{Program: texts[0], Trace: texts[1], Ours: texts[2]}
}

func recordDifferences(t *testing.T) {
	p := python(t, 13)
	list := read(t, differences)
	traces, err := p.Ask(true, list...)
	if err != nil {
		t.Fatal(err)
	}
	var ours [][]string
	for _, s := range list {
		ours = append(ours, trace(t, s))
	}
	text, err := os.ReadFile(differences)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(differences, []byte(scenario.Record(string(text), traces, ours)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(page, []byte(scenario.Differences(read(t, differences), transports(t))), 0o644); err != nil {
		t.Fatal(err)
	}
}

// CPython still does what is recorded of it, and, asked for aio's meaning, either has it too or says
// that the ways part.
func TestJudge_knowsTheDifferences(t *testing.T) {
	p := python(t, 13)
	list := read(t, differences)
	faithful, err := p.Ask(true, list...)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := p.Ask(false, list...)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range list {
		if !slices.Equal(faithful[i], s.Trace) {
			t.Errorf("%s: %s", s.Name, scenario.Compare(s.Trace, faithful[i]))
		}
		if !scenario.Same(asked[i], s.Ours) {
			t.Errorf("%s: %s", s.Name, scenario.Compare(asked[i], s.Ours))
		}
	}
}
