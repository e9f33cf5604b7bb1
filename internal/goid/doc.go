// Package goid tells which goroutine is running.
//
// A loop must know whether the code that awaits runs in one of its tasks or in
// some other goroutine that was handed a task's context. Go has no goroutine
// local storage and no public identity, so the identity is taken where it
// cannot be forged or inherited: from the goroutine itself.
//
// What it promises: among living goroutines no two have the same identity, and
// a goroutine keeps its own from its first instruction to its last, across
// stack growth, garbage collection, system calls and moves to other threads.
// An iter.Pull coroutine is a goroutine of its own, with one identity for all
// its resumptions, whoever resumes it.
//
// What it does not: an identity says nothing once its goroutine has ended. The
// runtime reuses the descriptor, so a later goroutine may have the same one.
// Whoever keeps identities (in a registry, as the owner of a lock) must drop
// them before, or as, their goroutines end.
//
// On amd64 and arm64 the identity is the address of the runtime's descriptor
// of the goroutine (its g), which Go's calling convention keeps in a register
// or in thread-local storage; it is read, never followed, so no layout of the
// runtime is relied on. That costs one or two nanoseconds. Elsewhere, and with
// the build tag purego, it is the goroutine number that runtime.Stack prints,
// at some microseconds.
package goid
