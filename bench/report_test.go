package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	got := report([]result{
		{row: row{name: "a", peer: "b", budget: 1.5}, oursCost: 123.4, theirsCost: 61.7, ratio: 2},
		{row: row{name: "c", peer: "d", unit: "bytes", budget: 1}, oursCost: 12.34, theirsCost: 99.99, ratio: 0.1234},
		{row: row{name: "e", peer: "f", budget: 1}, skipped: "f is not installed"},
	}, 7)
	for _, want := range []string{
		"Each pair 7 times",
		"| a | b | 123 ns | 61.7 ns | 2x | <= 1.5x | **missed** |\n",
		"| c | d | 12.3 bytes | 100 bytes | 0.123x | <= 1x | met |\n",
		"| e | f | | | | <= 1x | not measured: f is not installed |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

func TestContestReport(t *testing.T) {
	c := contest{
		peers:  []peer{{name: "p", about: "1.0: so and so."}, {name: "q", about: "2.0."}},
		absent: []string{"r is left out."},
		results: []result{
			{row: row{name: "a"}, oursCost: 20.04, peers: map[string]peerCost{"p": {4012.3, 200.2}, "q": {10.02, 0.4996}}},
			{row: row{name: "b", peersFixed: 10}, oursCost: 1, peers: map[string]peerCost{"q": {math.NaN(), math.NaN()}}},
			{row: row{name: "of nobody else"}, oursCost: 1},
		},
	}
	_, got, _ := strings.Cut(c.report(), "\n\n")
	const want = `| what | aio | p | q |
|---|---:|---:|---:|
| a | 20 | 4012 (200x) | 10 (0.5x) |
| b (peers: 10 of them) | 1 | - | failed |

- **p** 1.0: so and so.
- **q** 2.0.
- r is left out.
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := (contest{results: c.results}).report(); got != "" {
		t.Errorf("without peers there is a table:\n%s", got)
	}
}

func TestWriteReadme(t *testing.T) {
	name := filepath.Join(t.TempDir(), "README.md")
	must(os.WriteFile(name, []byte("above\n"+begin+"\nold\n"+end+"\nbelow\n"), 0o644))
	must(writeReadme(name, "new\n"))
	got, err := os.ReadFile(name)
	must(err)
	if want := "above\n" + begin + "\nnew\n" + end + "\nbelow\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	must(os.WriteFile(name, []byte("no place\n"), 0o644))
	if err := writeReadme(name, "new\n"); err == nil {
		t.Error("a file without a place for the table was written")
	}
}

func TestMedian(t *testing.T) {
	for want, x := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 3, 2}, 7: {7}} {
		if got := median(x); got != want {
			t.Errorf("median(%v) = %v, want %v", x, got, want)
		}
	}
}
