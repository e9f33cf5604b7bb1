package procpool

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// program is what to start in order to start this program: the very file that runs, also if another
// has taken its name since.
func program() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil {
		return self, nil
	}
	return os.Executable()
}

// workerAttr: the parent's death is a worker's, even if it is stopped. Pdeathsig goes by the thread
// that started it, see Pool.starter.
func workerAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// keepThread makes the thread that starts workers last as long as they do.
func keepThread() { runtime.LockOSThread() }

// awaitExit waits until the child has ended, but leaves it a zombie, so that its process group still
// is its own. It reports false if it cannot.
func awaitExit(pid int) bool {
	const pPID = 1
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPID, uintptr(pid), 0, syscall.WEXITED|syscall.WNOWAIT, 0, 0)
		if errno != syscall.EINTR {
			return errno == 0
		}
	}
}

// nameProcess gives the process the name of the program: by how it was started it is "exe".
func nameProcess() {
	_ = os.WriteFile("/proc/self/comm", []byte(filepath.Base(os.Args[0])), 0o644)
}

// residentBytes is how much memory this process has in use.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

const mayGlimpse = true

// readableWithin waits until a read of fd would not block, or ends.
func readableWithin(fd uintptr, d time.Duration) bool {
	const pollIn = 1
	p := struct {
		fd              int32
		events, revents int16
	}{fd: int32(fd), events: pollIn}
	until := syscall.NsecToTimespec(int64(d))
	n, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&until)), 0, 0, 0)
	return errno == 0 && n == 1
}
