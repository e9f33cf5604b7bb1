// Command bench measures aio against what one would use instead, in the same run: each pair in
// turns, A B A B, and the median of the ratios. Libraries that have the same things, asyncio and uvloop
// among them where they are installed, take turns in the same rounds.
//
//	GOWORK=off go -C bench run .            # prints the table
//	GOWORK=off go -C bench run . -write     # and puts it into bench/README.md
//	GOWORK=off go -C bench run . -only hop  # the rows whose name contains "hop"
//	GOWORK=off go -C bench run . -peers=false  # without those libraries
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/procpool"
)

// A row is one comparison. Both sides do the same amount of work n and tell what it cost.
type row struct {
	name   string
	key    string  // the case of the peers that is compared with it, if any
	unit   string  // of the cost of one, "ns" unless said
	peer   string  // what we are compared with
	budget float64 // ours/peer must not be above this
	atOnce int     // n is a multiple of this; default 1
	fixed  int     // n, if it must not be found by trying
	// of the peers, if not fixed: where the slowest of them would take minutes, or all the memory
	peersFixed int
	ours       func(n int) (cost float64)
	theirs     func(n int) (cost float64)
	note       string
}

type result struct {
	row
	oursCost, theirsCost, ratio float64 // medians
	peers                       map[string]peerCost
	skipped                     string // why there is no result
}

func main() {
	procpool.Main()
	if ordered(os.Args) {
		return
	}
	rounds := flag.Int("rounds", 9, "how often each side runs")
	slice := flag.Duration("slice", 150*time.Millisecond, "how long one run of one side takes, about")
	only := flag.String("only", "", "only the rows whose name contains this")
	withPeers := flag.Bool("peers", true, "measure the peers too")
	write := flag.Bool("write", false, "write the table into README.md")
	flag.Parse()

	dir, err := os.MkdirTemp("", "aio-bench-")
	must(err)
	defer os.RemoveAll(dir)
	rows := slices.Concat(coreRows(), poolRows(), procpoolRows(), processRows(), netRows(dir), idleRows(), refireRows(dir))
	rows = slices.DeleteFunc(rows, func(r row) bool { return !strings.Contains(r.name, *only) })
	var c contest
	if *withPeers && slices.ContainsFunc(rows, func(r row) bool { return r.key != "" }) {
		var stop func()
		c.peers, c.absent, stop = pythonPeers()
		defer stop()
		c.peers = append(c.peers, goPeers()...)
	}
	for _, r := range rows {
		res := measure(r, c.peers, *rounds, *slice)
		fmt.Fprintln(os.Stderr, res.line())
		c.results = append(c.results, res)
	}
	table := report(c.results, *rounds) + c.report()
	fmt.Print(table)
	if *write {
		if err := writeReadme("README.md", table); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
}

// measure runs the two sides in turns, and the peers after them in each round.
func measure(r row, peers []peer, rounds int, slice time.Duration) result {
	if r.ours == nil || r.theirs == nil {
		return result{row: r, skipped: r.note}
	}
	n := r.fixed
	if n == 0 {
		n = calibrate(r.atOnce, slice, r.ours, r.theirs)
	}
	others := turns(r, peers, rounds, slice/3)
	var ours, theirs, ratios []float64
	for round := range rounds {
		a := clean(r.ours)(n) / float64(n)
		b := clean(r.theirs)(n) / float64(n)
		ours, theirs, ratios = append(ours, a), append(theirs, b), append(ratios, a/b)
		for _, t := range others {
			t.take(round, a)
		}
	}
	return result{row: r, oursCost: median(ours), theirsCost: median(theirs), ratio: median(ratios), peers: peerCosts(others)}
}

// clean collects the garbage of whoever ran before, so that nobody pays for another's.
func clean(run func(n int) float64) func(n int) float64 {
	runtime.GC()
	return run
}

// calibrate finds the n, a multiple of step, for which the slowest of sides takes about slice. It is
// 0 if one of them cannot be measured.
func calibrate(step int, slice time.Duration, sides ...func(n int) float64) int {
	step = max(step, 1)
	for n := step; ; n *= 4 {
		var took time.Duration
		for _, run := range sides {
			start := time.Now()
			if math.IsNaN(run(n)) {
				return 0
			}
			took = max(took, time.Since(start))
		}
		if took > slice/8 {
			n = int(float64(n) * float64(slice) / float64(took))
			return max(n/step, 1) * step
		}
	}
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
