//go:build !linux && !windows && !darwin

package aio_test

// osThread is the id of the calling OS thread; zero where it is not to be had.
func osThread() uint64 { return 0 }
