package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/b97tsk/async"
)

func b97tskPeer() peer {
	return peer{
		name: "b97tsk/async",
		about: version("github.com/b97tsk/async") + ": tasks without a stack, functions that return what to do next, so straight-line code is rewritten " +
			"as steps; they pass no results (a variable does) and have no queues: the hop is over two States.",
		cases: map[string]func(int) float64{
			"spawn":        inExecutor(b97Spawn),
			"gather":       inExecutor(b97Gather),
			"hop":          inExecutor(b97Hop),
			"yield":        inExecutor(b97Yield),
			"callsoon":     inExecutor(b97CallSoon),
			"post":         b97Post,
			"idle":         b97Idle,
			"blocking":     inExecutor(b97Blocking),
			"blocking1000": inExecutor(b97Blocking1000),
			"memory":       inChild("b97tsk-memory"),
			"timers":       inChild("b97tsk-timers"),
		},
	}
}

// inExecutor times a task that does work n times. The executor runs in the goroutine that spawns,
// as the package's own benchmarks have it.
func inExecutor(work func(n int) async.Task) func(int) float64 {
	return timed(func(n int) {
		var e async.Executor
		e.Autorun(e.Run)
		e.SpawnBlocking(work(n))
	})
}

func b97Spawn(n int) async.Task {
	result, sum := 0, 0
	return async.LoopN(n, async.Block(
		async.Spawn(async.Do(func() { result = 1 })),
		async.Do(func() { sum += result }),
	))
}

func b97Gather(n int) async.Task {
	results := make([]int, 1000)
	tasks := make([]async.Task, 1000)
	for i := range tasks {
		tasks[i] = async.Do(func() { results[i] = 1 })
	}
	return async.LoopN(batches(n), async.Join(tasks...))
}

func b97Hop(n int) async.Task {
	there, back := async.NewState(0), async.NewState(0)
	seen, sent := 0, 0
	echo := async.LoopN(n, async.Block(
		there.Await(func(v int) bool { return v != seen }),
		async.Do(func() { seen = there.Get(); back.Set(seen) }),
	))
	send := async.LoopN(n, async.Block(
		async.Do(func() { sent++; there.Set(sent) }),
		back.Await(func(v int) bool { return v == sent }),
	))
	return async.Join(echo, send)
}

// b97Turn lets the others run.
func b97Turn(co *async.Coroutine) async.Result {
	co.Resume()
	return co.Await().End()
}

func b97Yield(n int) async.Task {
	tasks := make([]async.Task, 100)
	for i := range tasks {
		tasks[i] = async.LoopN(n/100, b97Turn)
	}
	return async.Join(tasks...)
}

func b97CallSoon(n int) async.Task {
	count := 0
	f := async.Do(func() { count++ })
	return async.LoopN(batches(n), func(co *async.Coroutine) async.Result {
		e := co.Executor()
		for range 1000 {
			e.Spawn(f)
		}
		return co.Transition(b97Turn)
	})
}

// inBackground is an executor that runs in a goroutine of its own whenever there is something to
// run, as its documentation advises for spawning that must not block. Wait for wg in the end.
func inBackground(wg *sync.WaitGroup) *async.Executor {
	var e async.Executor
	e.Autorun(func() { wg.Go(e.Run) })
	return &e
}

func b97Post(n int) float64 {
	var wg sync.WaitGroup
	defer wg.Wait()
	e := inBackground(&wg)
	done := make(chan struct{})
	count := 0
	f := async.Do(func() {
		if count++; count == n {
			close(done)
		}
	})
	start := time.Now()
	for range n {
		e.Spawn(f)
	}
	<-done
	return float64(time.Since(start))
}

func b97Idle(n int) float64 {
	var wg sync.WaitGroup
	defer wg.Wait()
	e := inBackground(&wg)
	back := make(chan struct{})
	f := async.Do(func() { back <- struct{}{} })
	start := time.Now()
	for range n {
		e.Spawn(f)
		<-back
	}
	return float64(time.Since(start))
}

// b97Call runs a function in a goroutine and waits for it.
func b97Call(wg *sync.WaitGroup) async.Task {
	return async.Go(context.Background(), wg, func(context.Context) async.Task { return nil })
}

func b97Blocking(n int) async.Task {
	var wg sync.WaitGroup
	return async.LoopN(n, b97Call(&wg))
}

func b97Blocking1000(n int) async.Task {
	var wg sync.WaitGroup
	tasks := make([]async.Task, 1000)
	for i := range tasks {
		tasks[i] = b97Call(&wg)
	}
	return async.LoopN(batches(n), async.Join(tasks...))
}

func b97Suspend(n int, look func()) {
	var e async.Executor
	e.Autorun(e.Run)
	var gate async.Signal
	wait := async.Await(&gate)
	for range n {
		e.Spawn(wait)
	}
	look()
	e.Spawn(async.Notify(&gate))
}

func b97Timers(n int) {
	var wg sync.WaitGroup
	var e async.Executor
	e.Autorun(e.Run)
	var left atomic.Int64
	left.Store(int64(n))
	all := make(chan struct{})
	fired := async.Do(func() {
		if left.Add(-1) == 0 {
			close(all)
		}
	})
	for i := range n {
		e.Spawn(async.Sleep(spread(i, n), &wg).Then(fired))
	}
	<-all
	wg.Wait()
}

// batches is how many thousands cover n.
func batches(n int) int { return (n + 999) / 1000 }
