package aio_test

import "syscall"

// osThread is the id of the calling OS thread; zero where it is not to be had.
func osThread() uint64 { return uint64(syscall.Gettid()) }
