package unpack

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"slices"

	"github.com/ulikunitz/xz/lzma"
)

// xzBlock unpacks one block.
type xzBlock struct {
	in                       *input
	head                     int64 // bytes of its header
	wantPacked, wantUnpacked int64 // -1: the header does not say
	unpacked                 int64
	check                    int64 // bytes of its checksum
	sum                      hash.Hash
	data                     *lzma2
}

// size is what the index says about the block.
func (b *xzBlock) size() [2]int64 { return [2]int64{b.head + b.data.packed + b.check, b.unpacked} }

// read returns io.EOF only where the block has ended as it should.
func (b *xzBlock) read(p []byte) (int, error) {
	n, err := b.data.unpack(p)
	b.unpacked += int64(n)
	if b.sum != nil {
		b.sum.Write(p[:n])
	}
	if err != io.EOF {
		return n, err
	}
	return n, b.end()
}

func (b *xzBlock) end() error {
	padding := -b.data.packed & 3
	tail := make([]byte, padding+b.check)
	if _, err := io.ReadFull(b.in, tail); err != nil {
		return cut(err)
	}
	var sum []byte
	if b.sum != nil {
		sum = b.sum.Sum(nil)
		if b.check < sha256.Size { // the numbers are written with their low byte first
			slices.Reverse(sum)
		}
	}
	switch {
	case !bytes.Equal(tail[:padding], make([]byte, padding)), !bytes.Equal(tail[padding:], sum):
		return errXZ
	case b.wantPacked >= 0 && b.wantPacked != b.data.packed, b.wantUnpacked >= 0 && b.wantUnpacked != b.unpacked:
		return errXZ
	}
	return io.EOF
}

// lzma2 unpacks what is in blocks, one after the other. The library's decoder, and with it the window, is kept from one to the next: an archive may be
// made of tiny blocks that ask for a large window each. A decoder cannot be begun anew, so it is never shown a block's end: it sees chunks only, and those
// where a block begins make it forget what was before.
type lzma2 struct {
	in     *input
	packed int64 // bytes taken of this block
	left   int   // bytes that the chunk will still be unpacked to

	window      int
	decoder     *lzma.Reader2 // nil: none has this window yet
	knowsWindow bool          // a chunk of this block has emptied the window
	knowsCoding bool          // a chunk of this block has set the coder's properties
}

// begin begins a block.
func (d *lzma2) begin(in *input, window int) {
	d.in, d.packed, d.left, d.knowsWindow, d.knowsCoding = in, 0, 0, false, false
	if window > d.window {
		d.window, d.decoder = window, nil
	}
}

// unpack is a block's Read. At the block's end it returns io.EOF.
func (d *lzma2) unpack(p []byte) (int, error) {
	if d.left == 0 {
		if err := d.chunk(); err != nil {
			return 0, err
		}
	}
	n, err := d.decoder.Read(p[:min(len(p), d.left)])
	d.left -= n
	return n, cut(err)
}

// chunk looks at the head of the next chunk, and leaves it to the decoder. It returns io.EOF where the block ends.
//
// A head is a byte that says what the chunk begins with, and the size of what is in it less one, of which five more bits are in the first byte if the chunk is
// packed.
func (d *lzma2) chunk() error {
	head, err := d.in.Peek(1)
	if err != nil {
		return cut(err)
	}
	const (
		end               = 0
		copied            = 1 // with an empty window
		copiedOn          = 2
		packed            = 0x80
		packedWithCoding  = 0xc0
		packedFromNothing = 0xe0
	)
	kind := head[0]
	switch {
	case kind == end:
		_, _ = d.ReadByte()
		return io.EOF
	case kind > copiedOn && kind < packed:
		return errXZ
	case kind == copied, kind >= packedFromNothing:
		d.knowsWindow = true
	}
	d.knowsCoding = d.knowsCoding || kind >= packedWithCoding
	if !d.knowsWindow || !d.knowsCoding && kind >= packed {
		return errXZ
	}
	if head, err = d.in.Peek(3); err != nil {
		return cut(err)
	}
	d.left = int(binary.BigEndian.Uint16(head[1:])) + 1
	if kind >= packed {
		d.left += int(kind&0x1f) << 16
	}
	if d.decoder == nil {
		d.decoder, err = lzma.Reader2Config{DictCap: max(d.window, lzma.MinDictCap)}.NewReader2(d)
	}
	return err
}

// Read is where the decoder reads.
func (d *lzma2) Read(p []byte) (int, error) {
	n, err := d.in.Read(p)
	d.packed += int64(n)
	return n, err
}

// ReadByte implements io.ByteReader.
func (d *lzma2) ReadByte() (byte, error) {
	c, err := d.in.ReadByte()
	if err == nil {
		d.packed++
	}
	return c, err
}
