package aionet

import (
	"errors"
	"io"
	"runtime"
	"sync"
	"syscall"
)

// pipe is what splice(2) wants between two connections. It is empty when nobody uses it.
type pipe struct {
	from, to int // to read from, and to write to
	forget   runtime.Cleanup
}

// pipes are lent for as long as something is moved; those that nobody needs go with the garbage.
var pipes sync.Pool

// pipeBytes is how much is moved at a time, if the system lets us have so much.
const pipeBytes = maxWriteBytes

const setPipeSize = 1031 // F_SETPIPE_SZ

// takePipe is a pipe, nil if there is none to be had.
func takePipe() *pipe {
	if p, ok := pipes.Get().(*pipe); ok {
		return p
	}
	var ends [2]int
	if syscall.Pipe2(ends[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK) != nil {
		return nil
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(ends[0]), setPipeSize, pipeBytes)
	p := &pipe{from: ends[0], to: ends[1]}
	p.forget = runtime.AddCleanup(p, closeEnds, ends)
	return p
}

func closeEnds(ends [2]int) { _, _ = syscall.Close(ends[0]), syscall.Close(ends[1]) }

// release gives the pipe back; one that is not empty is closed, and what is in it lost.
func (p *pipe) release(empty bool) {
	if empty {
		pipes.Put(p)
		return
	}
	p.forget.Stop()
	closeEnds([2]int{p.from, p.to})
}

// errNoSplice: copy it.
var errNoSplice = errors.New("aio: nothing that can be spliced")

const spliceNonblock = 2 // SPLICE_F_NONBLOCK

func spliceCall(from, to, most int) (int, syscall.Errno) {
	n, err := syscall.Splice(from, nil, to, nil, most, spliceNonblock)
	if err != nil {
		return 0, errnoOf(err)
	}
	return int(n), 0
}

// spliceOnce moves what there is from another connection to c, through a pipe that is taken when there is something
// and emptied. written is less than got if it fails.
func (c *Conn) spliceOnce(from *Conn, limit int64) (got, written int, err error) {
	var p *pipe
	o := operation{kind: opSplice}
	o.call = func(fd uintptr) (errno syscall.Errno) {
		if p = takePipe(); p == nil {
			return syscall.ENOSYS
		}
		if got, errno = spliceCall(int(fd), p.to, int(min(limit, pipeBytes))); got == 0 {
			p.release(true)
			p = nil
		}
		return errno
	}
	switch err := from.do(from.ctx, reading, &o); {
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOSYS):
		return 0, 0, errNoSplice
	case err != nil:
		return 0, 0, from.opError("read", err)
	case got == 0:
		return 0, 0, io.EOF
	}
	defer func() { p.release(written == got) }()
	unlock, err := c.lockWrites(c.ctx)
	if err != nil {
		return got, 0, c.opError("write", err)
	}
	defer unlock.Unlock()
	var once int
	o = operation{kind: opSplice}
	o.call = func(fd uintptr) (errno syscall.Errno) {
		once, errno = spliceCall(p.from, int(fd), got-written)
		return errno
	}
	for written < got {
		o.tried, o.over = false, false
		if err := c.do(c.ctx, writing, &o); err != nil {
			return got, written, c.opError("write", err)
		}
		if once == 0 {
			return got, written, io.ErrUnexpectedEOF
		}
		written += once
		moved("splice", once)
	}
	return got, written, nil
}
