package scenario_test

import (
	"flag"
	"maps"
	"slices"
	"testing"

	"github.com/seed8b1f0744/aio/internal/scenario"
)

var (
	scenarios = flag.Int("scenarios", 500, "how many random scenarios TestAgainstCPython compares")
	seed      = flag.Uint64("seed", 1, "the first one's seed")
)

// Random scenarios go the same way in both.
func TestAgainstCPython(t *testing.T) {
	p := python(t, 11)
	stopped := map[string]int{}
	differ, lines := 0, 0
	for first := *seed; first < *seed+uint64(*scenarios) && differ < 5; first += 200 {
		var batch []*scenario.Scenario
		for i := range min(200, *seed+uint64(*scenarios)-first) {
			batch = append(batch, scenario.Generate(first+i))
		}
		traces, err := p.Ask(false, batch...)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range batch {
			lines += len(traces[i])
			if why := scenario.Stopped(traces[i]); why != "" {
				stopped[why]++
			}
			if ours := traceOnClock(t, s); !scenario.Same(traces[i], ours) {
				differ++
				report(t, p, s, first+uint64(i))
			}
		}
	}
	t.Logf("Python %v: %d scenarios from seed %d, %d steps compared, %d differ", p.Version, *scenarios, *seed, lines, differ)
	for _, why := range slices.Sorted(maps.Keys(stopped)) {
		t.Logf("%6d were compared up to a known difference: %s", stopped[why], why)
	}
}

// report shrinks a scenario that differs and tells how.
func report(t *testing.T, p *scenario.CPython, s *scenario.Scenario, seed uint64) {
	t.Helper()
	differs := func(s *scenario.Scenario) bool {
		traces, err := p.Ask(false, s)
		return err == nil && !scenario.Same(traces[0], traceOnClock(t, s))
	}
	s = scenario.Shrink(s, differs)
	traces, err := p.Ask(false, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Errorf("aio differs from CPython:\n\n%s\n%s\n%s\nrun again: go test ./internal/scenario -run TestAgainstCPython -scenarios 1 -seed %d",
		s.Program(), scenario.Compare(traces[0], traceOnClock(t, s)), programs(s), seed)
}

func programs(s *scenario.Scenario) string {
	return "On asyncio:\n\n" + s.PythonProgram() + "\nOn aio:\n\n" + s.GoProgram()
}

// What Generate makes can be written down and read again.
func TestGenerated_isValid(t *testing.T) {
	for seed := range uint64(2000) {
		s := scenario.Generate(seed)
		text := scenario.Print([]*scenario.Scenario{s})
		list, err := scenario.Parse(text)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if again := scenario.Print(list); again != text {
			t.Fatalf("seed %d: printed\n%s\nread and printed again\n%s", seed, text, again)
		}
	}
}
