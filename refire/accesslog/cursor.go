package accesslog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
)

// readBytes is how much is read at once. It should fit, with room to spare, into a core's second-level cache: the walk then
// reads from there what the kernel has just written.
const readBytes = 256 << 10

// crossBytes is how much is read at once to find the end of a line that crosses the limit: these bytes are read twice, since the next
// stretch looks for its first line there.
const crossBytes = 4 << 10

// cursor cuts a stretch of a stream into whole lines and lets a walker see them. A stretch is made of the lines that *begin* in
// [start, limit); the last of them may end after the limit.
type cursor struct {
	read func(p []byte) (int, error) // the stream, from position offset+len(held) on
	step int                         // how much to read at once

	buf    []byte
	held   []byte // part of buf: read and not yet walked
	offset int64  // of held in the stream
	limit  int64
	seek   bool  // begin with the first line after offset
	err    error // what the last read returned; nothing is read after it

	first int64 // where the first line begins; -1: no line begins in the stretch
	end   int64 // where the last line ended
}

const noLimit = math.MaxInt64

// scan walks the stretch to its end, or until the walker is stopped. If live is set, the walker hands over what it has
// after every read. If who takes it panics, it is handed nothing more.
func (c *cursor) scan(ctx context.Context, w *walker, live bool) error {
	err := c.walk(ctx, w, live)
	w.flush()
	return err
}

func (c *cursor) walk(ctx context.Context, w *walker, live bool) error {
	if c.seek {
		if err := c.seekLine(ctx); err != nil {
			return err
		}
	}
	for c.offset < c.limit && !w.stopped {
		held := c.held
		if c.offset+int64(len(held)) > c.limit {
			held = held[:bytes.IndexByte(held, '\n')+1] // only the line that crosses the limit
		} else {
			held = held[:bytes.LastIndexByte(held, '\n')+1]
		}
		switch {
		case len(held) > 0:
			c.begin()
			w.walk(held, c.offset)
			c.take(len(held))
			if live {
				w.flush()
			}
		case c.err == io.EOF && len(c.held) > 0:
			c.begin()
			w.last(c.held, c.offset)
			c.take(len(c.held))
		case c.err == io.EOF:
			return nil
		case len(c.held) > w.maxLine:
			if err := c.skipLong(ctx, w); err != nil {
				return err
			}
		default:
			if err := c.fill(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin notes that a line begins here.
func (c *cursor) begin() {
	if c.first < 0 {
		c.first = c.offset
	}
}

// take drops the first n held bytes.
func (c *cursor) take(n int) {
	c.held = c.held[n:]
	c.offset += int64(n)
	c.end = c.offset
}

// fill reads once, behind the held bytes, and not beyond the limit unless a line crosses it. It returns an error only if nothing
// was read; the end of the stream is none.
func (c *cursor) fill(ctx context.Context) error {
	if c.err == nil {
		c.err = ctxError(ctx)
	}
	if c.err != nil {
		return ignoreEOF(c.err)
	}
	n := len(c.held)
	if n < len(c.buf) {
		copy(c.buf, c.held)
	} else {
		grown := make([]byte, max(2*n, c.step))
		copy(grown, c.held)
		c.buf = grown
	}
	room := c.buf[n:min(len(c.buf), n+c.step)]
	left := c.limit - c.offset - int64(n)
	if left <= 0 {
		left = crossBytes
	}
	room = room[:min(int64(len(room)), left)]
	var got int
	for tries := 0; got == 0 && c.err == nil; tries++ {
		if tries == 100 {
			c.err = io.ErrNoProgress
			break
		}
		got, c.err = c.read(room)
	}
	c.held = c.buf[:n+got]
	if got > 0 {
		return nil
	}
	return ignoreEOF(c.err)
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// ctxError is nil while ctx goes on; then it Is both ctx's error and its cause.
func ctxError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err != nil && cause != err {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// skipLong passes over a line that does not fit, of which held is the beginning.
func (c *cursor) skipLong(ctx context.Context, w *walker) error {
	c.begin()
	head, offset := bytes.Clone(c.held[:min(len(c.held), MaxRawBytes)]), c.offset
	terminated, err := c.skipLine(ctx)
	if err != nil {
		return err
	}
	length := c.offset - offset
	w.stats.Lines++
	w.stats.Bytes += length
	if terminated {
		length--
	} else {
		w.stats.Unterminated++
	}
	w.tooLong(head, offset, length)
	return nil
}

// skipLine drops everything up to and with the next newline, and reports whether there was one.
func (c *cursor) skipLine(ctx context.Context) (bool, error) {
	for {
		if i := bytes.IndexByte(c.held, '\n'); i >= 0 {
			c.take(i + 1)
			return true, nil
		}
		c.take(len(c.held))
		if c.err == io.EOF {
			return false, nil
		}
		if err := c.fill(ctx); err != nil {
			return false, err
		}
	}
}

// seekLine drops everything up to and with the next newline before the limit, or up to the limit.
func (c *cursor) seekLine(ctx context.Context) error {
	for {
		if i := bytes.IndexByte(c.held, '\n'); i >= 0 {
			c.take(i + 1)
			return nil
		}
		c.take(len(c.held))
		if c.offset >= c.limit || c.err == io.EOF {
			return nil
		}
		if err := c.fill(ctx); err != nil {
			return err
		}
	}
}
