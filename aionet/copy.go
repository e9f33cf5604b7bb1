package aionet

import (
	"io"
	"net"
	"sync"
)

// copyBytes is how much is moved at a time.
const copyBytes = 32 << 10

// copyBuffers are lent for as long as something is moved.
var copyBuffers = sync.Pool{New: func() any { return new([copyBytes]byte) }}

// WriteTo writes all that comes to w, until the end of the stream: it implements io.WriterTo, for
// io.Copy. It waits as Read does: it suspends a task and blocks any other goroutine. While there is nothing to read
// it holds no buffer. What was read and could not be written is lost. To another Conn much data goes by splice(2)
// on Linux, without being copied; little does not, which takes less.
//
// Datagrams of up to 64 KiB are written one by one, until there is an error.
func (c *Conn) WriteTo(w io.Writer) (n int64, err error) {
	if !c.stream {
		return c.writeDatagramsTo(w)
	}
	n, over, err := c.moveTo(w)
	for !over && err == nil {
		var written int
		_, written, err = passOn(w, c)
		n += int64(written)
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// passOn writes what there is to be read from c to w, by a buffer that is lent for so long. At the end of the stream it is
// io.EOF.
func passOn(w io.Writer, c *Conn) (got, written int, err error) {
	buf, got, err := c.readBorrowed(c.ctx)
	if err == io.EOF {
		return 0, 0, err
	}
	if err != nil {
		return 0, 0, c.opError("read", err)
	}
	written, err = w.Write(buf[:got])
	copyBuffers.Put(buf)
	if err == nil && written < got {
		err = io.ErrShortWrite
	}
	return got, written, err
}

// maxDatagramBytes is more than any of UDP's.
const maxDatagramBytes = 64 << 10

func (c *Conn) writeDatagramsTo(w io.Writer) (n int64, err error) {
	buf := make([]byte, maxDatagramBytes)
	for {
		m, err := c.Read(buf)
		if err != nil {
			return n, err
		}
		written, err := w.Write(buf[:m])
		n += int64(written)
		if err == nil && written < m {
			err = io.ErrShortWrite
		}
		if err != nil {
			return n, err
		}
	}
}

// ReadFrom writes all that r has to the connection: it implements io.ReaderFrom, for io.Copy. It waits
// as Write does, and where r's Read does: it suspends a task and blocks any other goroutine. What was read and
// could not be written is lost.
//
// On Linux what comes from a regular file, an *os.File or an io.LimitedReader of one, is sent by sendfile(2): the file then
// stands behind what was written, and nothing is lost. That is one Write, so that no other one comes in between; the file is
// read on the calling goroutine, as by its Read, so that a slow disk holds the loop. From another Conn of a stream it is as in
// [Conn.WriteTo].
//
// From *net.Buffers it is a vectored write, whole as a Write is, and what was written is taken out of
// them: c.ReadFrom(&buffers). Their own WriteTo, and so io.Copy, knows the fast ways of package net's
// connections only, and makes a Write for each buffer. Of datagrams each buffer is one.
func (c *Conn) ReadFrom(r io.Reader) (n int64, err error) {
	if v, ok := r.(*net.Buffers); ok && !c.stream {
		return v.WriteTo(c)
	} else if ok {
		n, err := c.writeBuffers(c.ctx, v)
		if err != nil {
			err = c.opError("write", err)
		}
		return int64(n), err
	}
	n, over, err := c.moveFrom(r)
	if over || err != nil {
		return n, err
	}
	buf := copyBuffers.Get().(*[copyBytes]byte)
	defer copyBuffers.Put(buf)
	for {
		m, rerr := r.Read(buf[:])
		if m > 0 {
			written, err := c.Write(buf[:m])
			n += int64(written)
			if err != nil {
				return n, err
			}
		}
		if rerr == io.EOF {
			return n, nil
		}
		if rerr != nil {
			return n, rerr
		}
	}
}
