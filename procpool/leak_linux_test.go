package procpool_test

import (
	"context"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

// holdings are what a process has that calls could leave behind.
type holdings struct {
	Pid, Goroutines, Files int
	Heap                   uint64
}

// heapGrowth is how much more a process may hold after many calls: 50 bytes for each of a worker's
// share of 10,000.
const heapGrowth = 250_000

// count looks at its own process. What is only cached is gone after two collections.
func count() holdings {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return holdings{os.Getpid(), runtime.NumGoroutine(), len(openFiles()), m.HeapAlloc}
}

// counts is count in a worker.
var counts = job.Define("counts", func(context.Context, int) (holdings, error) { return count(), nil })

// exceeds tells what a process has too much of, for people.
func (h holdings) exceeds(before holdings) (what []string) {
	for name, more := range map[string]bool{
		"goroutines": h.Goroutines > before.Goroutines, "files": h.Files > before.Files, "heap": h.Heap > before.Heap+heapGrowth,
	} {
		if more {
			what = append(what, name)
		}
	}
	return what
}

// countWorkers counts in each of a pool's two workers.
func countWorkers(t *testing.T, ctx context.Context, p *procpool.Pool) map[int]holdings {
	seen := map[int]holdings{}
	eventually(t, "both workers were asked", func() bool {
		for _, f := range []*aio.Future[holdings]{counts.In(ctx, p, 0), counts.In(ctx, p, 0)} {
			h, err := f.Await(ctx)
			if err != nil {
				t.Fatal(err)
			}
			seen[h.Pid] = h
		}
		return len(seen) == 2
	})
	return seen
}

// Calls leave nothing behind, neither here nor in the workers, which stay the same.
func TestManyCallsLeaveNothing(t *testing.T) {
	calls := 10_000
	if testing.Short() {
		calls = 1_000
	}
	ctx := soon(t)
	before := channels()
	p, err := procpool.New(procpool.Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	execute := func(n int) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { manyCalls(t, ctx, p, n/8) })
		}
		wg.Go(func() {
			_, err := aio.Run(ctx, aio.Do(func(ctx context.Context) error {
				return aio.WithGroup(ctx, func(ctx context.Context) error {
					for range 4 {
						aio.Go(ctx, aio.Do(func(ctx context.Context) error { manyCalls(t, ctx, p, n/8); return nil }))
					}
					return nil
				})
			}))
			if err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
	}
	execute(calls / 10)
	eventually(t, "both workers serve", func() bool { return procpool.Idle(p) == 2 })
	workers, here := countWorkers(t, ctx, p), count()
	asked := p.Stats().Done
	execute(calls)
	if s := p.Stats(); s.Workers != 2 || s.Done != asked+uint64(calls) {
		t.Errorf("stats are %+v", s)
	}
	for pid, now := range countWorkers(t, ctx, p) {
		then, ok := workers[pid]
		if what := now.exceeds(then); !ok || len(what) > 0 {
			t.Errorf("a worker has more %v: %+v, before the calls %+v", what, now, then)
		}
	}
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= here.Goroutines })
	if now := count(); len(now.exceeds(here)) > 0 {
		t.Errorf("this process has more %v: %+v, before the calls %+v", now.exceeds(here), now, here)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if left := children(); len(left) > 0 {
		t.Errorf("children are left: %v", left)
	}
	if left := channels(); left != before {
		t.Errorf("%d pipes and sockets are open, %d were before", left, before)
	}
}

// manyCalls makes n calls, one after the other: one of a hundred is large.
func manyCalls(t *testing.T, ctx context.Context, p *procpool.Pool, n int) {
	small, large := echoCall(64), echoCall(100_000)
	for i := range n {
		call := small
		if i%100 == 99 {
			call = large
		}
		if _, err := p.Execute(ctx, call); err != nil {
			t.Error(err)
			return
		}
	}
}

// children are the processes whose parent this is.
func children() (pids []string) {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		text, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		pids = append(pids, strings.Fields(string(text))...)
	}
	return pids
}

// channels is how many ends of pipes and sockets this process has open.
func channels() (n int) {
	for _, target := range openFiles() {
		if strings.HasPrefix(target, "pipe:") || strings.HasPrefix(target, "socket:") {
			n++
		}
	}
	return n
}
