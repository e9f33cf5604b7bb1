package unpack

import (
	"io"

	"github.com/klauspost/compress/gzip"
)

// gzipStream unpacks gzip members, one after the other.
type gzipStream struct {
	in *input
	z  *gzip.Reader
}

func (s *gzipStream) Read(p []byte) (int, error) {
	if s.z == nil {
		z, err := gzip.NewReader(s.in)
		if err != nil {
			return 0, cut(err)
		}
		s.z = z
		s.z.Multistream(false) // whether another one follows is ours to see: padding is none
	}
	for {
		n, err := s.z.Read(p)
		if n > 0 && err == io.EOF {
			return n, nil // it says so again
		}
		if err != io.EOF {
			return n, err
		}
		more, err := s.in.more("\x1f\x8b")
		if err != nil || !more {
			return 0, ended(err)
		}
		if err := s.z.Reset(s.in); err != nil {
			return 0, cut(err)
		}
		s.z.Multistream(false)
	}
}

// cut is an error within an archive: there its end is too early.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ended is what follows the last archive: the end, or err.
func ended(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}
