package main

import (
	"context"
	"time"

	eventloop "github.com/joeycumines/go-eventloop"
)

func eventLoopPeer() peer {
	return peer{
		name: "go-eventloop",
		about: version("github.com/joeycumines/go-eventloop") + ", the newest for Go 1.26: callbacks and promises of JavaScript's kind. It has no tasks: what is spawned is a function " +
			"called at once (Try) whose promise's Then goes on, and what is suspended is a promise with a Then. Blocking calls are goroutines, as many as there are calls.",
		cases: map[string]func(int) float64{
			"spawn":        onEventLoop(loopSpawn),
			"gather":       onEventLoop(loopGather),
			"callsoon":     onEventLoop(loopCallSoon),
			"post":         loopPost,
			"idle":         loopIdle,
			"blocking":     onEventLoop(loopBlocking),
			"blocking1000": onEventLoop(loopBlocking1000),
			"memory":       inChild("go-eventloop-memory"),
			"timers":       inChild("go-eventloop-timers"),
		},
	}
}

// startEventLoop runs a loop in a goroutine until stop is called.
func startEventLoop() (js *eventloop.JS, stop func()) {
	loop, err := eventloop.New()
	must(err)
	js, err = eventloop.NewJS(loop)
	must(err)
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(context.Background()) }()
	return js, func() {
		must(loop.Shutdown(context.Background()))
		must(<-ended)
	}
}

// doOnEventLoop starts work on the loop and waits until it calls done.
func doOnEventLoop(js *eventloop.JS, n int, work func(js *eventloop.JS, n int, done func())) {
	all := make(chan struct{})
	must(js.Loop().Submit(func() { work(js, n, func() { close(all) }) }))
	<-all
}

func onEventLoop(work func(js *eventloop.JS, n int, done func())) func(int) float64 {
	return func(n int) float64 {
		js, stop := startEventLoop()
		defer stop()
		doOnEventLoop(js, n/10+1, work)
		start := time.Now()
		doOnEventLoop(js, n, work)
		return float64(time.Since(start))
	}
}

// inChain calls step n times, each when the promise of the one before has been fulfilled.
func inChain(n int, done func(), step func() *eventloop.ChainedPromise) {
	var next func(any) any
	next = func(any) any {
		if n == 0 {
			done()
			return nil
		}
		n--
		step().Then(next, nil)
		return nil
	}
	next(nil)
}

func oneOf() any { return 1 }

func loopSpawn(js *eventloop.JS, n int, done func()) {
	inChain(n, done, func() *eventloop.ChainedPromise { return js.Try(oneOf) })
}

func loopGather(js *eventloop.JS, n int, done func()) {
	inChain(batches(n), done, func() *eventloop.ChainedPromise {
		all := make([]*eventloop.ChainedPromise, 1000)
		for i := range all {
			all[i] = js.Try(oneOf)
		}
		return js.All(all)
	})
}

func loopCallSoon(js *eventloop.JS, n int, done func()) {
	count := 0
	f := func() { count++ }
	var batch func()
	batch = func() {
		if n <= 0 {
			done()
			return
		}
		for range 1000 {
			must(js.Loop().Submit(f))
		}
		n -= 1000
		must(js.Loop().Submit(batch))
	}
	batch()
}

func loopPost(n int) float64 {
	js, stop := startEventLoop()
	defer stop()
	done := make(chan struct{})
	count := 0
	f := func() {
		if count++; count == n {
			close(done)
		}
	}
	start := time.Now()
	for range n {
		must(js.Loop().Submit(f))
	}
	<-done
	return float64(time.Since(start))
}

func loopIdle(n int) float64 {
	js, stop := startEventLoop()
	defer stop()
	back := make(chan struct{})
	f := func() { back <- struct{}{} }
	start := time.Now()
	for range n {
		must(js.Loop().Submit(f))
		<-back
	}
	return float64(time.Since(start))
}

// loopCall is how its README has the result of a goroutine awaited on the loop.
func loopCall(js *eventloop.JS) *eventloop.ChainedPromise {
	promise, resolve, _ := js.NewChainedPromise()
	go func() { resolve(oneOf()) }()
	return promise
}

func loopBlocking(js *eventloop.JS, n int, done func()) {
	inChain(n, done, func() *eventloop.ChainedPromise { return loopCall(js) })
}

func loopBlocking1000(js *eventloop.JS, n int, done func()) {
	inChain(batches(n), done, func() *eventloop.ChainedPromise {
		all := make([]*eventloop.ChainedPromise, 1000)
		for i := range all {
			all[i] = loopCall(js)
		}
		return js.All(all)
	})
}

func loopSuspend(n int, look func()) {
	js, stop := startEventLoop()
	defer stop()
	doOnEventLoop(js, n, func(js *eventloop.JS, n int, done func()) {
		promises := make([]*eventloop.ChainedPromise, n)
		goOn := func(any) any { return nil }
		for i := range promises {
			promises[i], _, _ = js.NewChainedPromise()
			promises[i].Then(goOn, nil)
		}
		look()
		for i := range promises {
			_ = promises[i].State() // reachable until here
		}
		done()
	})
}

func eventLoopTimers(n int) {
	js, stop := startEventLoop()
	defer stop()
	doOnEventLoop(js, n, func(js *eventloop.JS, n int, done func()) {
		left := n
		fired := func() {
			if left--; left == 0 {
				done()
			}
		}
		for i := range n {
			_, err := js.Loop().ScheduleTimer(spread(i, n), fired)
			must(err)
		}
	})
}
