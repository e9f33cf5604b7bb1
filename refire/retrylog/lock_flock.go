//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package retrylog

import (
	"errors"
	"os"
	"syscall"
)

// lock takes f for this process until f is closed, or the process ends, however it ends.
func lock(f *os.File) (locked bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, ErrLocked
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return false, nil // a file system without locks
	}
	return err == nil, err
}
