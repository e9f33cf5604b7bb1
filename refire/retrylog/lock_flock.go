//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package retrylog

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// lock takes f for this process until f is closed, or the process ends, however it ends.
func lock(f *os.File) (locked bool, err error) {
	for tries := 0; ; tries++ {
		locked, err = lockResult(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
		if err != ErrLocked || tries == 3 {
			return locked, err
		}
		time.Sleep(5 * time.Millisecond) // it may be InUse, which lets go at once
	}
}

// InUse reports whether a run has the retry log at path open; known is false where there are no locks to tell by. It does not keep a run from opening it.
func InUse(path string) (used, known bool) {
	f, err := os.Open(path)
	if err != nil {
		return false, false
	}
	defer f.Close()
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); {
	case err == nil:
		return false, true
	case errors.Is(err, syscall.EWOULDBLOCK):
		return true, true
	}
	return false, false
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
