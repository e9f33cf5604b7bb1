package accesslog

import "io"

// Tune makes the scanner read, share out and sample in pieces so small that a short test log crosses all their edges.
func (s *Scanner) Tune(step int, stride int64, sample int) *Scanner {
	s.step, s.stride, s.sample = step, stride, sample
	return s
}

// NewReaderAtScanner is NewFileScanner for a file that a test makes up: size is what Stat would have said.
func NewReaderAtScanner(f io.ReaderAt, size int64, opts Options) *Scanner {
	s := NewScanner(nil, opts)
	s.stream, s.file, s.size = nil, f, size
	return s
}
