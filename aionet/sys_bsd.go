//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"os"
	"syscall"
)

func sysRead(fd int, p []byte) (int, syscall.Errno) {
	n, err := syscall.Read(fd, p)
	if err != nil {
		return 0, errnoOf(err)
	}
	return n, 0
}

func sysWrite(fd int, p []byte) (int, syscall.Errno) {
	n, err := syscall.Write(fd, p[:min(len(p), maxWriteBytes)])
	if err != nil {
		return 0, errnoOf(err)
	}
	return n, 0
}

// sysWritev joins the buffers: the system's own call is nothing that package syscall has everywhere.
func sysWritev(fd int, v [][]byte) (int, syscall.Errno) {
	if len(v) == 1 || len(v[0]) >= copyBytes {
		return sysWrite(fd, v[0])
	}
	buf := copyBuffers.Get().(*[copyBytes]byte)
	defer copyBuffers.Put(buf)
	n := 0
	for _, p := range v {
		n += copy(buf[n:], p)
	}
	return sysWrite(fd, buf[:n])
}

// maxWriteBytes bounds what one call moves, which holds the loop while it copies.
const maxWriteBytes = 1 << 20

func newDescriptor(family, kind int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Socket(family, kind, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	return prepared(fd)
}

func accept(fd int) (int, syscall.Sockaddr, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	next, from, err := syscall.Accept(fd)
	if err != nil {
		return -1, nil, err
	}
	next, err = prepared(next)
	return next, from, err
}

// prepared is fd, closed on exec and in non-blocking mode.
func prepared(fd int) (int, error) {
	syscall.CloseOnExec(fd)
	if err := syscall.SetNonblock(fd, true); err != nil {
		_ = syscall.Close(fd)
		return -1, err
	}
	noSignal(fd)
	return fd, nil
}

// backlog is how many connections the system keeps for us until we take them; it cuts off what is
// too much.
func backlog() int { return 4096 }

func keepAlive(fd, seconds int) {
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1)
	keepAliveEvery(fd, seconds)
}
