package aionet

import "syscall"

// noSignal has a write to a connection that is broken fail, without a signal.
func noSignal(fd int) { _ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_NOSIGPIPE, 1) }

func keepAliveEvery(fd, seconds int) {
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPALIVE, seconds)
}
