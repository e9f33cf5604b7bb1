package main

import (
	"cmp"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A key that no row has would be a cell that is silently a dash.
func TestEveryCaseHasARow(t *testing.T) {
	keys := map[string]bool{}
	for _, r := range slices.Concat(coreRows(), poolRows(), procpoolRows(), processRows(), netRows(t.TempDir())) {
		if r.key != "" && keys[r.key] {
			t.Errorf("two rows have the key %q", r.key)
		}
		keys[r.key] = true
	}
	peers := append(goPeers(), (&python{loop: "asyncio"}).peer(""))
	for _, p := range peers {
		for key := range p.cases {
			if key == "" || !keys[key] {
				t.Errorf("%s has a case %q, which is no row", p.name, key)
			}
		}
	}
}

// Each case must come to its end, and have a cost.
func TestCasesOfGoPeers(t *testing.T) {
	for _, p := range goPeers() {
		for key, run := range p.cases {
			for _, n := range []int{1, 1000, 2500} {
				if cost := run(n); math.IsNaN(cost) || cost < 0 || key != "memory" && cost == 0 {
					t.Errorf("%s, %d of %s: cost %v", p.name, n, key, cost)
				}
			}
		}
	}
}

func TestCasesOfPython(t *testing.T) {
	peers, absent, stop := pythonPeers()
	defer stop()
	for _, a := range absent {
		t.Log(a)
	}
	for _, p := range peers {
		for key, run := range p.cases {
			n := cmp.Or(map[string]int{"process1m": 10, "process64m": 1}[key], 1000)
			if cost := run(n); math.IsNaN(cost) || cost < 0 || key != "memory" && cost == 0 {
				t.Errorf("%s, %d of %s: cost %v", p.name, n, key, cost)
			}
		}
	}
	if len(peers) == 0 {
		t.Skip("no python3 on PATH")
	}
}

// The two sides of the rows that start processes must come to their end, and have a cost.
func TestPoolRows(t *testing.T) {
	for _, r := range procpoolRows() {
		for side, run := range map[string]func(int) float64{"ours": r.ours, "theirs": r.theirs} {
			if cost := run(1); math.IsNaN(cost) || cost <= 0 {
				t.Errorf("%s, %s: cost %v", r.name, side, cost)
			}
		}
	}
}

// Each server must answer all that it is asked.
func TestNetRows(t *testing.T) {
	for _, r := range netRows(t.TempDir()) {
		if r.note != "" {
			t.Log(r.note)
			continue
		}
		for side, run := range map[string]func(int) float64{"ours": r.ours, "theirs": r.theirs} {
			for _, n := range []int{1, 1000} {
				if cost := run(n); math.IsNaN(cost) || cost <= 0 {
					t.Errorf("%s against %s, %s, %d of them: cost %v", r.name, r.peer, side, n, cost)
				}
			}
		}
	}
}

// A server that is not one must be said to have broken down.
func TestEchoOfWhatIsNoServer(t *testing.T) {
	for _, server := range [][]string{{"no-such-program"}, {"true"}, {"echo", "nowhere"}} {
		if cost := echoOf(server)(1); !math.IsNaN(cost) {
			t.Errorf("%q: cost %v", server, cost)
		}
	}
}

// Without a compiler the row says so.
func TestWithoutCompiler(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, r := range netRows(t.TempDir()) {
		if strings.Contains(r.peer, "libuv") && (r.theirs != nil || !strings.Contains(r.note, "no cc")) {
			t.Errorf("note %q", r.note)
		}
	}
}

func TestParseAnswer(t *testing.T) {
	for line, want := range map[string]string{
		`{"cost": 12.5}`:           "",
		`{"version": "CPython 3"}`: "",
		`{"error": "no module"}`:   "no module",
		`{}`:                       "no answer",
		`Traceback`:                "it wrote",
		``:                         "it wrote",
	} {
		a, err := parseAnswer([]byte(line))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", line, err)
		case want == "" && a.Version == "" && *a.Cost != 12.5:
			t.Errorf("%s: cost %v", line, *a.Cost)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: error %v, want one with %q", line, err, want)
		}
	}
}

func TestMeasureWantsACost(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "python3")
	must(os.WriteFile(name, []byte("#!/bin/sh\necho '{\"version\":\"x\"}'\nread order\necho '{\"version\":\"x\"}'\n"), 0o755))
	p, err := startPython(name, "asyncio")
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	for range 2 { // a wrong answer, then none
		if cost, err := p.measure("spawn", 1); err == nil {
			t.Errorf("an interpreter that tells no cost measured %v", cost)
		}
	}
}

func TestInterpreters(t *testing.T) {
	one, two, plain, none := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	must(os.WriteFile(filepath.Join(one, "python3"), []byte("#!/bin/sh\n"), 0o755))
	must(os.Symlink(filepath.Join(one, "python3"), filepath.Join(two, "python3")))
	must(os.WriteFile(filepath.Join(plain, "python3"), nil, 0o644))
	path := strings.Join([]string{none, plain, two, one, two}, string(filepath.ListSeparator))
	got := interpreters(path)
	if want := []string{filepath.Join(two, "python3")}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWithoutPython(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	peers, absent, stop := pythonPeers()
	stop()
	if len(peers) != 0 || len(absent) != 1 || !strings.Contains(absent[0], "no python3") {
		t.Errorf("got %d peers, and %q", len(peers), absent)
	}
}

// A peer that breaks down must neither end the run nor pass for a dash.
func TestPeerThatBreaksDown(t *testing.T) {
	calls := 0
	for _, test := range []struct {
		name  string
		fixed int
		run   func(int) float64
	}{
		{"while its n is looked for", 0, func(int) float64 { return math.NaN() }},
		{"at once", 10, func(int) float64 { return math.NaN() }},
		{"later", 10, func(n int) float64 {
			if calls++; calls == 2 {
				return math.NaN()
			}
			return float64(n)
		}},
	} {
		p := peer{name: "p", cases: map[string]func(int) float64{"k": test.run}}
		all := turns(row{key: "k", fixed: test.fixed}, []peer{p}, peerRounds, 0)
		for round := range peerRounds {
			all[0].take(round, 1)
		}
		if cell := (result{peers: peerCosts(all)}).cell("p"); cell != "failed" {
			t.Errorf("%s: the cell is %q", test.name, cell)
		}
	}
}

// Medians, of the rounds that a peer takes part in.
func TestTurns(t *testing.T) {
	cost := 0.0
	p := peer{name: "p", cases: map[string]func(int) float64{"k": func(n int) float64 { cost++; return cost * float64(n) }}}
	all := turns(row{key: "k", fixed: 50, peersFixed: 5}, []peer{p, {name: "q"}}, 9, 0)
	for round := range 9 {
		all[0].take(round, 0.5)
	}
	cells := peerCosts(all)
	if got, want := cells["p"], (peerCost{2, 4}); len(cells) != 1 || got != want {
		t.Errorf("got %v, want p: %v only", cells, want)
	}
	if cost != peerRounds {
		t.Errorf("it ran %v times, want %d", cost, peerRounds)
	}
}
