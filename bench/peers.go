package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"time"
)

// A peer is a library, or a runtime, that has some of the things that aio has: a column of the
// second table.
type peer struct {
	name  string
	about string                         // its version, how it is used here, and what to bear in mind
	cases map[string]func(n int) float64 // by row.key, as row.ours; what it lacks is not here
}

// peerRounds is how often a peer runs in a row of fixed size, where one run takes seconds.
const peerRounds = 3

// A peerCost is a cell of the second table.
type peerCost struct {
	cost  float64 // median
	times float64 // ours: median of the ratios of the rounds that it ran in
}

// goPeers are the peers that are linked into this program.
func goPeers() []peer {
	return []peer{b97tskPeer(), eventLoopPeer(), gojaPeer(), concPeer(), errgroupPeer(), antsPeer(), pondPeer()}
}

// A turn is a peer's part in the measurement of one row.
type turn struct {
	name          string
	n, rounds     int
	run           func(n int) float64
	costs, ratios []float64
}

// turns are the parts of the peers that have what r measures.
func turns(r row, peers []peer, rounds int, slice time.Duration) []*turn {
	if r.key == "" {
		return nil
	}
	var all []*turn
	for _, p := range peers {
		run := p.cases[r.key]
		if run == nil {
			continue
		}
		t := &turn{name: p.name, n: cmp.Or(r.peersFixed, r.fixed), rounds: rounds, run: run}
		if t.n > 0 {
			t.rounds = min(rounds, peerRounds)
		} else if t.n = calibrate(r.atOnce, slice, run); t.n == 0 {
			t.rounds = 0
		}
		all = append(all, t)
	}
	return all
}

// take runs the peer once, beside what aio cost in the same round. A peer that breaks down has said
// why on stderr, and takes no further part in the row.
func (t *turn) take(round int, ours float64) {
	if round >= t.rounds {
		return
	}
	cost := clean(t.run)(t.n) / float64(t.n)
	if math.IsNaN(cost) {
		t.rounds, t.costs = 0, nil
		return
	}
	t.costs, t.ratios = append(t.costs, cost), append(t.ratios, cost/ours)
}

// peerCosts are the cells of a row. A peer that broke down has NaN.
func peerCosts(all []*turn) map[string]peerCost {
	cells := map[string]peerCost{}
	for _, t := range all {
		cell := peerCost{math.NaN(), math.NaN()}
		if len(t.costs) > 0 {
			cell = peerCost{median(t.costs), median(t.ratios)}
		}
		cells[t.name] = cell
	}
	return cells
}

// broken is what a case returns that could not be measured; it tells the user why.
func broken(what string, err error) float64 {
	fmt.Fprintf(os.Stderr, "bench: %s: not measured: %v\n", what, err)
	return math.NaN()
}

// version is the version of a module that is linked into this program.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == module {
				return m.Version
			}
		}
	}
	return "of unknown version"
}
