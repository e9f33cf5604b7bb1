package scenario_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio/internal/scenario"
)

var update = flag.Bool("update", false, "record testdata/*.txt anew; needs python3.13 or newer")

// topics are the files of written scenarios.
func topics(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in testdata (%v)", err)
	}
	return files
}

func read(t *testing.T, file string) []*scenario.Scenario {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	list, err := scenario.Parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return list
}

// trace runs s on aio, in a bubble of its own.
func trace(t *testing.T, s *scenario.Scenario) (lines []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if lines, err = scenario.Trace(s); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	})
	return lines
}

// python starts the judge.
func python(t *testing.T, minor int) *scenario.CPython {
	t.Helper()
	p, err := scenario.StartPython()
	if err == nil && !p.AtLeast(minor) {
		_ = p.Close()
		t.Fatalf("this is Python %v, too old for what is asked", p.Version)
	}
	if errors.Is(err, scenario.ErrNoPython) && os.Getenv("AIO_NEED_PYTHON") == "" && !*update {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// What CPython did, aio does.
func TestWrittenScenarios(t *testing.T) {
	if *update {
		record(t)
	}
	total := 0
	for _, file := range topics(t) {
		list := read(t, file)
		total += len(list)
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			for _, s := range list {
				t.Run(s.Name, func(t *testing.T) { replay(t, s) })
			}
		})
	}
	if total < 300 {
		t.Errorf("%d scenarios, 300 are promised", total)
	}
}

func replay(t *testing.T, s *scenario.Scenario) {
	if len(s.Trace) == 0 {
		t.Fatal("nothing is recorded: run with -update where python3.13 is")
	}
	if got := trace(t, s); !scenario.Same(s.Trace, got) {
		t.Errorf("%s\n\n%s\n%s", s.Asks, s.Program(), scenario.Compare(s.Trace, got))
	}
}

// record asks CPython for the traces of all written scenarios.
func record(t *testing.T) {
	p := python(t, 13)
	for _, file := range topics(t) {
		list := read(t, file)
		traces, err := p.Ask(false, list...)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(scenario.Record(string(text), traces, nil)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A name is what a failing test is run again by, and a question what it is for.
func TestScenariosAreOfUse(t *testing.T) {
	seen, asked := map[string]string{}, map[string]string{}
	for _, file := range topics(t) {
		for _, s := range read(t, file) {
			if seen[s.Name] != "" {
				t.Errorf("%s: %s is in %s too", file, s.Name, seen[s.Name])
			}
			seen[s.Name] = file
			if !strings.HasSuffix(s.Asks, "?") {
				t.Errorf("%s: %s asks nothing: %q", file, s.Name, s.Asks)
			}
			if asked[s.Asks] != "" {
				t.Errorf("%s: %s asks what %s asks", file, s.Name, asked[s.Asks])
			}
			asked[s.Asks] = s.Name
			if n := len(s.Trace); n > 0 && strings.HasPrefix(s.Trace[n-1], "stop: ") {
				t.Errorf("%s: %s has no fixed end: %s", file, s.Name, s.Trace[n-1])
			}
		}
	}
}
