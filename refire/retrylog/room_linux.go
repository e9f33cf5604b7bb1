package retrylog

import (
	"errors"
	"os"
	"syscall"
)

const keepSize = 1 // FALLOC_FL_KEEP_SIZE

// allocate takes room for bytes after the file's end. Where the file system cannot, nobody knows, and it is no error.
func allocate(f *os.File, size, bytes int64) error {
	var err error
	for err = syscall.EINTR; err == syscall.EINTR; {
		err = syscall.Fallocate(int(f.Fd()), keepSize, size, bytes)
	}
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return &os.PathError{Op: "write", Path: f.Name(), Err: err}
		}
	}
	return nil
}
