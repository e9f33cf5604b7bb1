//go:build invariants || race

package invariant

// Enabled reports whether checks run in this build.
const Enabled = true
