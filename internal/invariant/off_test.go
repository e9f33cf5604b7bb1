//go:build !invariants && !race

package invariant_test

import (
	"testing"

	"github.com/seed8b1f0744/aio/internal/invariant"
)

func TestEnabled_notByDefault(t *testing.T) {
	if invariant.Enabled {
		t.Error("checks are on in a plain build; they belong to -race and the tag invariants")
	}
}

// Checks stand on hot paths: a plain build must not even box their arguments.
func TestCheck_allocatesNothingWhenOff(t *testing.T) {
	n := 1 << 20
	if got := testing.AllocsPerRun(1000, func() {
		n++
		invariant.Check(n > 0, "n is %d, %v, %q", n, t, "x")
	}); got != 0 {
		t.Errorf("a check that is compiled out allocates %v times", got)
	}
}
