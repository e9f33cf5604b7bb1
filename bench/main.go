// Command bench measures aio against what one would use instead, in the same run: each pair in
// turns, A B A B, and the median of the ratios.
//
//	GOWORK=off go -C bench run .            # prints the table
//	GOWORK=off go -C bench run . -write     # and puts it into bench/README.md
//	GOWORK=off go -C bench run . -only hop  # the rows whose name contains "hop"
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// A row is one comparison. Both sides do the same amount of work n and tell what it cost.
type row struct {
	name   string
	unit   string  // of the cost of one, "ns" unless said
	peer   string  // what we are compared with
	budget float64 // ours/peer must not be above this
	atOnce int     // n is a multiple of this; default 1
	fixed  int     // n, if it must not be found by trying
	ours   func(n int) (cost float64)
	theirs func(n int) (cost float64)
	note   string
}

type result struct {
	row
	oursCost, theirsCost, ratio float64 // medians
	skipped                     string  // why there is no result
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "child" {
		child(os.Args[2])
		return
	}
	rounds := flag.Int("rounds", 9, "how often each side runs")
	slice := flag.Duration("slice", 150*time.Millisecond, "how long one run of one side takes, about")
	only := flag.String("only", "", "only the rows whose name contains this")
	write := flag.Bool("write", false, "write the table into README.md")
	flag.Parse()

	dir, err := os.MkdirTemp("", "aio-bench-")
	must(err)
	defer os.RemoveAll(dir)
	var results []result
	for _, r := range slices.Concat(coreRows(), processRows(), refireRows(dir)) {
		if !strings.Contains(r.name, *only) {
			continue
		}
		res := measure(r, *rounds, *slice)
		fmt.Fprintln(os.Stderr, res.line())
		results = append(results, res)
	}
	table := report(results, *rounds)
	fmt.Print(table)
	if *write {
		if err := writeReadme("README.md", table); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
	}
}

// measure runs the two sides in turns.
func measure(r row, rounds int, slice time.Duration) result {
	if r.ours == nil || r.theirs == nil {
		return result{row: r, skipped: r.note}
	}
	n := r.fixed
	if n == 0 {
		n = calibrate(r, slice)
	}
	var ours, theirs, ratios []float64
	for range rounds {
		a := r.ours(n) / float64(n)
		b := r.theirs(n) / float64(n)
		ours, theirs, ratios = append(ours, a), append(theirs, b), append(ratios, a/b)
	}
	return result{row: r, oursCost: median(ours), theirsCost: median(theirs), ratio: median(ratios)}
}

// calibrate finds the n for which the slower side takes about slice.
func calibrate(r row, slice time.Duration) int {
	step := max(r.atOnce, 1)
	for n := step; ; n *= 4 {
		start := time.Now()
		r.ours(n)
		took := time.Since(start)
		start = time.Now()
		r.theirs(n)
		took = max(took, time.Since(start))
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
