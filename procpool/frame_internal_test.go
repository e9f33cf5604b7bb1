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
		{kind: frameOutcome, seq: 2, memory: 1 << 40, body: bytes.Repeat([]byte("y"), oneWrite+1)},
		{kind: frameRefused, seq: 3, name: strings.Repeat("n", maxFrameHead-2), id: "id", body: []byte("b")},
		{kind: frameGoexit, seq: 4},
	}
	var pipe, bulk bytes.Buffer
	w := newFrameWriter(&pipe, &bulk)
	for i := range frames {
		if err := w.write(&frames[i]); err != nil {
			t.Fatal(err)
		}
	}
	if large := oneWrite + 1; bulk.Len() != large {
		t.Errorf("%d bytes are in bulk, want those of the one body of %d", bulk.Len(), large)
	}
	for how, through := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with its end": iotest.DataErrReader,
	} {
		read := newFrameReader(through(bytes.NewReader(pipe.Bytes())), through(bytes.NewReader(bulk.Bytes())), 2*oneWrite)
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

// A frame takes one system call, or two if its body is large.
func TestFrame_writes(t *testing.T) {
	for body, inBulk := range map[int]bool{0: false, 64: false, oneWrite: false, oneWrite + 1: true, 1 << 20: true} {
		var pipe, bulk counter
		f := frame{kind: frameCall, body: make([]byte, body)}
		want, wantBulk := counter{1, frameHeader + body}, counter{}
		if inBulk {
			want, wantBulk = counter{1, frameHeader}, counter{1, body}
		}
		if err := newFrameWriter(&pipe, &bulk).write(&f); err != nil || pipe != want || bulk != wantBulk {
			t.Errorf("a body of %d bytes: %+v in the pipe, %+v in bulk, %v, want %+v, %+v", body, pipe, bulk, err, want, wantBulk)
		}
	}
}

// A pipe, or socket, that is broken is told, so that the call goes to another worker.
func TestFrame_writeFails(t *testing.T) {
	for body, writers := range map[int][2]*breaking{
		0:            {{after: 0}, {after: 0}},
		oneWrite:     {{after: 0}, {after: 0}},
		oneWrite + 1: {{after: 1}, {after: 0}},
		oneWrite + 2: {{after: 0}, {after: 1}},
	} {
		f := frame{kind: frameCall, body: make([]byte, body)}
		if err := newFrameWriter(writers[0], writers[1]).write(&f); err != io.ErrClosedPipe {
			t.Errorf("a body of %d bytes: %v", body, err)
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
		if _, err := newFrameReader(bytes.NewReader(whole[:n]), nil, 100).next(); err != want {
			t.Errorf("%d of %d bytes: %v, want %v", n, len(whole), err, want)
		}
		broken := errors.New("broken")
		if _, err := newFrameReader(io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(broken)), nil, 100).next(); err != broken {
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
		if _, err := newFrameReader(bytes.NewReader(wire), nil, 100).next(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
}

// id and name have one limit together.
func TestFrame_head(t *testing.T) {
	for more, want := range map[int]error{0: nil, 1: errFrameLimit} {
		f := frame{kind: frameCall, id: strings.Repeat("i", maxFrameHead/2), name: strings.Repeat("n", maxFrameHead/2+more)}
		if got, err := newFrameReader(bytes.NewReader(f.appendHead(nil)), nil, 0).next(); !errors.Is(err, want) || err == nil && !same(got, f) {
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
		r := newFrameReader(bytes.NewReader(wire), nil, most)
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
