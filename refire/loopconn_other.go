//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package refire

import (
	"errors"
	"syscall"
)

// LoopClients reports whether there can be a LoopClient on this system.
const LoopClients = false

func readNow(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }
