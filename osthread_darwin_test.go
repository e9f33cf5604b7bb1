package aio_test

import "syscall"

// osThread is the id of the calling OS thread; zero where it is not to be had.
func osThread() uint64 {
	id, _, _ := syscall.RawSyscall(syscall.SYS_THREAD_SELFID, 0, 0, 0)
	return uint64(id)
}
