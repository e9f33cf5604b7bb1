package aio_test

import "syscall"

var getCurrentThreadID = syscall.NewLazyDLL("kernel32.dll").NewProc("GetCurrentThreadId")

// osThread is the id of the calling OS thread; zero where it is not to be had.
func osThread() uint64 {
	id, _, _ := getCurrentThreadID.Call()
	return uint64(id)
}
