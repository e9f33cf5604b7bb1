package job

import (
	"bytes"
	"encoding/gob"
	"errors"
	"strings"
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

// Where an error is can be far inside: a page of that is enough, and why it is an error is there, too.
func TestCodec_longPaths(t *testing.T) {
	type link struct {
		Next  *link
		Value any
	}
	circle := new(link)
	circle.Next = circle
	var chain *link // of which the other side does not know the last value
	for range 5_000 {
		chain = &link{Next: chain}
	}
	last := chain
	for last.Next != nil {
		last = last.Next
	}
	last.Value = label("x")
	type words map[string]words
	loop := words{}
	loop[strings.Repeat("\u00e9", 90)] = loop
	for what, c := range map[string]struct {
		err  error
		want []string
	}{
		"a list that is a circle": {encodes(circle), []string{"*job.link.Next.Next.", ".Next[...].Next", "nested deeper than", "contain itself"}},
		"a long list":             {encodes(chain), []string{"*job.link.Next.Next.", ".Next[...].Next", ".Next.Value: it holds a job.label"}},
		"a map in itself":         {encodes(loop), []string{"words[\u00e9\u00e9", "\u00e9...][...][\u00e9", "nested deeper than"}},
	} {
		if c.err == nil {
			t.Errorf("%s: no error", what)
			continue
		}
		if text := c.err.Error(); len(text) > 1_000 || strings.Contains(text, "\ufffd") {
			t.Errorf("%s: a text of %d bytes, %.300q", what, len(text), text)
		}
		for _, want := range c.want {
			if !strings.Contains(c.err.Error(), want) {
				t.Errorf("%s: %.600q does not say %q", what, c.err, want)
			}
		}
	}
}

func encodes[T any](v T) error {
	_, err := new(codec[T]).encode(0, &v)
	return err
}

// picky is registered, and cannot be encoded when it is zero.
type picky struct{ n byte }

func (p picky) MarshalBinary() ([]byte, error) {
	if p.n == 0 {
		return nil, errors.New("it is zero")
	}
	return []byte{p.n}, nil
}

func (p *picky) UnmarshalBinary(b []byte) error { p.n = b[0]; return nil }

func init() { gob.Register(picky{}) }

// What an interface holds and gob would take for something else is told here, and what to do.
func TestCodec_interfacesThatGobMistakes(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{&square{Side: 1}, "it holds a *job.square, but what gob knows by that name is job.square"},
		{circle{1}, "it holds a job.circle, but what gob knows by that name is *job.circle"},
		{new(int), "it holds a *int, but what gob knows by that name is int"},
		{picky{1}, "what gob makes of its zero value, and it makes nothing of that"},
		{label("x"), "call gob.Register"},
	} {
		for range 2 {
			if err := encodes(c.v); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%T: %v, want %q", c.v, err, c.want)
			}
		}
	}
}
