package goid_test

import (
	"iter"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio/internal/goid"
)

func TestGet_distinctAmongLivingGoroutines(t *testing.T) {
	const n = 2000
	ids := make([]uintptr, n)
	var started, ended sync.WaitGroup
	leave := make(chan struct{})
	started.Add(n)
	for i := range n {
		ended.Go(func() {
			ids[i] = goid.Get()
			started.Done()
			<-leave // all live until every identity has been taken
		})
	}
	started.Wait()
	close(leave)
	ended.Wait()

	seen := map[uintptr]int{goid.Get(): -1}
	for i, id := range ids {
		if id == 0 {
			t.Fatalf("goroutine %d has identity 0", i)
		}
		if j, dup := seen[id]; dup {
			t.Fatalf("living goroutines %d and %d have the same identity %#x", j, i, id)
		}
		seen[id] = i
	}
}

func TestGet_stableAcrossStackGrowthCollectionAndThreads(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			id, number := goid.Get(), goid.Number()
			check := func(when string) {
				if got := goid.Get(); got != id {
					t.Errorf("%s: identity changed from %#x to %#x", when, id, got)
				}
				if got := goid.Number(); got != number {
					t.Errorf("%s: number changed from %d to %d", when, number, got)
				}
			}
			deep(10_000, func() { check("on a stack that was moved while growing") })
			runtime.GC() // also shrinks the stack again
			check("after a collection")
			for range 100 {
				runtime.Gosched()
				check("after Gosched")
			}
			runtime.LockOSThread()
			check("locked to a thread")
			runtime.UnlockOSThread()
		})
	}
	wg.Wait()
}

// deep runs fn with some hundred bytes of frames for each level below it.
func deep(levels int, fn func()) byte {
	var frame [128]byte
	if levels == 0 {
		fn()
		return frame[0]
	}
	frame[levels%len(frame)] = deep(levels-1, fn)
	return frame[(levels+1)%len(frame)]
}

// Hopping between threads is what the scheduler does when a goroutine is woken
// by another one; two that are locked to their threads force it for the rest.
func TestGet_stableAcrossThreads(t *testing.T) {
	ping, pong := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			id := goid.Get()
			for range ping {
				if got := goid.Get(); got != id {
					t.Errorf("on a locked thread: identity changed from %#x to %#x", id, got)
				}
				pong <- struct{}{}
			}
		})
	}
	id := goid.Get()
	for range 500 {
		ping <- struct{}{}
		<-pong
		if got := goid.Get(); got != id {
			t.Fatalf("after a hand-over: identity changed from %#x to %#x", id, got)
		}
	}
	close(ping)
	wg.Wait()
}

func TestGet_coroutinesHaveTheirOwn(t *testing.T) {
	const coroutines, resumes = 50, 20
	outer := goid.Get()
	body := func(yield func(uintptr) bool) {
		for yield(goid.Get()) {
		}
	}
	seen := map[uintptr]bool{outer: true}
	nexts := make([]func() (uintptr, bool), coroutines)
	ids := make([]uintptr, coroutines)
	for i := range nexts {
		next, stop := iter.Pull(iter.Seq[uintptr](body))
		defer stop()
		nexts[i] = next
		ids[i], _ = next()
		if seen[ids[i]] {
			t.Fatalf("coroutine %d has the identity %#x of another living goroutine", i, ids[i])
		}
		seen[ids[i]] = true
	}
	resumeAll := func(by string) {
		for range resumes {
			for i, next := range nexts {
				if got, _ := next(); got != ids[i] {
					t.Errorf("coroutine %d resumed by %s: identity changed from %#x to %#x", i, by, ids[i], got)
				}
			}
		}
	}
	resumeAll("its maker")
	done := make(chan struct{})
	go func() {
		defer close(done)
		resumeAll("another goroutine")
	}()
	<-done
	if got := goid.Get(); got != outer {
		t.Errorf("identity of the resuming goroutine changed from %#x to %#x", outer, got)
	}
}

func TestGet_inBubble(t *testing.T) {
	outer := goid.Get()
	synctest.Test(t, func(t *testing.T) {
		id := goid.Get()
		if id == outer {
			t.Errorf("the bubble's goroutine has the identity %#x of the one that waits for it", id)
		}
		inner := make(chan uintptr)
		go func() { inner <- goid.Get() }()
		if got := <-inner; got == 0 {
			t.Error("identity 0 in a bubble")
		}
		synctest.Wait()
		if got := goid.Get(); got != id {
			t.Errorf("identity changed from %#x to %#x across synctest.Wait", id, got)
		}
	})
}

// A reused identity is what the package documents; a number is never reused.
func TestNumber_neverReused(t *testing.T) {
	seen := map[uint64]bool{goid.Number(): true}
	for range 1000 {
		got := make(chan uint64)
		go func() { got <- goid.Number() }()
		n := <-got
		if seen[n] {
			t.Fatalf("goroutine number %d came twice", n)
		}
		seen[n] = true
	}
}

func TestAllocations(t *testing.T) {
	var id uintptr
	if n := testing.AllocsPerRun(100, func() { id = goid.Get() }); n != 0 {
		t.Errorf("Get allocates %v times", n)
	}
	var number uint64
	if n := testing.AllocsPerRun(100, func() { number = goid.Number() }); n != 0 {
		t.Errorf("Number allocates %v times", n)
	}
	if id == 0 || number == 0 {
		t.Errorf("identity %#x, number %d; neither may be 0", id, number)
	}
}

func BenchmarkGet(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		goid.Get()
	}
}

func BenchmarkNumber(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		goid.Number()
	}
}
