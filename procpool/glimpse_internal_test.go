//go:build linux

package procpool

import (
	"bytes"
	"os"
	"testing"
)

func TestGlimpse(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var g glimpse
	if g.soon() {
		t.Error("a glimpse of nothing sees something")
	}
	g.of(r)
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if !g.soon() {
			t.Error("it does not see what is there")
		}
	}
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{2, 4, 8} {
		if g.soon() || g.skip != want {
			t.Errorf("nothing is there, and it is not to look %d times, want %d", g.skip, want)
		}
		for range want {
			g.soon()
		}
	}
	w.Close()
	if !g.soon() || g.misses != 0 {
		t.Error("it does not see the end")
	}
}

// What is said to be whole is taken without another read.
func TestFrameReader_whole(t *testing.T) {
	f := frame{kind: frameCall, seq: 5, id: "id", name: "name", body: []byte("body")}
	one := append(f.appendHead(nil), f.body...)
	large := frame{kind: frameOutcome, body: make([]byte, oneWrite+1)}
	for _, c := range []struct {
		what string
		sent []byte
		want bool
	}{
		{"nothing", nil, false}, {"a part of the header", one[:frameHeader-1], false}, {"all but a byte", one[:len(one)-1], false},
		{"a frame", one, true}, {"one and a half", append(bytes.Clone(one), one[:9]...), true}, {"a body in bulk", large.appendHead(nil), false},
	} {
		reads := &reads{from: bytes.NewReader(c.sent)}
		r := newFrameReader(reads, nil, 1<<20)
		if got := r.whole(); got != c.want || reads.n != 1 {
			t.Errorf("%s: whole is %v after %d reads, want %v after one", c.what, got, reads.n, c.want)
		}
		if !c.want {
			continue
		}
		if got, err := r.next(); err != nil || !same(got, f) || reads.n != 1 {
			t.Errorf("%s: %v, after %d reads", c.what, err, reads.n)
		}
	}
}

type reads struct {
	from *bytes.Reader
	n    int
}

func (r *reads) Read(p []byte) (int, error) { r.n++; return r.from.Read(p) }
