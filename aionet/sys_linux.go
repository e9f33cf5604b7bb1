package aionet

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Calls that never block are made without a word to Go's scheduler, which would get ready for one
// that does.

// maxWriteBytes bounds what one call moves, which holds the loop while it copies.
const maxWriteBytes = 1 << 20

// maxVectors bounds how many buffers one call moves; they are on the stack of the caller.
const maxVectors = 64

func sysWritev(fd int, v [][]byte) (int, syscall.Errno) {
	var list [maxVectors]syscall.Iovec
	n, room := 0, maxWriteBytes
	for _, p := range v {
		if n == len(list) || room == 0 {
			break
		}
		if len(p) == 0 {
			continue
		}
		p = p[:min(len(p), room)]
		room -= len(p)
		list[n].Base = &p[0]
		list[n].SetLen(len(p))
		n++
	}
	written, _, errno := syscall.RawSyscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&list[0])), uintptr(n))
	if errno != 0 {
		return 0, errno
	}
	return int(written), 0
}

func newDescriptor(family, kind int) (int, error) {
	fd, err := syscall.Socket(family, kind|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	return fd, os.NewSyscallError("socket", err)
}

func accept(fd int) (int, syscall.Sockaddr, error) {
	return syscall.Accept4(fd, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
}

// backlog is how many connections the system keeps for us until we take them.
func backlog() int {
	text, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil {
		return syscall.SOMAXCONN
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n <= 0 {
		return syscall.SOMAXCONN
	}
	return n
}

func keepAlive(fd, seconds int) {
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1)
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, seconds)
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, seconds)
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9)
}
