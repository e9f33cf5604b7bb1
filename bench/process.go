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
		{name: "memory of a suspended task", key: "memory", unit: "bytes", peer: "a parked goroutine", budget: 1.2, fixed: 100_000, ours: inChild("tasks"), theirs: inChild("goroutines")},
		{name: "1 million timers armed and fired, CPU of each", key: "timers", peer: "time.AfterFunc", budget: 0.7, fixed: 1_000_000, peersFixed: 100_000, ours: inChild("timers"), theirs: inChild("afterfunc")},
	}
}

// inChild runs this program again to measure what it is told to.
func inChild(what string) func(int) float64 {
	if children[what] == nil {
		panic("bench: no child measures " + what)
	}
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

// children are the measurements that want a process of their own.
var children = map[string]func(n int) float64{
	"echo":                echoBytes,
	"tasks":               memory(suspendTasks),
	"goroutines":          memory(parkGoroutines),
	"b97tsk-memory":       memory(b97Suspend),
	"go-eventloop-memory": memory(loopSuspend),
	"goja-memory":         memory(gojaSuspend),
	"conc-memory":         memory(concSuspend),
	"errgroup-memory":     memory(errgroupSuspend),
	"timers":              cpu(loopTimers),
	"afterfunc":           cpu(afterFuncs),
	"b97tsk-timers":       cpu(b97Timers),
	"go-eventloop-timers": cpu(eventLoopTimers),
	"goja-timers":         cpu(gojaTimers),
}

// ordered does what this program, started by itself, was told to do; it reports false if it was started by
// somebody else.
func ordered(args []string) bool {
	switch {
	case len(args) == 3 && args[1] == "child":
		child(args[2])
	case len(args) == 4 && args[1] == "load":
		n, err := strconv.Atoi(args[3])
		must(err)
		load(args[2], n)
	case len(args) > 3 && args[1] == "pinned":
		runPinned(args[2], args[3:])
	default:
		return false
	}
	return true
}

func child(order string) {
	what, count, _ := strings.Cut(order, " ")
	n, err := strconv.Atoi(count)
	must(err)
	fmt.Println(children[what](n))
}

// memory is what n of something take, stacks included.
func memory(suspend func(n int, look func())) func(n int) float64 {
	return func(n int) float64 {
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
	park(n, look, func(wait func()) { go wait() })
}

// park has n goroutines wait, each started by start.
func park(n int, look func(), start func(wait func())) {
	gate := make(chan struct{})
	var parked atomic.Int64
	wait := func() {
		parked.Add(1)
		<-gate
	}
	for range n {
		start(wait)
	}
	for parked.Load() < int64(n) {
		time.Sleep(time.Millisecond)
	}
	look()
	close(gate)
}

// cpu is the CPU time that work takes, in nanoseconds.
func cpu(work func(n int)) func(n int) float64 {
	return func(n int) float64 {
		before := cpuTime()
		work(n)
		return cpuTime() - before
	}
}

func cpuTime() float64 {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

// spread is the deadline of timer i of n: one each microsecond, armed in no order.
func spread(i, n int) time.Duration {
	return time.Duration(i*7919%n) * time.Microsecond
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
