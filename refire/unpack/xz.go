package unpack

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
)

// xzStream unpacks xz streams, one after the other, as "The .xz File Format", version 1.2.1, has them. Of the library it takes the LZMA2 decoder; the container is
// read here, because the library's takes as much memory as each block asks for, and keeps a record of each.
type xzStream struct {
	in    *input
	begun bool // a stream's header is read
	flags [2]byte
	sum   func() hash.Hash // the check of each block; nil: there is none
	block *xzBlock
	data  lzma2

	count   uint64    // blocks in this stream
	records hash.Hash // of their sizes, to be compared with the index
}

const xzMagic = "\xfd7zXZ\x00"

var errXZ = errors.New("its data is damaged")

func (s *xzStream) Read(p []byte) (int, error) {
	for {
		switch {
		case s.block != nil:
			n, err := s.block.read(p)
			if err == io.EOF {
				s.count++
				record(s.records, s.block.size())
				s.block = nil
				err = nil
			}
			if n > 0 || err != nil {
				return n, cut(err)
			}
		case !s.begun:
			if err := s.begin(); err != nil {
				return 0, cut(err)
			}
		default:
			more, err := s.next()
			if err != nil || !more {
				return 0, ended(err)
			}
		}
	}
}

// begin reads a stream's header.
func (s *xzStream) begin() error {
	var head [12]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return err
	}
	if string(head[:6]) != xzMagic || crc32.ChecksumIEEE(head[6:8]) != binary.LittleEndian.Uint32(head[8:]) || head[6] != 0 || head[7] > 15 {
		return errXZ
	}
	s.begun, s.flags, s.count, s.records = true, [2]byte(head[6:8]), 0, sha256.New()
	switch s.flags[1] {
	case 0:
		s.sum = nil
	case 1:
		s.sum = func() hash.Hash { return crc32.NewIEEE() }
	case 4:
		s.sum = func() hash.Hash { return crc64.New(crc64ECMA) }
	case 10:
		s.sum = sha256.New
	default:
		return fmt.Errorf("its checksums are of a kind (%d) that is not known", s.flags[1])
	}
	return nil
}

var crc64ECMA = crc64.MakeTable(crc64.ECMA)

// next begins the next block, or ends the stream and reports whether another one follows.
func (s *xzStream) next() (bool, error) {
	size, err := s.in.ReadByte()
	if err != nil {
		return false, cut(err)
	}
	if size != 0 {
		s.block, err = s.openBlock(size)
		return true, cut(err)
	}
	if err := s.end(); err != nil {
		return false, cut(err)
	}
	s.begun = false
	return s.in.more(xzMagic)
}

// openBlock reads a block's header, after its first byte.
func (s *xzStream) openBlock(size byte) (*xzBlock, error) {
	head := make([]byte, (int(size)+1)*4)
	head[0] = size
	if _, err := io.ReadFull(s.in, head[1:]); err != nil {
		return nil, err
	}
	body, sum := head[:len(head)-4], head[len(head)-4:]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(sum) {
		return nil, errXZ
	}
	b := &xzBlock{in: s.in, data: &s.data, head: int64(len(head)), wantPacked: -1, wantUnpacked: -1}
	flags, rest := body[1], bytes.NewReader(body[2:])
	if flags&0x3c != 0 {
		return nil, errXZ
	}
	if flags&0x40 != 0 {
		b.wantPacked = vli(rest)
	}
	if flags&0x80 != 0 {
		b.wantUnpacked = vli(rest)
	}
	if flags&3 != 0 {
		return nil, errors.New("it uses a filter besides LZMA2, which is not known here")
	}
	id, length := vli(rest), vli(rest)
	if id != 0x21 || length != 1 {
		return nil, fmt.Errorf("it uses a filter (%#x) that is not known here", id)
	}
	code, _ := rest.ReadByte()
	window := int64(1)<<32 - 1
	if code > 40 {
		return nil, errXZ
	} else if code < 40 {
		window = int64(2|code&1) << (code/2 + 11)
	}
	if window > MaxWindowBytes {
		return nil, &LimitError{XZ, window}
	}
	if s.sum != nil {
		b.sum = s.sum()
		b.check = int64(b.sum.Size())
	}
	s.data.begin(s.in, int(window))
	return b, nil
}

// vli reads a number of up to 63 bits; -1: there is none.
func vli(r io.ByteReader) int64 {
	n, err := binary.ReadUvarint(r)
	if err != nil || n > 1<<63-1 {
		return -1
	}
	return int64(n)
}

// record adds what the index says about a block to h.
func record(h hash.Hash, size [2]int64) {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], uint64(size[0]))
	binary.LittleEndian.PutUint64(b[8:], uint64(size[1]))
	h.Write(b[:])
}

// end reads the index, after its first byte, and the footer.
func (s *xzStream) end() error {
	sum := crc32.NewIEEE()
	index := &summed{in: s.in, sum: sum}
	index.add(0)
	count, err := binary.ReadUvarint(index)
	if err != nil || count != s.count {
		return either(err, errXZ)
	}
	records := sha256.New()
	for range count {
		packed, unpacked := vli(index), vli(index)
		if packed < 0 || unpacked < 0 {
			return either(index.err, errXZ)
		}
		record(records, [2]int64{packed, unpacked})
	}
	for index.n%4 != 0 {
		if c, err := index.ReadByte(); err != nil || c != 0 {
			return either(err, errXZ)
		}
	}
	want := sum.Sum32()
	var foot [16]byte // the index's checksum, then the footer
	if _, err := io.ReadFull(s.in, foot[:]); err != nil {
		return err
	}
	number := binary.LittleEndian.Uint32
	if number(foot[:]) != want || number(foot[4:]) != crc32.ChecksumIEEE(foot[8:14]) || string(foot[14:]) != "YZ" ||
		[2]byte(foot[12:14]) != s.flags || (int64(number(foot[8:]))+1)*4 != index.n+4 || !bytes.Equal(records.Sum(nil), s.records.Sum(nil)) {
		return errXZ
	}
	return nil
}

func either(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// summed reads bytes and adds them to a checksum.
type summed struct {
	in  *input
	sum hash.Hash32
	n   int64
	err error
}

func (s *summed) ReadByte() (byte, error) {
	c, err := s.in.ReadByte()
	if err != nil {
		s.err = cut(err)
		return 0, s.err
	}
	s.add(c)
	return c, nil
}

func (s *summed) add(c byte) {
	s.sum.Write([]byte{c})
	s.n++
}
