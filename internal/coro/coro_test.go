package coro_test

import (
	"runtime"
	"slices"
	"testing"

	"github.com/seed8b1f0744/aio/internal/coro"
	"github.com/seed8b1f0744/aio/internal/goid"
)

// body makes a coroutine of fn.
func body(c *coro.Coro, fn func()) {
	c.Init(func(yield func(struct{}) bool) {
		c.Enter(yield)
		fn()
	})
}

func TestCoro_turns(t *testing.T) {
	var c coro.Coro
	var trace []string
	body(&c, func() {
		trace = append(trace, "begin")
		if !c.Suspend() {
			t.Error("Suspend reports that Stop was called")
		}
		trace = append(trace, "again")
	})
	if c.G() != 0 {
		t.Error("G is set before the body runs")
	}
	if !c.Resume() {
		t.Error("Resume of a body that suspends reports its end")
	}
	trace = append(trace, "between")
	if c.Resume() {
		t.Error("Resume of a body that returns reports that it suspended")
	}
	if want := []string{"begin", "between", "again"}; !slices.Equal(trace, want) {
		t.Errorf("trace %v, want %v", trace, want)
	}
}

func TestCoro_identity(t *testing.T) {
	var c coro.Coro
	var seen []uintptr
	body(&c, func() {
		for c.Suspend() {
			seen = append(seen, goid.Get())
		}
	})
	c.Resume()
	for range 3 {
		runtime.GC() // stacks may move, the goroutine stays
		c.Resume()
	}
	c.Stop()
	for _, g := range seen {
		if g != c.G() || g == goid.Get() {
			t.Errorf("the body runs on goroutine %#x, G says %#x, the caller is %#x", g, c.G(), goid.Get())
		}
	}
	if len(seen) != 3 {
		t.Errorf("resumed %d times, want 3", len(seen))
	}
}

func TestCoro_stopRunsDefers(t *testing.T) {
	var c coro.Coro
	deferred := false
	body(&c, func() {
		defer func() { deferred = true }()
		for c.Suspend() {
		}
	})
	c.Resume()
	c.Stop()
	if !deferred {
		t.Error("Stop left the body where it was")
	}
}

func TestCoro_panicComesOut(t *testing.T) {
	var c coro.Coro
	body(&c, func() { panic("out") })
	defer func() {
		if v := recover(); v != "out" {
			t.Errorf("Resume panicked with %v", v)
		}
	}()
	c.Resume()
	t.Error("Resume returned")
}

func BenchmarkSwitch(b *testing.B) {
	var c coro.Coro
	body(&c, func() {
		for c.Suspend() {
		}
	})
	b.ReportAllocs()
	for b.Loop() {
		c.Resume()
	}
	c.Stop()
}
