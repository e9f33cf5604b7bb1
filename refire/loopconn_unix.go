//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package refire

import (
	"io"
	"syscall"
)

// LoopClients reports whether there can be a LoopClient on this system.
const LoopClients = true

// readNow reads what there is, without waiting.
func readNow(raw syscall.RawConn, p []byte) (n int, err error) {
	cerr := raw.Control(func(fd uintptr) {
		for {
			n, err = syscall.Read(int(fd), p)
			if err != syscall.EINTR {
				return
			}
		}
	})
	switch {
	case cerr != nil:
		return 0, cerr
	case err == syscall.EAGAIN:
		return 0, errNothing
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
