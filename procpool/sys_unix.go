//go:build unix

package procpool

import (
	"os"
	"syscall"
)

const supported = true

// killGroup kills what pid leads.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

func closeOnExec(fd uintptr) { syscall.CloseOnExec(int(fd)) }

// bulkBuffer is how much a socket for large bodies may hold on its way, if the system lets it. More
// is no faster; some systems begin with a hundredth of it.
const bulkBuffer = 1 << 20

// readNow and writeNow do it on a descriptor that does not block.

func readNow(fd int, p []byte) (n int, err error) {
	for {
		if n, err = syscall.Read(fd, p); err != syscall.EINTR {
			return n, err
		}
	}
}

func writeNow(fd int, p []byte) (n int, err error) {
	for {
		if n, err = syscall.Write(fd, p); err != syscall.EINTR {
			return n, err
		}
	}
}

// socketPair makes two files that are each other's other end.
func socketPair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range fds {
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, bulkBuffer)
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, bulkBuffer)
	}
	_ = syscall.SetNonblock(fds[0], true) // for deadlines; theirs blocks
	return os.NewFile(uintptr(fds[0]), "bulk"), os.NewFile(uintptr(fds[1]), "bulk"), nil
}
