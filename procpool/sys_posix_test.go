//go:build unix && !linux

package procpool_test

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// gone reports whether a process has ended.
func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

// halted reports whether a process has stopped.
func halted(pid int) bool {
	state, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.HasPrefix(strings.TrimSpace(string(state)), "T")
}

func openFiles() map[string]string { return nil }

func limitMemory(uint64) error { return errors.ErrUnsupported }
