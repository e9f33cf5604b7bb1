//go:build unix && !linux

package procpool

import (
	"os"
	"runtime"
	"syscall"
	"time"
)

func program() (string, error) { return os.Executable() }

func workerAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func keepThread() {}

func nameProcess() {}

// awaitExit: without a wait that leaves a zombie there is no moment at which the process group of
// one that ended by itself is certain to be its own.
func awaitExit(int) bool { return false }

// residentBytes is the most memory that this process ever had in use: the system tells no other
// figure without cgo.
func residentBytes() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}

// mayGlimpse: without a poll of one file that takes microseconds, and wakes up in time, it is left to Go's
// poller.
const mayGlimpse = false

func readableWithin(uintptr, time.Duration) bool { return false }
