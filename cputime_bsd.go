//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package aio

import "time"

// threadID is 0: there is no telling threads apart here.
func threadID() int { return 0 }

// cpuTime is the CPU time of the whole process.
func cpuTime(int) (time.Duration, bool) { return processCPU() }
