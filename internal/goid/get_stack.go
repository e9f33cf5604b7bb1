//go:build !gc || purego || !(amd64 || arm64)

package goid

// Get returns the identity of the running goroutine, never 0. It is unique
// among living goroutines. It does not suspend and may be called from any
// goroutine.
//
// Where uintptr has 32 bits the number is cut: two living goroutines are mixed
// up if exactly a multiple of 2^32 others were started between them.
func Get() uintptr { return uintptr(Number()) }
