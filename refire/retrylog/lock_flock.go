//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package retrylog

import (
	"errors"
	"os"
	"syscall"
)

// lock takes f for this process until f is closed, or the process ends, however it ends.
func lock(f *os.File) (locked bool, err error) {
	return lockResult(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
}

// lockResult tells what flock's error means.
func lockResult(err error) (locked bool, _ error) {
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return false, ErrLocked
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
		return false, nil // a file system without locks
	}
	return err == nil, err
}
