//go:build gc && !purego && (amd64 || arm64)

package goid

// Get returns the identity of the running goroutine, never 0. It is unique
// among living goroutines only: the next goroutine may get it again after this
// one has ended. It does not suspend and may be called from any goroutine.
//
// It returns a number and no pointer on purpose: descriptors are never moved
// or freed, and nobody is meant to look into one.
func Get() uintptr
