package main

import (
	"runtime"

	"github.com/sourcegraph/conc"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"
)

// conc and errgroup have no loop: they are goroutines, kept together.

func concPeer() peer {
	return peer{
		name:  "conc",
		about: version("github.com/sourcegraph/conc") + ": goroutines on all cores in a conc.WaitGroup; the bounded calls are a pool.Pool WithMaxGoroutines.",
		cases: map[string]func(int) float64{
			"spawn":        timed(concSpawn),
			"gather":       timed(concGather),
			"executor1000": timed(concPool),
			"pool":         timed(concTiny(1)),
			"pool4":        timed(concTiny(submitters)),
			"memory":       inChild("conc-memory"),
		},
	}
}

func errgroupPeer() peer {
	return peer{
		name:  "errgroup",
		about: "golang.org/x/sync " + version("golang.org/x/sync") + ": goroutines on all cores in an errgroup.Group; the bounded calls are one with SetLimit.",
		cases: map[string]func(int) float64{
			"spawn":        timed(errgroupSpawn),
			"gather":       timed(errgroupGather),
			"executor1000": timed(errgroupLimit),
			"pool":         timed(errgroupTiny(1)),
			"pool4":        timed(errgroupTiny(submitters)),
			"memory":       inChild("errgroup-memory"),
		},
	}
}

func concSpawn(n int) {
	sum := 0
	for range n {
		var result int
		var wg conc.WaitGroup
		wg.Go(func() { result = 1 })
		wg.Wait()
		sum += result
	}
}

func concGather(n int) {
	results := make([]int, 1000)
	for range batches(n) {
		var wg conc.WaitGroup
		for i := range results {
			wg.Go(func() { results[i] = 1 })
		}
		wg.Wait()
	}
}

func concPool(n int) {
	results := make([]int, 1000)
	for range batches(n) {
		p := pool.New().WithMaxGoroutines(runtime.GOMAXPROCS(0))
		for i := range results {
			p.Go(func() { results[i] = 1 })
		}
		p.Wait()
	}
}

func concSuspend(n int, look func()) {
	var wg conc.WaitGroup
	defer wg.Wait()
	park(n, look, wg.Go)
}

func errgroupSpawn(n int) {
	sum := 0
	for range n {
		var result int
		var g errgroup.Group
		g.Go(func() error { result = 1; return nil })
		must(g.Wait())
		sum += result
	}
}

func errgroupGather(n int) {
	for range batches(n) {
		var g errgroup.Group
		groupOf1000(&g)
	}
}

func errgroupLimit(n int) {
	for range batches(n) {
		var g errgroup.Group
		g.SetLimit(runtime.GOMAXPROCS(0))
		groupOf1000(&g)
	}
}

func groupOf1000(g *errgroup.Group) {
	results := make([]int, 1000)
	for i := range results {
		g.Go(func() error { results[i] = 1; return nil })
	}
	must(g.Wait())
}

func errgroupSuspend(n int, look func()) {
	var g errgroup.Group
	defer func() { must(g.Wait()) }()
	park(n, look, func(wait func()) { g.Go(func() error { wait(); return nil }) })
}
