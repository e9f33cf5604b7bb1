package aiotest

import (
	"slices"
	"testing"
)

// Each case of a suite runs, with a subject of its own.
func TestConform(t *testing.T) {
	made := 0
	var seen []string
	check := func(name string) promise[int] {
		return promise[int]{name, name, func(t testing.TB, subject int) {
			if subject != made {
				t.Errorf("%s has the subject %d, made was %d", name, subject, made)
			}
			seen = append(seen, name)
		}}
	}
	conform(t, []promise[int]{check("first"), check("second"), check("third")}, func(testing.TB) int { made++; return made })
	if made != 3 || !slices.Equal(seen, []string{"first", "second", "third"}) {
		t.Errorf("for %d subjects these ran: %q", made, seen)
	}
}
