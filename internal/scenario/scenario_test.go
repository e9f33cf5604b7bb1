package scenario_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
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

// traceOnClock runs s on aio, on aiotest's clock.
func traceOnClock(t *testing.T, s *scenario.Scenario) []string {
	t.Helper()
	lines, err := scenario.Trace(s, aio.WithClock(aiotest.NewClock(time.Unix(0, 0))))
	if err != nil {
		t.Errorf("%s: %v", s.Name, err)
	}
	return lines
}

// python starts the judge, 3.minor or newer. Without one the test is skipped; $AIO_NEED_PYTHON, which
// CI sets, forbids that.
func python(t *testing.T, minor int) *scenario.CPython {
	t.Helper()
	p, err := scenario.StartPython()
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
	switch {
	case p.AtLeast(minor):
	case *update:
		t.Fatalf("this is Python %v; recording needs 3.%d", p.Version, minor)
	default:
		t.Skipf("this is Python %v, and not all that is asked for exists before 3.%d", p.Version, minor)
	}
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
	for _, run := range []func(*testing.T, *scenario.Scenario) []string{trace, traceOnClock} {
		if got := run(t, s); !scenario.Same(s.Trace, got) {
			t.Errorf("%s\n\n%s\n%s", s.Asks, s.Program(), scenario.Compare(s.Trace, got))
		}
	}
}

// What is recorded of CPython, the CPython at hand does, as far as it is new enough.
func TestJudge_agreesWithTheRecord(t *testing.T) {
	p := python(t, 11)
	for _, file := range topics(t) {
		list := read(t, file)
		traces, err := p.Ask(false, list...)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range list {
			if !scenario.Same(traces[i], s.Trace) {
				t.Errorf("%s: Python %v differs from the record:\n%s\n%s", file, p.Version, s.Program(), scenario.Compare(traces[i], s.Trace))
			}
		}
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
