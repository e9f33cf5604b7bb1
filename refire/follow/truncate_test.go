package follow_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/follow"
)

// heldBack is a reader that is away when the log is truncated.
type heldBack struct {
	t    *testing.T
	file *follow.File
}

// read reads so many bytes, which must be there, and compares them.
func (r heldBack) read(want string) {
	r.t.Helper()
	buf := make([]byte, len(want))
	for n := 0; n < len(buf); {
		m, err := r.file.Read(r.t.Context(), buf[n:])
		if err != nil {
			r.t.Fatalf("%v, after %q", err, buf[:n])
		}
		n += m
	}
	if string(buf) != want {
		r.t.Fatalf("read %.40q, want %.40q", buf, want)
	}
}

// truncated wants nothing to be read but that.
func (r heldBack) truncated(want follow.TruncatedError) {
	r.t.Helper()
	n, err := r.file.Read(r.t.Context(), make([]byte, 7))
	var got *follow.TruncatedError
	if n != 0 || !errors.As(err, &got) || !errors.Is(err, follow.ErrTruncated) || *got != want {
		r.t.Fatalf("%d bytes, %v, want %v", n, err, &want)
	}
	must(r.t, r.file.Next(r.t.Context()))
}

// text is that many bytes that are like those of no other seed, but for so many at the beginning.
func text(seed string, same, bytes int) string {
	return strings.Repeat("=", same) + strings.Repeat(seed, bytes)[:bytes-same]
}

// TestFile_truncateWhileAway: a file that was truncated while nobody read, and has grown past the place that was read, is not taken for the old one, whether a
// look has come between or not; and what was lost is told.
func TestFile_truncateWhileAway(t *testing.T) {
	for name, c := range map[string]struct {
		same   int  // so many bytes at the beginning are as before
		before int  // so many were read
		seen   bool // that it is empty, before it is written to
	}{
		"between two looks":                       {0, 5000, false},
		"seen short":                              {0, 5000, true},
		"begins as before":                        {3000, 5000, false},
		"begins as before, seen short":            {9000, 5000, true},
		"short, between two looks":                {0, 500, false},
		"the first byte as before":                {1, 10, false},
		"nothing read":                            {0, 0, true},
		"nothing read, between two looks":         {0, 0, false},
		"as before up to there, and the end, too": {5000, 5000, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, name string) {
				was, is := text("old.", c.same, 10_000), text("new:", c.same, 20_000)
				write(t, name, was)
				r := heldBack{t, follow.New(t.Context(), name, nil, follow.Config{})}
				defer r.file.Close()
				must(t, r.file.Next(t.Context()))
				r.read(was[:c.before])
				pass(10 * follow.DefaultEvery)
				must(t, os.Truncate(name, 0))
				if c.seen {
					pass(2 * follow.DefaultEvery)
				}
				write(t, name, is)
				pass(10 * follow.DefaultEvery)
				r.truncated(follow.TruncatedError{Read: int64(c.before), Times: 1, Unread: int64(len(was) - c.before)})
				r.read(is)
				must(t, os.Rename(name, name+".1"))
				write(t, name, "next")
				if _, err := r.file.Read(t.Context(), make([]byte, 7)); err != io.EOF {
					t.Error(err)
				}
			})
		})
	}
}

// TestFile_truncateUnseen: by the next read nobody has looked: the reader itself notices, before it returns a byte of the new text.
func TestFile_truncateUnseen(t *testing.T) {
	for _, same := range []int{0, 4000} {
		bubble(t, func(t *testing.T, name string) {
			write(t, name, text("old.", same, 10_000))
			r := heldBack{t, follow.New(t.Context(), name, nil, follow.Config{})}
			defer r.file.Close()
			must(t, r.file.Next(t.Context()))
			r.read(text("old.", same, 5000))
			must(t, os.Truncate(name, 0))
			write(t, name, text("new:", same, 20_000))
			r.truncated(follow.TruncatedError{Read: 5000, Times: 1, Unread: 5000})
			r.read(text("new:", same, 20_000))
		})
	}
}

// TestFile_truncateTwice: what was written between two truncations, and nobody has read, is told of, too.
func TestFile_truncateTwice(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		write(t, name, text("one.", 0, 4000))
		r := heldBack{t, follow.New(t.Context(), name, nil, follow.Config{})}
		defer r.file.Close()
		must(t, r.file.Next(t.Context()))
		r.read(text("one.", 0, 4000))
		for _, seed := range []string{"two.", "three."} {
			must(t, os.Truncate(name, 0))
			write(t, name, text(seed, 0, 6000))
			pass(2 * follow.DefaultEvery)
		}
		r.truncated(follow.TruncatedError{Read: 4000, Times: 2, Unread: 6000})
		r.read(text("three.", 0, 6000))
	})
}

// TestFile_room: the zeros at the end of a log whose writer takes room beforehand are not text: what is written over them is read when it is there. Zeros
// with text behind them are read.
func TestFile_room(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		const size = 100_000 // more than is looked at at once
		over := func(offset int64, text string) {
			t.Helper()
			f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteAt([]byte(text), offset); err != nil {
				t.Fatal(err)
			}
		}
		over(0, "one\n"+strings.Repeat("\x00", size))
		f := start(t, name, nil)
		f.want("one\n")
		over(4, "two\n")
		f.want("one\ntwo\n")
		over(4+size, "three\n\x00\x00")
		f.want("one\ntwo\n" + strings.Repeat("\x00", size-4) + "three\n")
		f.end(errOver)
	})
}
