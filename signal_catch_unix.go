//go:build unix

package aio

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// catchable is an error for what can have no handler.
func catchable(s os.Signal) error {
	switch n, ok := s.(syscall.Signal); {
	case !ok || n <= 0 || n >= maxSignal:
		return fmt.Errorf("aio: %v is not a signal of this system: %w", s, errors.ErrUnsupported)
	case n == syscall.SIGKILL || n == syscall.SIGSTOP:
		return fmt.Errorf("aio: signal %v can't be caught, by any program: %w", s, errors.ErrUnsupported)
	}
	return nil
}

// maxSignal is above all of them, real-time ones included; package signal knows as many.
const maxSignal = 65
