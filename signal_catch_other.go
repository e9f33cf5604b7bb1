//go:build !unix

package aio

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// catchable is an error for what can have no handler. Windows has two that reach a program; elsewhere
// there are none.
func catchable(s os.Signal) error {
	if runtime.GOOS == "windows" && (s == os.Interrupt || s == os.Signal(syscall.SIGTERM)) {
		return nil
	}
	return fmt.Errorf("aio: signal %v does not reach programs on this system: %w", s, errors.ErrUnsupported)
}
