package main

import (
	"sync"

	"github.com/alitto/pond/v2"
	"github.com/panjf2000/ants/v2"
	"github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"
)

// ants and pond are pools of goroutines, and nothing else.

func antsPeer() peer {
	return peer{
		name:  "ants",
		about: version("github.com/panjf2000/ants/v2") + ": a pool of goroutines. It has no queue; a WaitGroup tells when all calls have returned, as in its examples.",
		cases: map[string]func(int) float64{
			"pool":  timed(antsPool(1)),
			"pool4": timed(antsPool(submitters)),
		},
	}
}

func pondPeer() peer {
	return peer{
		name:  "pond",
		about: version("github.com/alitto/pond/v2") + ": a pool of goroutines; its Go, which makes no future for the call, and StopAndWait. Its queue has no limit, as in its examples; with one of 1,000 it takes as long, and with futures (Submit) ten times as long.",
		cases: map[string]func(int) float64{
			"pool":  timed(pondPool(1)),
			"pool4": timed(pondPool(submitters)),
		},
	}
}

func antsPool(goroutines int) func(n int) {
	return func(n int) {
		tiny(n, func(call func()) {
			p, err := ants.NewPool(poolWorkers)
			must(err)
			defer p.Release()
			var wg sync.WaitGroup
			done := func() {
				call()
				wg.Done()
			}
			from(goroutines, n, func() {
				wg.Add(1)
				must(p.Submit(done))
			})
			wg.Wait()
		})
	}
}

func pondPool(goroutines int) func(n int) {
	return func(n int) {
		tiny(n, func(call func()) {
			p := pond.NewPool(poolWorkers)
			from(goroutines, n, func() { must(p.Go(call)) })
			p.StopAndWait()
		})
	}
}

func concTiny(goroutines int) func(n int) {
	return func(n int) {
		tiny(n, func(call func()) {
			p := pool.New().WithMaxGoroutines(poolWorkers)
			from(goroutines, n, func() { p.Go(call) })
			p.Wait()
		})
	}
}

func errgroupTiny(goroutines int) func(n int) {
	return func(n int) {
		tiny(n, func(call func()) {
			var g errgroup.Group
			g.SetLimit(poolWorkers)
			task := func() error { call(); return nil }
			from(goroutines, n, func() { g.Go(task) })
			must(g.Wait())
		})
	}
}
