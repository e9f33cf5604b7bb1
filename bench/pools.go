package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/seed8b1f0744/aio"
)

// Calls so small that what is measured is the pool: handed over by one goroutine, or by several,
// and all of them run when the measurement ends.

const (
	poolCalls   = 1_000_000
	poolWorkers = 100
	poolQueue   = 1000 // room for calls that wait; of the channel, too
	submitters  = 4
)

func poolRows() []row {
	return []row{
		{name: "1 million tiny calls through a pool of 100, each", key: "pool", peer: "100 goroutines, a channel of 1,000", budget: 1.5, fixed: poolCalls, ours: timed(aioPool(1)), theirs: timed(channelPool(1))},
		{name: "the same calls from 4 goroutines, each", key: "pool4", peer: "100 goroutines, a channel of 1,000", budget: 1.5, fixed: poolCalls, ours: timed(aioPool(submitters)), theirs: timed(channelPool(submitters))},
	}
}

// tiny runs n tiny calls: use hands them to submit, in as many goroutines, and returns when all that
// was handed over has run.
func tiny(n int, use func(call func())) {
	var ran atomic.Int64
	use(func() { ran.Add(1) })
	if got := ran.Load(); got != int64(n) {
		panic(fmt.Sprintf("bench: %d of %d calls ran", got, n))
	}
}

// from calls submit n times, in so many goroutines.
func from(goroutines, n int, submit func()) {
	if goroutines == 1 {
		for range n {
			submit()
		}
		return
	}
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			for range n*(i+1)/goroutines - n*i/goroutines {
				submit()
			}
		})
	}
	wg.Wait()
}

func aioPool(goroutines int) func(n int) {
	return func(n int) {
		tiny(n, func(call func()) {
			ctx := context.Background()
			p := aio.NewPool(aio.PoolConfig{Workers: poolWorkers, Queue: poolQueue})
			from(goroutines, n, func() { must(p.Submit(ctx, call)) })
			must(p.Close())
		})
	}
}

func channelPool(goroutines int) func(n int) {
	return func(n int) {
		tiny(n, func(call func()) {
			calls := make(chan func(), poolQueue)
			var workers sync.WaitGroup
			for range poolWorkers {
				workers.Go(func() {
					for call := range calls {
						call()
					}
				})
			}
			from(goroutines, n, func() { calls <- call })
			close(calls)
			workers.Wait()
		})
	}
}
