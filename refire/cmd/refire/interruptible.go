package main

import (
	"context"
	"io"
)

// interruptible is a reader that gives up when ctx ends, although a read of a pipe or a terminal cannot be interrupted: that read is left behind, until the
// program ends.
type interruptible struct {
	ctx context.Context
	r   io.Reader

	buf   []byte
	ask   chan []byte
	got   chan chunk
	asked bool   // buf is with the goroutine that reads
	rest  []byte // of buf, not handed out yet
	err   error  // after rest
}

type chunk struct {
	data []byte
	err  error
}

const chunkBytes = 256 << 10

func newInterruptible(ctx context.Context, r io.Reader) *interruptible {
	i := &interruptible{ctx: ctx, r: r, buf: make([]byte, chunkBytes), ask: make(chan []byte, 1), got: make(chan chunk, 1)}
	go i.read()
	return i
}

// Read implements io.Reader.
func (i *interruptible) Read(p []byte) (int, error) {
	for len(i.rest) == 0 {
		if i.err != nil {
			return 0, i.err
		}
		if !i.asked {
			i.ask <- i.buf
			i.asked = true
		}
		select {
		case c := <-i.got:
			i.rest, i.err, i.asked = c.data, c.err, false
		case <-i.ctx.Done():
			return 0, context.Cause(i.ctx)
		}
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

func (i *interruptible) read() {
	for {
		select {
		case buf := <-i.ask:
			n, err := i.r.Read(buf)
			i.got <- chunk{buf[:n], err} // never blocks: one answer for each question
			if err != nil {
				return
			}
		case <-i.ctx.Done():
			return
		}
	}
}
