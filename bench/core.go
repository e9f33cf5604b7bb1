package main

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/seed8b1f0744/aio"
)

// coreRows are the rows that compare package aio with what Go has for the same.
func coreRows() []row {
	return []row{
		{name: "spawn a task and await it", key: "spawn", peer: "goroutine + channel result", budget: 0.65, ours: inLoop(spawnAwait), theirs: timed(goroutineResult)},
		{name: "spawn 1,000 and gather them, each", key: "gather", peer: "1,000 goroutines + WaitGroup", budget: 0.6, atOnce: 1000, ours: inLoop(gather1000), theirs: timed(waitGroup1000)},
		{name: "hop between two tasks over two queues", key: "hop", peer: "two goroutines, two unbuffered channels", budget: 0.75, ours: inLoop(hopTasks), theirs: timed(hopGoroutines)},
		{name: "hop on a locked OS thread", peer: "the same with LockOSThread", budget: 0.01, ours: inLoop(hopTasks, aio.OnThread()), theirs: timed(hopLocked), fixed: 2000},
		{name: "Yield, 100 tasks ready", key: "yield", peer: "runtime.Gosched, 100 goroutines", budget: 1.3, atOnce: 100, ours: inLoop(yield100), theirs: timed(gosched100)},
		{name: "CallSoon from the loop", key: "callsoon", peer: "append closures to a slice, call them", budget: 5, atOnce: 1000, ours: inLoop(callSoon), theirs: timed(appendCall)},
		{name: "post a callback from another goroutine", key: "post", peer: "buffered channel", budget: 1.5, atOnce: 10_000, ours: postMany, theirs: timed(bufferedChannel)},
		{name: "post to an idle loop and hear back", key: "idle", peer: "unbuffered channels there and back", budget: 1.5, ours: postAndHear(), theirs: timed(hopGoroutines)},
		{name: "Blocking, there and back", key: "blocking", peer: "goroutine + channel result", budget: 2, ours: inLoop(blockingOne), theirs: timed(goroutineResult)},
		{name: "1,000 InExecutor gathered, each", key: "executor1000", peer: "1,000 goroutines + WaitGroup", budget: 2, atOnce: 1000, ours: inLoop(executor1000), theirs: timed(waitGroup1000)},
		{name: "1,000 Blocking in 1,000 tasks gathered, each", key: "blocking1000", peer: "1,000 goroutines + WaitGroup", budget: 2, atOnce: 1000, ours: inLoop(blocking1000), theirs: timed(waitGroup1000)},
		watched("hop", 1, hopTasks),
		watched("Yield, 100 tasks ready", 100, yield100),
		watched("spawn 1,000 and gather them", 1000, gather1000),
		watched("CallSoon", 1000, callSoon),
		{name: "watchdog on: post to an idle loop and hear back", peer: "WithSlowStep(0)", budget: 1.05, ours: postAndHear(), theirs: postAndHear(aio.WithSlowStep(0))},
	}
}

// watched is what the watchdog costs while nothing is slow.
func watched(name string, atOnce int, work func(ctx context.Context, n int)) row {
	return row{name: "watchdog on: " + name, peer: "WithSlowStep(0)", budget: 1.05, atOnce: atOnce, ours: inLoop(work), theirs: inLoop(work, aio.WithSlowStep(0))}
}

// inLoop times work in the main task of a loop.
func inLoop(work func(ctx context.Context, n int), opts ...aio.Option) func(int) float64 {
	return func(n int) float64 {
		took, err := aio.Run(context.Background(), func(ctx context.Context) (time.Duration, error) {
			work(ctx, n/10+1) // warm up
			start := time.Now()
			work(ctx, n)
			return time.Since(start), nil
		}, opts...)
		must(err)
		return float64(took)
	}
}

// timed times plain Go.
func timed(work func(n int)) func(int) float64 {
	return func(n int) float64 {
		work(n/10 + 1)
		start := time.Now()
		work(n)
		return float64(time.Since(start))
	}
}

func one(context.Context) (int, error) { return 1, nil }

func spawnAwait(ctx context.Context, n int) {
	for range n {
		_, err := aio.Go(ctx, one).Await(ctx)
		must(err)
	}
}

func goroutineResult(n int) {
	for range n {
		c := make(chan int, 1)
		go func() { c <- 1 }()
		<-c
	}
}

func gather1000(ctx context.Context, n int) {
	tasks := make([]*aio.Task[int], min(n, 1000))
	for ; n > 0; n -= len(tasks) {
		for i := range tasks {
			tasks[i] = aio.Go(ctx, one)
		}
		_, err := aio.Gather(ctx, tasks...)
		must(err)
	}
}

func waitGroup1000(n int) {
	results := make([]int, min(n, 1000))
	for ; n > 0; n -= len(results) {
		var wg sync.WaitGroup
		for i := range results {
			wg.Add(1)
			go func() { results[i] = 1; wg.Done() }()
		}
		wg.Wait()
	}
}

func hopTasks(ctx context.Context, n int) {
	there, back := aio.NewQueue[int](1), aio.NewQueue[int](1)
	echo := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
		for range n {
			v, err := there.Get(ctx)
			if err != nil {
				return err
			}
			if err := back.Put(ctx, v); err != nil {
				return err
			}
		}
		return nil
	}))
	for i := range n {
		must(there.Put(ctx, i))
		_, err := back.Get(ctx)
		must(err)
	}
	_, err := echo.Await(ctx)
	must(err)
}

func hopGoroutines(n int) {
	there, back := make(chan int), make(chan int)
	go echo(n, there, back)
	for i := range n {
		there <- i
		<-back
	}
}

func hopLocked(n int) {
	there, back := make(chan int), make(chan int)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		echo(n, there, back)
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i := range n {
		there <- i
		<-back
	}
}

func echo(n int, there, back chan int) {
	for range n {
		back <- <-there
	}
}

func yield100(ctx context.Context, n int) {
	must(aio.WithGroup(ctx, func(ctx context.Context) error {
		for range 100 {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for range n / 100 {
					must(aio.Yield(ctx))
				}
				return nil
			}))
		}
		return nil
	}))
}

func gosched100(n int) {
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for range n / 100 {
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
}

func callSoon(ctx context.Context, n int) {
	l, _ := aio.LoopOf(ctx)
	count := 0
	f := func() { count++ }
	for ; n > 0; n -= 1000 {
		for range 1000 {
			l.CallSoon(f)
		}
		must(aio.Yield(ctx))
	}
}

func appendCall(n int) {
	count := 0
	f := func() { count++ }
	var queue []func()
	for ; n > 0; n -= 1000 {
		queue = queue[:0]
		for range 1000 {
			queue = append(queue, f)
		}
		for i, f := range queue {
			queue[i] = nil
			f()
		}
	}
}

func postMany(n int) float64 {
	l := aio.Start()
	defer l.Close()
	done := make(chan struct{})
	count := 0
	f := func() {
		if count++; count == n {
			close(done)
		}
	}
	start := time.Now()
	for range n {
		l.CallSoon(f)
	}
	<-done
	return float64(time.Since(start))
}

func bufferedChannel(n int) {
	c := make(chan func(), 1024)
	done := make(chan struct{})
	count := 0
	go func() {
		for f := range c {
			f()
		}
		close(done)
	}()
	f := func() { count++ }
	for range n {
		c <- f
	}
	close(c)
	<-done
}

func postAndHear(opts ...aio.Option) func(int) float64 {
	return func(n int) float64 {
		l := aio.Start(opts...)
		defer l.Close()
		back := make(chan struct{})
		f := func() { back <- struct{}{} }
		start := time.Now()
		for range n {
			l.CallSoon(f)
			<-back
		}
		return float64(time.Since(start))
	}
}

func blockingOne(ctx context.Context, n int) {
	for range n {
		_, err := aio.Blocking(ctx, one)
		must(err)
	}
}

func blocking1000(ctx context.Context, n int) {
	tasks := make([]*aio.Task[int], min(n, 1000))
	for ; n > 0; n -= len(tasks) {
		for i := range tasks {
			tasks[i] = aio.Go(ctx, func(ctx context.Context) (int, error) { return aio.Blocking(ctx, one) })
		}
		_, err := aio.Gather(ctx, tasks...)
		must(err)
	}
}

func executor1000(ctx context.Context, n int) {
	pool := aio.NewPool(aio.PoolConfig{Queue: -1, Workers: runtime.GOMAXPROCS(0)})
	defer pool.Close()
	calls := make([]*aio.Future[int], min(n, 1000))
	for ; n > 0; n -= len(calls) {
		for i := range calls {
			calls[i] = aio.InExecutor(ctx, pool, one)
		}
		_, err := aio.Gather(ctx, calls...)
		must(err)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
