//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package retrylog

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"
)

// TestLockErrors: who has a lock is told from file systems that have none, and those from trouble.
func TestLockErrors(t *testing.T) {
	for err, want := range map[error]struct {
		locked bool
		err    error
	}{
		nil:              {true, nil},
		syscall.EAGAIN:   {false, ErrLocked},
		syscall.ENOTSUP:  {false, nil},
		syscall.ENOSYS:   {false, nil},
		syscall.ENOLCK:   {false, nil}, // NFS without lockd
		syscall.EIO:      {false, syscall.EIO},
		fs.ErrPermission: {false, fs.ErrPermission},
	} {
		if locked, got := lockResult(err); locked != want.locked || !errors.Is(got, want.err) {
			t.Errorf("%v: %v, %v", err, locked, got)
		}
	}
}
