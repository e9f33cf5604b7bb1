package invariant_test

import (
	"testing"

	"github.com/seed8b1f0744/aio/internal/invariant"
)

// recovered returns what fn panicked with, nil if it returned.
func recovered(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}

func TestCheck_holds(t *testing.T) {
	if p := recovered(func() { invariant.Check(true, "the sky is %s", "blue") }); p != nil {
		t.Errorf("Check(true) panicked: %v", p)
	}
}

func TestCheck_broken(t *testing.T) {
	p := recovered(func() { invariant.Check(false, "%d tasks are ready, want %d", 3, 4) })
	if !invariant.Enabled {
		if p != nil {
			t.Errorf("Check(false) panicked in a build without checks: %v", p)
		}
		return
	}
	const want = "aio: invariant broken: 3 tasks are ready, want 4 (a bug in aio, please report it with this stack)"
	if p != want {
		t.Errorf("Check(false) panicked with %v, want %q", p, want)
	}
}

func BenchmarkCheck(b *testing.B) {
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		invariant.Check(n > 0, "n is %d", n)
	}
}
