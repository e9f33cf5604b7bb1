package unpack

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// MaxWindowBytes is how far back an archive may refer to, and so how much memory it may ask for: what the zstd command takes without being told to take more, and
// twice what xz -9 makes.
const MaxWindowBytes = 128 << 20

// packedBytes is how much of an archive is read at once.
const packedBytes = 128 << 10

// Error is a fault of an archive. All that could be unpacked before it was read.
type Error struct {
	Kind     Kind
	Packed   int64 // where in the archive the fault was met, in bytes
	Unpacked int64 // how many bytes were unpacked before it
	Err      error // what is wrong
}

// ErrCutShort is wrapped by the Error of an archive that ends before its end.
var ErrCutShort = errors.New("it is cut short")

// ErrTrailing is wrapped by the Error of an archive that is followed by something else.
var ErrTrailing = errors.New("something else follows it")

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("unpack: %v: at byte %d, after %d unpacked bytes: %v", e.Kind, e.Packed, e.Unpacked, e.Err)
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// LimitError says that an archive asks for more memory than MaxWindowBytes. It is wrapped by an Error.
type LimitError struct {
	Kind  Kind
	Bytes int64 // what it asks for
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("it asks for a window of %d MiB, and the limit is %d MiB", (e.Bytes+1<<20-1)>>20, MaxWindowBytes>>20)
}

// NestedError says that an archive holds another one. It is wrapped by an Error.
type NestedError struct{ Outer, Inner Kind }

// Error implements error.
func (e *NestedError) Error() string {
	return fmt.Sprintf("it holds %v inside %v, and one layer is unpacked", e.Inner, e.Outer)
}

// Reader unpacks a stream. Its methods must not be called concurrently, but for Packed.
type Reader struct {
	kind     Kind
	in       *input
	out      io.Reader
	unpacked int64
	head     []byte // unpacked to look at it, not handed out yet
	looked   bool
	err      error // after head
}

// NewReader unpacks r, of a kind that CanRead; Plain is passed through. It reads nothing before the first Read, and does not close r.
func NewReader(r io.Reader, kind Kind) *Reader {
	z := &Reader{kind: kind, in: newInput(r)}
	switch kind {
	case Plain:
		z.out, z.looked = z.in, true
	case Gzip:
		z.out = &gzipStream{in: z.in}
	case Zstd:
		z.out = &zstdStream{in: z.in}
	case Bzip2:
		z.out = bzip2.NewReader(z.in)
	case XZ:
		z.out = &xzStream{in: z.in}
	default:
		z.err, z.looked = &Error{Kind: kind, Err: errors.New("this kind is not unpacked")}, true
	}
	return z
}

// Packed is how many bytes of the archive are used up. From any goroutine.
func (z *Reader) Packed() int64 { return z.in.used.Load() }

// Close frees what unpacking holds; it does not close the stream. It never fails.
func (z *Reader) Close() error {
	if s, ok := z.out.(*zstdStream); ok && s.z != nil {
		s.z.Close()
	}
	z.out, z.head, z.err = nil, nil, io.ErrClosedPipe
	return nil
}

// Read implements io.Reader. Its error is io.EOF, that of the stream below, or an *Error.
func (z *Reader) Read(p []byte) (int, error) {
	if !z.looked {
		z.look()
	}
	if len(z.head) > 0 {
		n := copy(p, z.head)
		z.head = z.head[n:]
		z.unpacked += int64(n)
		return n, nil
	}
	n, err := z.read(p)
	z.unpacked += int64(n)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, z.fault(err)
}

func (z *Reader) read(p []byte) (n int, err error) {
	if z.err != nil {
		return 0, z.err
	}
	n, z.err = z.out.Read(p)
	z.in.note()
	return n, z.err
}

// look unpacks the first bytes and refuses what is packed once more.
func (z *Reader) look() {
	z.looked = true
	head := make([]byte, 4<<10)
	n := 0
	for tries := 0; n < MagicBytes && z.err == nil && tries < 100; tries++ {
		var got int
		got, _ = z.read(head[n:])
		n += got
	}
	z.head = head[:n]
	if inner := Recognise(z.head); inner != Plain {
		z.head, z.err = nil, &NestedError{z.kind, inner}
	}
}

// fault makes an *Error of what a decoder says.
func (z *Reader) fault(err error) error {
	var known *Error
	var limit *LimitError
	switch {
	case errors.As(err, &known):
		return err
	case z.in.err != nil && z.in.err != io.EOF:
		return z.in.err // not the archive's
	case errors.As(err, &limit):
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		err = ErrCutShort
	case err == bzip2.StructuralError("bad magic value in continuation file"):
		err = ErrTrailing
	}
	z.err = &Error{Kind: z.kind, Packed: z.in.used.Load(), Unpacked: z.unpacked, Err: err}
	return z.err
}

// input is the packed stream: buffered, so that decoders take no more of it than they use, and counted.
type input struct {
	*bufio.Reader
	r    io.Reader
	got  int64 // read from r
	err  error // with which that ended
	used atomic.Int64
}

func newInput(r io.Reader) *input {
	in := &input{r: r}
	in.Reader = bufio.NewReaderSize(source{in}, packedBytes)
	return in
}

// note notes how much is used up.
func (in *input) note() { in.used.Store(in.got - int64(in.Buffered())) }

// source is what the buffer reads from.
type source struct{ in *input }

func (s source) Read(p []byte) (int, error) {
	n, err := s.in.r.Read(p)
	s.in.got += int64(n)
	if err != nil {
		s.in.err = err
	}
	return n, err
}

// more reports whether another archive follows, which begins with magic, after any number of zero bytes.
func (in *input) more(magic string) (bool, error) {
	for {
		next, err := in.Peek(1)
		switch {
		case err == io.EOF:
			return false, nil
		case err != nil:
			return false, err
		case next[0] == 0:
			in.Discard(1)
			continue
		}
		next, err = in.Peek(len(magic))
		if string(next) == magic {
			return true, nil
		}
		if err != nil && err != io.EOF {
			return false, err
		}
		if len(next) < len(magic) && string(next) == magic[:len(next)] {
			return false, io.ErrUnexpectedEOF
		}
		return false, ErrTrailing
	}
}
