package unpack

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
)

// zstdStream unpacks zstd frames, one after the other, as RFC 8878 has them. Where a frame ends is found here and not by the decoder: that takes a few
// bytes after the last frame for the end, and what it says about a huge window does not say how huge.
type zstdStream struct {
	in    *input
	z     *zstd.Decoder
	frame *zstdFrame
}

const zstdMagic = "\x28\xb5\x2f\xfd"

func (s *zstdStream) Read(p []byte) (int, error) {
	for {
		if s.frame == nil {
			more, err := s.next()
			if err != nil || !more {
				return 0, ended(err)
			}
		}
		n, err := s.z.Read(p)
		if err == io.EOF {
			if err = nil; !s.frame.ended() {
				err = io.ErrUnexpectedEOF
			}
			s.frame = nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next finds the next frame, and reports false where there is none.
func (s *zstdStream) next() (bool, error) {
	for {
		head, err := s.in.Peek(4)
		if err == nil && head[0]&0xf0 == 0x50 && string(head[1:]) == "\x2a\x4d\x18" {
			if err := s.skip(); err != nil {
				return false, cut(err)
			}
			continue
		}
		if more, err := s.in.more(zstdMagic); err != nil || !more {
			return false, err
		}
		return true, s.open()
	}
}

// skip passes over a frame that is not for us.
func (s *zstdStream) skip() error {
	var head [8]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, s.in, int64(binary.LittleEndian.Uint32(head[4:])))
	return err
}

// open reads the header of a frame without taking it, and has it unpacked.
func (s *zstdStream) open() error {
	head, err := s.in.Peek(zstd.HeaderMaxSize)
	if err != nil && err != io.EOF {
		return err
	}
	var h zstd.Header
	switch err := h.Decode(head); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case err != nil:
		return errors.New("its frame has no header that can be read")
	case h.DictionaryID != 0:
		return errors.New("it was packed with a dictionary, without which it cannot be read")
	}
	window := h.WindowSize
	if h.SingleSegment {
		window = h.FrameContentSize
	}
	if window > MaxWindowBytes {
		return &LimitError{Zstd, int64(min(window, 1<<62))}
	}
	s.frame = &zstdFrame{in: s.in, left: int64(h.HeaderSize), sum: h.HasCheckSum}
	if s.z == nil {
		s.z, err = zstd.NewReader(s.frame, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(MaxWindowBytes), zstd.WithDecoderMaxMemory(1<<62))
		return err
	}
	return s.z.Reset(s.frame)
}

// zstdFrame reads one frame of the stream, block by block, and then ends.
type zstdFrame struct {
	in   *input
	left int64 // of what was begun: the header, a block with its header, the checksum
	last bool  // the last block was begun
	sum  bool  // a checksum is to come
}

// ended reports whether all of it was read.
func (f *zstdFrame) ended() bool { return f.left == 0 && f.last && !f.sum }

// Read implements io.Reader.
func (f *zstdFrame) Read(p []byte) (int, error) {
	if f.left == 0 {
		if err := f.begin(); err != nil {
			return 0, err
		}
	}
	n, err := f.in.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	return n, cut(err)
}

// begin looks at what comes next.
func (f *zstdFrame) begin() error {
	switch {
	case f.ended():
		return io.EOF
	case f.last:
		f.left, f.sum = 4, false
		return nil
	}
	head, err := f.in.Peek(3)
	if err != nil {
		return cut(err)
	}
	block := int64(head[0]) | int64(head[1])<<8 | int64(head[2])<<16
	f.last = block&1 != 0
	f.left = 3 + block>>3
	if block>>1&3 == 1 { // one byte, many times
		f.left = 3 + 1
	}
	return nil
}
