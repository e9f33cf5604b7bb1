//go:build invariants || race

package invariant_test

import (
	"testing"

	"github.com/seed8b1f0744/aio/internal/invariant"
)

func TestEnabled_withTagOrRace(t *testing.T) {
	if !invariant.Enabled {
		t.Error("checks are off in a build with -race or the tag invariants")
	}
}
