//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aio

import (
	"syscall"
	"time"
)

// processCPU is the CPU time that this process has got.
func processCPU() (time.Duration, bool) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, false
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), true
}
