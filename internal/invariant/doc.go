// Package invariant holds the checks of our own reasoning: what cannot be
// false unless this module has a bug. They run in builds with the tag
// invariants and in all builds with -race, and are compiled out of the others.
//
// Whatever the outside world can cause (a user's call in the wrong place, a
// full disk, a closed loop) is an error or a documented panic, never a check
// here: it must be noticed in every build.
package invariant
