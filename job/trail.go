package job

import (
	"slices"
	"strings"
)

// trail is where in a value something went wrong, noted on the way out: the innermost step first.
type trail []string

// trailEnds is how many steps of a long trail are told at either end: what contains itself has one of
// thousands.
const trailEnds = 8

func (t *trail) in(step string) { *t = append(*t, step) }

func (t trail) String() string {
	steps := slices.Clone(t)
	slices.Reverse(steps)
	if n := len(steps); n > 2*trailEnds+1 {
		steps = slices.Concat(steps[:trailEnds], []string{"[...]"}, steps[n-trailEnds:])
	}
	return strings.Join(steps, "")
}
