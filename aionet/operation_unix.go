//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"net"
	"syscall"
)

// operation is a call to the system that may have to be tried several times.
type operation struct {
	kind  uint8
	over  bool // nothing is left to do after a try that succeeded
	short bool // it got less than it asked for
	tried bool
	p     []byte
	n     int                            // bytes moved, or the descriptor that was accepted
	to    syscall.Sockaddr               // of opConnect, opSendTo; from opAccept, opReceiveFrom
	call  func(fd uintptr) syscall.Errno // of opCall, opSendfile, opSplice
	lent  *[copyBytes]byte               // of opBorrow, if n > 0
	vec   *net.Buffers                   // of opWritev; what was written is taken out
}

const (
	opRead uint8 = iota
	opWrite
	opAccept
	opConnect
	opCall
	opBorrow
	opWritev
	opSend
	opReceiveFrom
	opSendTo
	opSendfile
	opSplice
)

// name is that of the system's call.
func (o *operation) name() string {
	return [...]string{"read", "write", "accept", "connect", "poll", "read", "writev", "write", "recvfrom", "sendto", "sendfile", "splice"}[o.kind]
}

// try does it if that is possible now; EAGAIN if not.
func (o *operation) try(fd int) (errno syscall.Errno) {
	o.tried = true
	switch o.kind {
	case opRead:
		o.n, errno = sysRead(fd, o.p)
		o.over, o.short = true, o.n < len(o.p) && o.n > 0
		return errno
	case opWrite:
		n := 0
		if len(o.p) > 0 {
			n, errno = sysWrite(fd, o.p)
		}
		if errno == 0 {
			o.n += n
			o.p = o.p[n:]
		}
		o.over = len(o.p) == 0
		return errno
	case opAccept:
		var err error
		o.n, o.to, err = accept(fd)
		o.over = true
		if err == syscall.ECONNABORTED { // gone before we came
			return syscall.EINTR
		}
		return errnoOf(err)
	case opBorrow:
		buf := copyBuffers.Get().(*[copyBytes]byte)
		o.n, errno = sysRead(fd, buf[:])
		o.over, o.short = true, o.n < len(buf) && o.n > 0
		if o.n > 0 {
			o.lent = buf
		} else {
			copyBuffers.Put(buf)
		}
		return errno
	case opWritev:
		return o.writev(fd)
	case opSend, opReceiveFrom, opSendTo:
		return o.datagram(fd)
	case opConnect:
		return o.connect(fd)
	default:
		o.over = true
		return o.call(uintptr(fd))
	}
}

// writev writes several buffers.
func (o *operation) writev(fd int) syscall.Errno {
	consume(o.vec, 0)
	if len(*o.vec) > 0 {
		n, errno := sysWritev(fd, *o.vec)
		if errno != 0 {
			return errno
		}
		o.n += n
		consume(o.vec, n)
	}
	o.over = len(*o.vec) == 0
	return 0
}

// consume takes n bytes out of v, and what buffers are empty then.
func consume(v *net.Buffers, n int) {
	for len(*v) > 0 {
		first := &(*v)[0]
		if n < len(*first) {
			*first = (*first)[n:]
			return
		}
		n -= len(*first)
		*first = nil
		*v = (*v)[1:]
	}
}

// connect begins to connect, and then looks how it went.
func (o *operation) connect(fd int) syscall.Errno {
	o.over = true
	if o.to != nil {
		err := syscall.Connect(fd, o.to)
		if err == syscall.EINTR || err == syscall.EINPROGRESS || err == syscall.EALREADY {
			o.to = nil
			return syscall.EAGAIN
		}
		if err == syscall.EAGAIN { // a local one that is busy, which nobody tells the end of
			return syscall.ENOBUFS
		}
		return errnoOf(err)
	}
	v, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	if err != nil {
		return errnoOf(err)
	}
	switch errno := syscall.Errno(v); errno {
	case syscall.EINPROGRESS, syscall.EALREADY, syscall.EINTR:
		return syscall.EAGAIN
	case 0:
		if _, err := syscall.Getpeername(fd); err != nil {
			return syscall.EAGAIN // woken for nothing
		}
		return 0
	case syscall.EISCONN:
		return 0
	default:
		return errno
	}
}

func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := err.(syscall.Errno); ok {
		return errno
	}
	return syscall.EINVAL
}
