package procpool

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	maxLine = 64 << 10 // bytes; a longer line is passed on in pieces, each a line
	maxTail = 16 << 10 // bytes of a worker's last lines that are kept
)

// lines is where the stderr of all workers of a pool goes: whole lines, so that they do not mix.
type lines struct {
	mu sync.Mutex
	to io.Writer // guarded by mu
}

// pass writes whole lines. An error of the writer is not the worker's business, which would stand
// still if its stderr were not read.
func (l *lines) pass(p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.to.Write(p)
}

// stderrCopy passes on what a worker writes to stderr, and keeps the last of it.
type stderrCopy struct {
	to   *lines
	done chan struct{} // closed at the end of stderr
	mu   sync.Mutex
	tail []byte // guarded by mu
}

// copy copies until the end of r.
func (s *stderrCopy) copy(r io.Reader) {
	defer close(s.done)
	buf := make([]byte, 0, 4<<10)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if end := bytes.LastIndexByte(buf, '\n') + 1; end > 0 {
			s.pass(buf[:end])
			buf = buf[:copy(buf, buf[end:])]
		}
		switch {
		case err != nil:
			if len(buf) > 0 {
				s.pass(append(buf, '\n'))
			}
			return
		case len(buf) == cap(buf) && cap(buf) >= maxLine:
			s.pass(append(buf, '\n'))
			buf = buf[:0]
		case len(buf) == cap(buf):
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
	}
}

func (s *stderrCopy) pass(p []byte) {
	s.mu.Lock()
	s.tail = append(s.tail, p...)
	if len(s.tail) > 4*maxTail {
		s.tail = s.tail[:copy(s.tail, s.tail[len(s.tail)-maxTail:])]
	}
	s.mu.Unlock()
	s.to.pass(p)
}

// last is the last lines, so far.
func (s *stderrCopy) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	tail := s.tail
	if len(tail) > maxTail {
		tail = tail[len(tail)-maxTail:]
		if _, whole, ok := bytes.Cut(tail, []byte("\n")); ok && len(whole) > 0 {
			tail = whole
		}
	}
	return strings.TrimRight(printable(string(tail)), "\n")
}

// printable makes of whatever a crashing process wrote what may be shown on a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r != utf8.RuneError && unicode.IsPrint(r) {
			return r
		}
		if r == '\r' {
			return -1
		}
		return utf8.RuneError
	}, s)
}
