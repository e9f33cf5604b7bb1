// Package mark notices that a file is not what it was: that it was truncated, and perhaps is as long again as before.
package mark

import (
	"bytes"
	"io"
	"os"
	"time"
)

// Bytes is how much of a file is compared at its beginning, and as much at the end of what is known of it.
const Bytes = 1 << 10

// Mark is what is known of the first bytes of a file. The zero Mark knows nothing of it. It is for one goroutine at a time; a copy is another one.
type Mark struct {
	Offset  int64     // how many are known
	Written time.Time // when the file was written to last; by Of only

	head []byte // the first of them
	tail []byte // the last of them
	buf  [Bytes]byte
}

// Of is the mark at the end of a file. If that is truncated meanwhile, the mark does not hold, or is that of the new text.
func Of(f *os.File) *Mark {
	m := new(Mark)
	for range 3 {
		if info, err := f.Stat(); err == nil {
			m.Offset, m.Written = info.Size(), info.ModTime()
		}
		n := min(m.Offset, Bytes)
		m.head, m.tail = readAt(f, make([]byte, n), 0), readAt(f, make([]byte, n), m.Offset-n)
		if int64(len(m.head)) == n && int64(len(m.tail)) == n {
			break
		}
	}
	return m
}

func readAt(f io.ReaderAt, p []byte, at int64) []byte {
	n, _ := f.ReadAt(p, at)
	return p[:n]
}

// Holds reports whether the file still is what it was up to Offset, as far as its first and its last bytes tell. Asked after reading more, it says whether that
// follows: whoever writes a file anew begins at its beginning.
func (m *Mark) Holds(f io.ReaderAt) bool {
	return m.same(f, m.head, 0) && m.same(f, m.tail, m.Offset-int64(len(m.tail)))
}

// same compares up to the first zero: a writer that takes room beforehand (IIS) writes over those.
func (m *Mark) same(f io.ReaderAt, want []byte, at int64) bool {
	if i := bytes.IndexByte(want, 0); i >= 0 {
		want = want[:i]
	}
	return bytes.Equal(readAt(f, m.buf[:len(want)], at), want)
}

// Add takes in what was read from Offset on.
func (m *Mark) Add(p []byte) {
	if int64(len(m.head)) == m.Offset {
		m.head = append(m.head, p[:min(len(p), Bytes-len(m.head))]...)
	}
	m.Offset += int64(len(p))
	keep := max(0, min(len(m.tail), Bytes-len(p)))
	m.tail = append(m.tail[:0], m.tail[len(m.tail)-keep:]...)
	m.tail = append(m.tail, p[max(0, len(p)-Bytes):]...)
}
