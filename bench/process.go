package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
)

// processRows are the rows that need a process of their own for each measurement: memory, and CPU
// time.
func processRows() []row {
	return []row{
		{name: "memory of a suspended task", unit: "bytes", peer: "a parked goroutine", budget: 1.2, fixed: 100_000, ours: inChild("tasks"), theirs: inChild("goroutines")},
		{name: "1 million timers armed and fired, CPU of each", peer: "time.AfterFunc", budget: 0.7, fixed: 1_000_000, ours: inChild("timers"), theirs: inChild("afterfunc")},
	}
}

// inChild runs this program again to measure what it is told to.
func inChild(what string) func(int) float64 {
	return func(n int) float64 {
		cmd := exec.Command(os.Args[0], "child", what+" "+strconv.Itoa(n))
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		must(err)
		cost, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		must(err)
		return cost
	}
}

func child(order string) {
	what, count, _ := strings.Cut(order, " ")
	n, err := strconv.Atoi(count)
	must(err)
	switch what {
	case "tasks":
		fmt.Println(memory(n, suspendTasks))
	case "goroutines":
		fmt.Println(memory(n, parkGoroutines))
	case "timers":
		fmt.Println(cpu(func() { loopTimers(n) }))
	case "afterfunc":
		fmt.Println(cpu(func() { afterFuncs(n) }))
	}
}

// memory is what n of something take, stacks included.
func memory(n int, suspend func(n int, look func())) float64 {
	debug.SetGCPercent(-1)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	suspend(n, func() {
		runtime.GC()
		runtime.ReadMemStats(&after)
	})
	return float64(after.HeapInuse + after.StackInuse - before.HeapInuse - before.StackInuse)
}

func suspendTasks(n int, look func()) {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		var gate aio.Event
		wait := aio.Do(gate.Wait)
		for range n {
			aio.Go(ctx, wait)
		}
		must(aio.Sleep(ctx, time.Millisecond)) // all have begun to wait, and the loop has parked
		look()
		gate.Set()
		return nil
	}))
	must(err)
}

func parkGoroutines(n int, look func()) {
	gate := make(chan struct{})
	var parked atomic.Int64
	for range n {
		go func() {
			parked.Add(1)
			<-gate
		}()
	}
	for parked.Load() < int64(n) {
		time.Sleep(time.Millisecond)
	}
	look()
	close(gate)
}

// cpu is the CPU time that work takes, in nanoseconds.
func cpu(work func()) float64 {
	before := cpuTime()
	work()
	return cpuTime() - before
}

func cpuTime() float64 {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

// spread is the deadline of timer i of n: all within a second, in no order.
func spread(i, n int) time.Duration {
	return time.Duration(i*7919%n) * time.Second / time.Duration(n)
}

func loopTimers(n int) {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		all := aio.NewPromise[int]()
		left := n
		fired := func() {
			if left--; left == 0 {
				all.Resolve(n)
			}
		}
		for i := range n {
			l.CallLater(spread(i, n), fired)
		}
		_, err := all.Await(ctx)
		return err
	}))
	must(err)
}

func afterFuncs(n int) {
	var left atomic.Int64
	left.Store(int64(n))
	all := make(chan struct{})
	fired := func() {
		if left.Add(-1) == 0 {
			close(all)
		}
	}
	for i := range n {
		time.AfterFunc(spread(i, n), fired)
	}
	<-all
}
