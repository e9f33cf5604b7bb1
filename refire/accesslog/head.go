package accesslog

import (
	"bytes"
	"io"
)

// prime reads the beginning of the log, once: what the IDs and the detection need.
func (s *Scanner) prime() {
	if s.primed {
		return
	}
	s.primed = true
	if s.file != nil {
		s.primeFile()
	} else {
		s.primeStream()
	}
	s.key = makeStreamKey(s.head)
	s.detected, s.reader = detect(s.head)
	if s.opts.Format != Auto {
		s.reader = reader{[]Format{s.opts.Format}, true}
	}
}

// primeFile reads as much as Detect looks at. If that is the whole file, the scan goes over these bytes, so that a file
// that grows meanwhile cannot have one first line for the IDs and another one for the scan.
func (s *Scanner) primeFile() {
	head := make([]byte, max(s.sample, MaxKeyBytes+1))
	n, err := s.file.ReadAt(head, 0)
	for err == nil && s.opts.Format == Auto && n >= maxDetectBytes && !IsSample(head) {
		more := make([]byte, 2*n)
		copy(more, head)
		var got int
		got, err = s.file.ReadAt(more[n:], int64(n))
		n += got
		head = more[:n]
	}
	s.head = head[:n]
	switch {
	case err == nil:
		return
	case err == io.EOF && int64(n) < s.size:
		err = shrunk(s.size, int64(n))
	}
	s.stream, s.file, s.err = nothing{}, nil, err
}

// primeStream reads until the first line is complete, or more of it than goes into the IDs.
func (s *Scanner) primeStream() {
	buf := make([]byte, max(s.sample, MaxKeyBytes+1))
	for tries := 0; len(s.head) <= MaxKeyBytes && bytes.IndexByte(s.head, '\n') < 0 && s.err == nil; tries++ {
		var n int
		n, s.err = s.stream.Read(buf[len(s.head):])
		s.head = buf[:len(s.head)+n]
		if n > 0 {
			tries = 0
		} else if tries == 100 && s.err == nil {
			s.err = io.ErrNoProgress
		}
	}
}

// nothing is a stream of which all there is has been read.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, io.EOF }
