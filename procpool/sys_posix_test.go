//go:build unix && !linux

package procpool_test

import (
	"errors"
	"syscall"
)

// gone reports whether a process has ended.
func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

func openFiles() map[string]string { return nil }

func limitMemory(uint64) error { return errors.ErrUnsupported }
