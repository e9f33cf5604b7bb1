package aionet

import (
	"io"
	"math"
	"os"
	"reflect"
	"sync/atomic"
	"syscall"
)

// Files and connections are written to a connection without a detour through our memory: sendfile(2) and splice(2).

// onMove is told of each move, for tests: by which call, and how much.
var onMove atomic.Pointer[func(call string, n int)]

func moved(call string, n int) {
	if fn := onMove.Load(); fn != nil {
		(*fn)(call, n)
	}
}

// moveFrom writes what r has to c, if that is something that need not be read to be written. If over is false, the rest, which
// may be all, is to be copied: r stands behind the n bytes.
func (c *Conn) moveFrom(r io.Reader) (n int64, over bool, err error) {
	if !c.stream {
		return 0, false, nil
	}
	limit := int64(math.MaxInt64)
	part, _ := r.(*io.LimitedReader)
	if part != nil {
		if limit, r = part.N, part.R; limit <= 0 {
			return 0, true, nil
		}
	}
	if from, ok := r.(*Conn); ok && from.stream {
		n, over, err = c.splice(from, limit)
	} else if file := regularFile(r); file != nil {
		n, over, err = c.sendFile(file, limit)
	}
	if part != nil {
		part.N -= n
	}
	return n, over || n == limit, err
}

// moveTo is moveFrom the other way round, for io.Copy, which asks that side first.
func (c *Conn) moveTo(w io.Writer) (n int64, over bool, err error) {
	if to, ok := w.(*Conn); ok && to.stream && c.stream {
		return to.splice(c, math.MaxInt64)
	}
	return 0, false, nil
}

// regularFile is r's descriptor if it is a file of the file system's; nil if not. That of others, as pipes, may have
// to be waited for, which is not our business here.
func regularFile(r io.Reader) syscall.RawConn {
	if _, ok := r.(*os.File); !ok && (r == nil || reflect.TypeOf(r).PkgPath() != "os") { // who embeds a file may read something else; os itself only hides its WriteTo so
		return nil
	}
	of, ok := r.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := of.SyscallConn()
	if err != nil {
		return nil
	}
	var info syscall.Stat_t
	err = raw.Control(func(fd uintptr) {
		if syscall.Fstat(int(fd), &info) != nil {
			info.Mode = 0
		}
	})
	if err != nil || info.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return nil
	}
	return raw
}

// sendFile writes file, from where it stands to its end, whole as a Write is. Its offset moves with what was sent.
func (c *Conn) sendFile(file syscall.RawConn, limit int64) (n int64, over bool, err error) {
	unlock, err := c.lockWrites(c.ctx)
	if err != nil {
		return 0, true, c.opError("write", err)
	}
	defer unlock.Unlock()
	var once int
	o := operation{kind: opSendfile}
	o.call = func(to uintptr) (errno syscall.Errno) {
		err := file.Control(func(from uintptr) {
			var err error
			once, err = syscall.Sendfile(int(to), int(from), nil, int(min(limit-n, maxWriteBytes)))
			errno = errnoOf(err)
		})
		if err != nil {
			return syscall.EBADF // closed meanwhile
		}
		return errno
	}
	for n < limit {
		o.tried, o.over, once = false, false, 0
		err := c.do(c.ctx, writing, &o)
		if isOfFile(err) {
			return n, false, nil
		}
		if err != nil {
			return n, true, c.opError("write", err)
		}
		if once <= 0 { // the end; or one of /proc's, which have a size of zero
			return n, n > 0, nil
		}
		n += int64(once)
		moved("sendfile", once)
	}
	return n, true, nil
}

// isOfFile reports whether err is not the connection's: the file can't be sent so, or not be read, which its Read
// will tell.
func isOfFile(err error) bool {
	e, ok := err.(*os.SyscallError)
	if !ok {
		return false
	}
	switch e.Err {
	case syscall.EINVAL, syscall.ENOSYS, syscall.EOPNOTSUPP, syscall.EPERM, syscall.EBADF, syscall.EIO, syscall.ESPIPE, syscall.EOVERFLOW:
		return true
	}
	return false
}

// splice writes what comes from another connection. What comes in small pieces is read and written, which takes
// less; once so much comes that our buffer is full it goes through a pipe, as long as it does. As when it is
// copied, what was taken from the one and could not be written to the other is lost.
func (c *Conn) splice(from *Conn, limit int64) (n int64, over bool, err error) {
	for limit-n >= copyBytes {
		got, written, err := passOn(c, from)
		n += int64(written)
		if err == io.EOF {
			return n, true, nil
		}
		if err != nil {
			return n, true, err
		}
		for bulk := got == copyBytes; bulk && limit-n >= copyBytes; {
			got, written, err := c.spliceOnce(from, limit-n)
			n += int64(written)
			if err == errNoSplice {
				return n, false, nil
			}
			if err == io.EOF {
				return n, true, nil
			}
			if err != nil {
				return n, true, err
			}
			bulk = got >= copyBytes
		}
	}
	return n, false, nil
}
