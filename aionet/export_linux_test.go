package aionet

import "testing"

// Moved has what is moved by a call of the system's counted until the test is over.
func Moved(t testing.TB, fn func(call string, n int)) {
	onMove.Store(&fn)
	t.Cleanup(func() { onMove.Store(nil) })
}
