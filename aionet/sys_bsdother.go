//go:build dragonfly || freebsd || netbsd || openbsd

package aionet

// noSignal: Go's runtime ignores the signal.
func noSignal(int) {}

// keepAliveEvery: the system's interval.
func keepAliveEvery(int, int) {}
