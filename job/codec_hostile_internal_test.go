package job

import (
	"bytes"
	"testing"
)

// page marshals itself into memory that all pages share, as a type may that other encodings copy
// from at once.
type page struct{ Fill byte }

var pageBuf [2 * minApart]byte

func (p page) MarshalBinary() ([]byte, error) {
	for i := range pageBuf {
		pageBuf[i] = p.Fill
	}
	return pageBuf[:], nil
}

func (p *page) UnmarshalBinary(b []byte) error {
	p.Fill = b[0]
	if !bytes.Equal(b, bytes.Repeat(b[:1], len(pageBuf))) {
		p.Fill = 0
	}
	return nil
}

func TestCodec_methodsThatShareMemory(t *testing.T) {
	checkSame(t, []page{{1}, {2}, {3}})
}
