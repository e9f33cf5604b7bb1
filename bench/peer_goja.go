package main

import (
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja_nodejs/eventloop"
)

func gojaPeer() peer {
	return peer{
		name: "goja_nodejs",
		about: version("github.com/dop251/goja_nodejs") + ": the loop of a JavaScript interpreter. Its tasks are async functions, so spawn, gather, yield and memory are " +
			"interpreted JavaScript; callbacks, posts and timers are Go through RunOnLoop and SetTimeout; blocking calls are goroutines that resolve a promise through RunOnLoop.",
		cases: map[string]func(int) float64{
			"spawn":        inScript(`async (n) => { const one = async () => 1; for (let i = 0; i < n; i++) await one() }`),
			"gather":       inScript(`async (n) => { const one = async () => 1; for (; n > 0; n -= 1000) { const all = []; for (let i = 0; i < 1000; i++) all.push(one()); await Promise.all(all) } }`),
			"yield":        inScript(`async (n) => { const turns = async () => { for (let i = 0; i < n / 100; i++) await null }; const all = []; for (let i = 0; i < 100; i++) all.push(turns()); await Promise.all(all) }`),
			"callsoon":     gojaCallSoon,
			"post":         gojaPost,
			"idle":         gojaIdle,
			"blocking":     inScript(`async (n) => { for (let i = 0; i < n; i++) await blocking() }`),
			"blocking1000": inScript(`async (n) => { for (; n > 0; n -= 1000) { const all = []; for (let i = 0; i < 1000; i++) all.push(blocking()); await Promise.all(all) } }`),
			"memory":       inChild("goja-memory"),
			"timers":       inChild("goja-timers"),
		},
	}
}

func startGoja() (loop *eventloop.EventLoop, stop func()) {
	loop = eventloop.NewEventLoop(eventloop.EnableConsole(false))
	loop.Start()
	return loop, loop.Terminate
}

// inScript times an async function of n, written in JavaScript. It may call blocking, which runs a
// call in a goroutine.
func inScript(script string) func(int) float64 {
	return func(n int) float64 {
		loop, stop := startGoja()
		defer stop()
		run := gojaFunction(loop, script)
		run(n/10 + 1)
		start := time.Now()
		run(n)
		return float64(time.Since(start))
	}
}

// gojaFunction makes an async function callable from Go, which waits for its end.
func gojaFunction(loop *eventloop.EventLoop, script string) func(n int) {
	var call goja.Callable
	var ended chan struct{}
	ready := make(chan struct{})
	loop.RunOnLoop(func(vm *goja.Runtime) {
		defer close(ready)
		must(vm.Set("ended", func() { close(ended) }))
		must(vm.Set("blocking", func() *goja.Promise {
			promise, resolve, _ := vm.NewPromise()
			go func() {
				v := oneOf()
				loop.RunOnLoop(func(*goja.Runtime) { must(resolve(v)) })
			}()
			return promise
		}))
		f, err := vm.RunString("(n) => (" + script + ")(n).then(ended)")
		must(err)
		call, _ = goja.AssertFunction(f)
	})
	<-ready
	return func(n int) {
		ended = make(chan struct{})
		loop.RunOnLoop(func(vm *goja.Runtime) {
			_, err := call(goja.Undefined(), vm.ToValue(n))
			must(err)
		})
		<-ended
	}
}

func gojaCallSoon(n int) float64 {
	loop, stop := startGoja()
	defer stop()
	count := 0
	f := func(*goja.Runtime) { count++ }
	run := func(n int) {
		done := make(chan struct{})
		var batch func(*goja.Runtime)
		batch = func(*goja.Runtime) {
			if n <= 0 {
				close(done)
				return
			}
			for range 1000 {
				loop.RunOnLoop(f)
			}
			n -= 1000
			loop.RunOnLoop(batch)
		}
		loop.RunOnLoop(batch)
		<-done
	}
	run(n/10 + 1)
	start := time.Now()
	run(n)
	return float64(time.Since(start))
}

func gojaPost(n int) float64 {
	loop, stop := startGoja()
	defer stop()
	done := make(chan struct{})
	count := 0
	f := func(*goja.Runtime) {
		if count++; count == n {
			close(done)
		}
	}
	start := time.Now()
	for range n {
		loop.RunOnLoop(f)
	}
	<-done
	return float64(time.Since(start))
}

func gojaIdle(n int) float64 {
	loop, stop := startGoja()
	defer stop()
	back := make(chan struct{})
	f := func(*goja.Runtime) { back <- struct{}{} }
	start := time.Now()
	for range n {
		loop.RunOnLoop(f)
		<-back
	}
	return float64(time.Since(start))
}

func gojaSuspend(n int, look func()) {
	loop, stop := startGoja()
	defer stop()
	looked := make(chan struct{})
	loop.RunOnLoop(func(vm *goja.Runtime) {
		must(vm.Set("look", func() { look(); close(looked) }))
		must(vm.Set("n", n))
		_, err := vm.RunString(`(async () => {
			let open
			const gate = new Promise((resolve) => { open = resolve })
			const wait = async () => { await gate }
			for (let i = 0; i < n; i++) wait()
			await null // the loop of microtasks has gone round once: all are suspended
			look()
			open()
		})()`)
		must(err)
	})
	<-looked
}

func gojaTimers(n int) {
	loop, stop := startGoja()
	defer stop()
	all := make(chan struct{})
	loop.RunOnLoop(func(*goja.Runtime) {
		left := n
		fired := func(*goja.Runtime) {
			if left--; left == 0 {
				close(all)
			}
		}
		for i := range n {
			loop.SetTimeout(fired, spread(i, n))
		}
	})
	<-all
}
