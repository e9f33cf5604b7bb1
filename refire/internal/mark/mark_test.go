package mark_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed8b1f0744/aio/refire/internal/mark"
)

func write(t *testing.T, f *os.File, text []byte) {
	t.Helper()
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(text, 0); err != nil {
		t.Fatal(err)
	}
}

// lines is text of that size, other text for each from.
func lines(from, size int) []byte {
	var b bytes.Buffer
	for i := from; b.Len() < size; i++ {
		fmt.Fprintf(&b, "%d is the line of a log, at %d\n", i, i*7)
	}
	return b.Bytes()[:size]
}

// TestMark: what is known of a file holds while it grows, and not when it was written anew, whichever way the mark came to know it and however long both are.
func TestMark(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sizes := []int{1, 100, mark.Bytes - 1, mark.Bytes, mark.Bytes + 1, 2*mark.Bytes - 1, 2 * mark.Bytes, 5*mark.Bytes + 3}
	for _, size := range sizes {
		text := lines(0, size)
		for _, step := range []int{1, 7, mark.Bytes, size} {
			write(t, f, text)
			var read mark.Mark
			for i := 0; i < size; i += step {
				read.Add(text[i:min(i+step, size)])
			}
			for name, m := range map[string]*mark.Mark{"read": &read, "looked at": mark.Of(f)} {
				write(t, f, text)
				if m.Offset != int64(size) || !m.Holds(f) {
					t.Errorf("%d bytes, %s by %d: of the same text %d are known, and it holds: %t", size, name, step, m.Offset, m.Holds(f))
				}
				write(t, f, append(bytes.Clone(text), "more"...))
				if !m.Holds(f) {
					t.Errorf("%d bytes, %s by %d: it does not hold of a file that grew", size, name, step)
				}
				for _, other := range sizes {
					if write(t, f, lines(1000, other)); m.Holds(f) {
						t.Errorf("%d bytes, %s by %d: it holds of %d others", size, name, step, other)
					}
				}
				if write(t, f, text[:size-1]); m.Holds(f) {
					t.Errorf("%d bytes, %s by %d: it holds of a file that is shorter", size, name, step)
				}
			}
		}
	}
}

// TestMark_tail: of a file that begins as before, the last bytes tell, all of them.
func TestMark_tail(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := lines(0, 4*mark.Bytes)
	write(t, f, text)
	marks := map[string]*mark.Mark{"looked at": mark.Of(f)}
	for _, step := range []int{1, 7, 1000, mark.Bytes, 3000} {
		var m mark.Mark
		for piece := range slices.Chunk(text, step) {
			m.Add(piece)
		}
		marks[fmt.Sprintf("read by %d", step)] = &m
	}
	for name, m := range marks {
		for _, back := range []int{1, 8, 900, mark.Bytes} {
			other := bytes.Clone(text)
			other[len(other)-back] ^= 1
			if write(t, f, other); m.Holds(f) {
				t.Errorf("%s: it holds where the byte %d before the end is another", name, back)
			}
		}
	}
}

// TestMark_zeros: room that a writer took beforehand is written over, and that is no change. Nothing is known of an empty file.
func TestMark_zeros(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	empty := mark.Of(f)
	room := append(lines(0, 100), make([]byte, 3000)...)
	write(t, f, room)
	m := mark.Of(f)
	if write(t, f, lines(0, 2000)); !m.Holds(f) || !empty.Holds(f) {
		t.Error("text in the place of zeros is taken for a change")
	}
	if write(t, f, lines(1000, 3100)); m.Holds(f) {
		t.Error("other text before the zeros is not")
	}
}
