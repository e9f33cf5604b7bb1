package main

import (
	"context"
	"io"
)

// interruptible is a reader that reads ahead in a goroutine of its own, so that unpacking has a core to itself, and that gives up when ctx ends, although a
// read of a pipe or a terminal cannot be interrupted: that read is left behind, until the program ends.
type interruptible struct {
	ctx  context.Context
	r    io.Reader
	done chan struct{} // closed when the goroutine has ended

	free chan []byte
	got  chan chunk
	buf  []byte // rest's
	rest []byte // of buf, not handed out yet
	err  error  // after rest
}

type chunk struct {
	data []byte
	err  error
}

const (
	chunkBytes  = 256 << 10
	chunksAhead = 4
)

// newInterruptible reads r from now on.
func newInterruptible(ctx context.Context, r io.Reader) *interruptible {
	i := &interruptible{ctx: ctx, r: r, done: make(chan struct{}), free: make(chan []byte, chunksAhead), got: make(chan chunk, chunksAhead)}
	for range chunksAhead {
		i.free <- nil
	}
	go i.read()
	return i
}

// Read implements io.Reader.
func (i *interruptible) Read(p []byte) (int, error) {
	for len(i.rest) == 0 {
		if i.err != nil {
			return 0, i.err
		}
		if i.buf != nil {
			i.free <- i.buf // never blocks: there are as many places as buffers
			i.buf = nil
		}
		select {
		case c := <-i.got:
			i.buf, i.rest, i.err = c.data, c.data, c.err
		case <-i.ctx.Done():
			i.err = context.Cause(i.ctx)
		}
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

func (i *interruptible) read() {
	defer close(i.done)
	for {
		select {
		case buf := <-i.free:
			if buf == nil {
				buf = make([]byte, chunkBytes)
			}
			n, err := i.r.Read(buf[:cap(buf)])
			i.got <- chunk{buf[:n], err} // never blocks either
			if err != nil {
				return
			}
		case <-i.ctx.Done():
			return
		}
	}
}
