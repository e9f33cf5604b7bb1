package procpool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// What travels between a pool and a worker are frames:
//
//	 0  "aio"
//	 3  version of this format
//	 4  kind
//	 5  zero, three times
//	 8  seq: the number of the call; an answer has that of its call
//	16  length of id, 4 bytes
//	20  length of name, 4 bytes
//	24  length of body, 8 bytes
//	32  memory: what the worker holds after the call, if it was asked to tell
//	40  id, name, body
//
// Numbers are little-endian. The version comes before anything that another one may have changed.
//
// All of it travels on a pipe, which takes half of a socket's time for a few bytes; but a body of more
// than oneWrite bytes follows on a socket, which takes a third of a pipe's time for many.
const (
	frameMagic   = "aio"
	frameVersion = 1
	frameHeader  = 40

	// maxFrameHead is how long id and name may be together.
	maxFrameHead = 64 << 10

	// oneWrite is the largest body that is copied behind its head, for one system call.
	oneWrite = 16 << 10
)

type frameKind byte

const (
	frameHello   frameKind = iota + 1 // worker: it serves; id is its build
	frameCall                         // pool: id, name and argument of a call
	frameOutcome                      // worker: body is the outcome
	frameRefused                      // worker: the outcome is too big; body says so
	frameGoexit                       // worker: the job called runtime.Goexit

	frameKinds
)

type frame struct {
	kind     frameKind
	seq      uint64
	memory   uint64
	id, name string
	body     []byte
}

// Errors of a frame that is not one, or not one of ours.
var (
	errNoFrame    = errors.New("aio: what came is no frame")
	errFrameLimit = errors.New("aio: a frame is larger than the limit")
)

// appendHead appends the frame without its body.
func (f *frame) appendHead(b []byte) []byte {
	b = append(b, frameMagic...)
	b = append(b, frameVersion, byte(f.kind), 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, f.seq)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.id)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.name)))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(f.body)))
	b = binary.LittleEndian.AppendUint64(b, f.memory)
	b = append(b, f.id...)
	return append(b, f.name...)
}

// frameWriter writes frames.
type frameWriter struct {
	to, bulk io.Writer
	buf      []byte
}

func newFrameWriter(to, bulk io.Writer) *frameWriter { return &frameWriter{to: to, bulk: bulk} }

// write writes a frame: in one call of Write, or in two to different writers.
func (w *frameWriter) write(f *frame) error {
	small := len(f.body) <= oneWrite
	if small {
		w.whole(f)
	} else {
		w.buf = f.appendHead(w.buf[:0])
	}
	if _, err := w.to.Write(w.buf); err != nil || small {
		return err
	}
	_, err := w.bulk.Write(f.body)
	return err
}

// whole is all of a frame whose body is small. It is good until another one is written.
func (w *frameWriter) whole(f *frame) []byte {
	w.buf = append(f.appendHead(w.buf[:0]), f.body...)
	return w.buf
}

// frameReader reads frames whose bodies have at most max bytes.
type frameReader struct {
	from   *bufio.Reader
	bulk   io.Reader
	max    int
	spare  *sync.Pool // of *[]byte, for large bodies; nil: none
	header [frameHeader]byte
}

func newFrameReader(from, bulk io.Reader, max int) *frameReader {
	return &frameReader{from: bufio.NewReader(from), bulk: bulk, max: max}
}

// whole reads what is there, from something that does not wait, and reports whether next need not wait
// for anything; otherwise begun tells whether there is a part of a frame.
func (r *frameReader) whole() (whole, begun bool) {
	h, err := r.from.Peek(frameHeader)
	if err != nil {
		return err != errNotNow, len(h) > 0
	}
	size := frameHeader + uint64(binary.LittleEndian.Uint32(h[16:])) + uint64(binary.LittleEndian.Uint32(h[20:]))
	body := binary.LittleEndian.Uint64(h[24:])
	if body > oneWrite || size+body > uint64(r.from.Size()) {
		return false, true
	}
	_, err = r.from.Peek(int(size + body))
	return err != errNotNow, true
}

// next reads a frame. It is io.EOF if there is none, io.ErrUnexpectedEOF if it is torn, errNoFrame or
// errFrameLimit if it is none that we take.
func (r *frameReader) next() (frame, error) {
	h := r.header[:]
	if _, err := io.ReadFull(r.from, h); err != nil {
		return frame{}, err
	}
	if string(h[:3]) != frameMagic {
		return frame{}, fmt.Errorf("%w: it begins with %q", errNoFrame, h[:8])
	}
	if h[3] != frameVersion {
		return frame{}, fmt.Errorf("%w: it is of version %d, ours is %d: the worker is another program", errNoFrame, h[3], frameVersion)
	}
	f := frame{kind: frameKind(h[4]), seq: binary.LittleEndian.Uint64(h[8:]), memory: binary.LittleEndian.Uint64(h[32:])}
	if f.kind < frameHello || f.kind >= frameKinds || h[5]|h[6]|h[7] != 0 {
		return frame{}, fmt.Errorf("%w: it is of kind %d", errNoFrame, h[4:8])
	}
	id, name := binary.LittleEndian.Uint32(h[16:]), binary.LittleEndian.Uint32(h[20:])
	body := binary.LittleEndian.Uint64(h[24:])
	if uint64(id)+uint64(name) > maxFrameHead {
		return frame{}, fmt.Errorf("%w: its head has %d bytes, at most %d may be", errFrameLimit, uint64(id)+uint64(name), maxFrameHead)
	}
	if body > uint64(r.max) {
		return frame{}, fmt.Errorf("%w: its body has %d bytes, at most %d may be", errFrameLimit, body, r.max)
	}
	return f, r.rest(&f, int(id), int(name), int(body))
}

// rest reads what follows the header.
func (r *frameReader) rest(f *frame, id, name, body int) error {
	if id+name > 0 {
		head := make([]byte, id+name)
		if err := take(r.from, head); err != nil {
			return err
		}
		f.id, f.name = string(head[:id]), string(head[id:])
	}
	if body <= oneWrite {
		f.body = make([]byte, body)
		return take(r.from, f.body)
	}
	f.body = r.room(body)
	return take(r.bulk, f.body)
}

// room is a buffer of n bytes, a used one if that is not much too large.
func (r *frameReader) room(n int) []byte {
	if r.spare != nil {
		if b, ok := r.spare.Get().(*[]byte); ok && n <= cap(*b) && cap(*b)/2 <= n {
			return (*b)[:n:n]
		}
	}
	return make([]byte, n)
}

// take fills b with bytes that must come.
func take(from io.Reader, b []byte) error {
	_, err := io.ReadFull(from, b)
	if err == io.EOF && len(b) > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}
