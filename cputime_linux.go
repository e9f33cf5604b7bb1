package aio

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// threadID is the id of the calling OS thread.
func threadID() int { return syscall.Gettid() }

// cpuTime is the CPU time that a thread of this process has got; thread 0 is the whole process.
// Kernels without scheduler statistics know only of the process.
func cpuTime(thread int) (time.Duration, bool) {
	if thread == 0 {
		return processCPU()
	}
	stat, err := os.ReadFile("/proc/self/task/" + strconv.Itoa(thread) + "/schedstat")
	if err != nil {
		return 0, false
	}
	first, _, _ := bytes.Cut(stat, []byte(" "))
	ns, err := strconv.ParseInt(string(first), 10, 64)
	return time.Duration(ns), err == nil
}
