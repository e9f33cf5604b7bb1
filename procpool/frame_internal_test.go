package procpool

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestFrame(t *testing.T) {
	frames := []frame{
		{kind: frameHello, id: "build"},
		{kind: frameCall, seq: 1 << 63, id: "id", name: "name", body: []byte("body")},
		{kind: frameCall, seq: 1, body: []byte{}},
		{kind: frameOutcome, seq: 2, memory: 1 << 40, body: bytes.Repeat([]byte("x"), oneWrite)},
		{kind: frameRefused, seq: 3, name: strings.Repeat("n", maxFrameHead-2), id: "id", body: []byte("b")},
		{kind: frameGoexit, seq: 4},
	}
	var wire bytes.Buffer
	for i := range frames {
		if err := frames[i].writeTo(&wire, nil); err != nil {
			t.Fatal(err)
		}
	}
	sent := wire.Bytes()
	for how, r := range map[string]io.Reader{
		"whole": bytes.NewReader(sent), "byte by byte": iotest.OneByteReader(bytes.NewReader(sent)),
		"with its end": iotest.DataErrReader(bytes.NewReader(sent)),
	} {
		read := newFrameReader(r, oneWrite)
		for i := range frames {
			got, err := read.next()
			if err != nil || !same(got, frames[i]) {
				t.Errorf("%s: frame %d came as kind %d, %d bytes, %v", how, i, got.kind, len(got.body), err)
			}
		}
		if _, err := read.next(); err != io.EOF {
			t.Errorf("%s: after the last frame: %v", how, err)
		}
	}
}

func same(a, b frame) bool {
	return a.kind == b.kind && a.seq == b.seq && a.memory == b.memory && a.id == b.id && a.name == b.name && bytes.Equal(a.body, b.body)
}

// A frame takes one system call, or two if copying it together would cost more.
func TestFrame_writes(t *testing.T) {
	const head = frameHeader + len("an id") + len("name")
	for body, want := range map[int]int{0: 1, 64: 1, oneWrite - head: 1, oneWrite - head + 1: 2, 1 << 20: 2} {
		var w counter
		f := frame{kind: frameCall, id: "an id", name: "name", body: make([]byte, body)}
		if err := f.writeTo(&w, nil); err != nil || w.calls != want || w.bytes != f.size() {
			t.Errorf("%d bytes: %d writes of %d bytes, %v, want %d", body, w.calls, w.bytes, err, want)
		}
	}
}

// A pipe that is broken is told, so that the call goes to another worker.
func TestFrame_writeFails(t *testing.T) {
	for _, body := range []int{0, oneWrite} {
		f := frame{kind: frameCall, body: make([]byte, body)}
		for n := range map[int]int{0: 1, oneWrite: 2}[body] {
			if err := f.writeTo(&breaking{after: n}, nil); err != io.ErrClosedPipe {
				t.Errorf("%d bytes, and write %d fails: %v", body, n+1, err)
			}
		}
	}
}

// breaking is a writer of which so many calls of Write succeed.
type breaking struct{ after int }

func (b *breaking) Write(p []byte) (int, error) {
	if b.after--; b.after < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

type counter struct{ calls, bytes int }

func (c *counter) Write(p []byte) (int, error) {
	c.calls++
	c.bytes += len(p)
	return len(p), nil
}

func TestFrame_torn(t *testing.T) {
	f := frame{kind: frameCall, seq: 5, id: "id", name: "name", body: []byte("body")}
	whole := append(f.appendHead(nil), f.body...)
	for n := range whole {
		want := io.ErrUnexpectedEOF
		if n == 0 {
			want = io.EOF
		}
		if _, err := newFrameReader(bytes.NewReader(whole[:n]), 100).next(); err != want {
			t.Errorf("%d of %d bytes: %v, want %v", n, len(whole), err, want)
		}
		broken := errors.New("broken")
		if _, err := newFrameReader(io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(broken)), 100).next(); err != broken {
			t.Errorf("an error after %d of %d bytes: %v", n, len(whole), err)
		}
	}
}

func TestFrame_refused(t *testing.T) {
	for what, c := range map[string]struct {
		at   int
		is   byte
		want error
	}{
		"magic":       {0, 'b', errNoFrame},
		"version":     {3, 2, errNoFrame},
		"kind 0":      {4, 0, errNoFrame},
		"unknown":     {4, byte(frameKinds), errNoFrame},
		"reserved 5":  {5, 1, errNoFrame},
		"reserved 6":  {6, 1, errNoFrame},
		"reserved 7":  {7, 1, errNoFrame},
		"id":          {18, 2, errFrameLimit},
		"name":        {23, 0xff, errFrameLimit},
		"body":        {24, 101, errFrameLimit},
		"body, vast":  {31, 0xff, errFrameLimit},
		"body at max": {24, 100, nil},
	} {
		f := frame{kind: frameCall, body: make([]byte, 100)}
		wire := append(f.appendHead(nil), f.body...)
		wire[c.at] = c.is
		if _, err := newFrameReader(bytes.NewReader(wire), 100).next(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
}

// id and name have one limit together.
func TestFrame_head(t *testing.T) {
	for more, want := range map[int]error{0: nil, 1: errFrameLimit} {
		f := frame{kind: frameCall, id: strings.Repeat("i", maxFrameHead/2), name: strings.Repeat("n", maxFrameHead/2+more)}
		if got, err := newFrameReader(bytes.NewReader(f.appendHead(nil)), 0).next(); !errors.Is(err, want) || err == nil && !same(got, f) {
			t.Errorf("%d bytes: %v, want %v", len(f.id)+len(f.name), err, want)
		}
	}
}

// Whatever comes, the reader takes no more than its limits, and what it takes is what was sent.
func FuzzFrameReader(f *testing.F) {
	hello := frame{kind: frameHello, id: "build"}
	call := frame{kind: frameCall, seq: 1, id: "id", name: "name", body: []byte("body")}
	for _, seed := range [][]byte{nil, []byte("panic: "), hello.appendHead(nil), append(call.appendHead(nil), call.body...)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		const most = 1 << 12
		r := newFrameReader(bytes.NewReader(wire), most)
		for rest := wire; ; {
			got, err := r.next()
			if err != nil {
				if err != io.EOF && err != io.ErrUnexpectedEOF && !errors.Is(err, errNoFrame) && !errors.Is(err, errFrameLimit) {
					t.Errorf("an error of another kind: %v", err)
				}
				return
			}
			if len(got.body) > most || len(got.id)+len(got.name) > maxFrameHead {
				t.Errorf("a frame beyond the limits: %d, %d, %d", len(got.id), len(got.name), len(got.body))
			}
			again := append(got.appendHead(nil), got.body...)
			if !bytes.HasPrefix(rest, again) {
				t.Errorf("read   %q\nis for %q", again, rest)
			}
			rest = rest[len(again):]
		}
	})
}
