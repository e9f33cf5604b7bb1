package follow

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/seed8b1f0744/aio/refire/internal/mark"
)

// generation is a file that bears, or bore, the name.
type generation struct {
	f    *os.File
	seen *mark.Mark // the whole file at the last look. Whoever looks holds the File's mu

	// What the reader is not told yet: how often the file was truncated, and how many bytes that nobody had read were seen to go then.
	cuts   int
	unread int64
}

func newGeneration(f *os.File) *generation { return &generation{f: f, seen: mark.Of(f)} }

// changed reports whether the file was written to since the last look, as far as its size and time tell.
func (g *generation) changed() bool {
	info, err := g.f.Stat()
	return err == nil && (info.Size() != g.seen.Offset || !info.ModTime().Equal(g.seen.Written))
}

// look compares the file with what it was at the last look. read is how much of it was read, if it is the one being read.
func (g *generation) look(read int64) {
	now := mark.Of(g.f)
	if now.Offset >= g.seen.Offset && g.seen.Holds(g.f) { // asked last, so that now is no older and no newer
		g.seen = now
		return
	}
	g.cut(read)
}

// cut notes a truncation.
func (g *generation) cut(read int64) {
	if g.cuts > 0 {
		read = 0 // what was cut off before was a text of its own
	}
	g.cuts++
	g.unread += max(0, g.seen.Offset-read)
	g.seen = mark.Of(g.f)
}

// told takes what the reader is told of truncations; nil: there was none.
func (g *generation) told(read int64) error {
	if g.cuts == 0 {
		return nil
	}
	err := &TruncatedError{Read: read, Times: g.cuts, Unread: g.unread}
	g.cuts, g.unread = 0, 0
	return err
}

// TruncatedError is ErrTruncated with what is known.
type TruncatedError struct {
	Read   int64 // how much of the file was read by then
	Times  int   // how often it was truncated, 1 or more: as often as was noticed
	Unread int64 // how many bytes were there, and not read, when they were last looked for; more may have come after that
}

// Error implements error.
func (e *TruncatedError) Error() string {
	return fmt.Sprintf("%v, after %d bytes of it were read, and %d were not", ErrTruncated, e.Read, e.Unread)
}

// Unwrap returns ErrTruncated.
func (e *TruncatedError) Unwrap() error { return ErrTruncated }

// maxRoom bounds how far zeros are followed: a writer takes some hundred KB of room.
const maxRoom = 16 << 20

// written is how much of p, which was read at offset, is text: not the zeros at the end of a file whose writer takes room beforehand (IIS), and writes there
// later. Zeros with something behind them are as good as text.
func written(f io.ReaderAt, p []byte, offset int64) int {
	n := len(bytes.TrimRight(p, "\x00"))
	if n == len(p) {
		return n
	}
	buf := make([]byte, 64<<10)
	for at := offset + int64(len(p)); at < offset+maxRoom; {
		got, err := f.ReadAt(buf, at)
		if len(bytes.TrimRight(buf[:got], "\x00")) > 0 {
			return len(p)
		}
		if at += int64(got); err != nil {
			return n
		}
	}
	return len(p)
}
