//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package selector_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/internal/selector"
)

const (
	in  = selector.In
	out = selector.Out
)

func newSelector(t *testing.T) *selector.Selector {
	t.Helper()
	s, err := selector.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func pipe(t *testing.T) (r, w int) {
	t.Helper()
	var p [2]int
	if err := syscall.Pipe(p[:]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Close(p[0])
		_ = syscall.Close(p[1])
	})
	return p[0], p[1]
}

func put(t *testing.T, fd int) {
	t.Helper()
	if _, err := syscall.Write(fd, []byte("x")); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, fd int) {
	t.Helper()
	if _, err := syscall.Read(fd, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// told is what Poll reports, in words: "3 tag 1: in".
func told(s *selector.Selector, fds ...int) string {
	var b selector.Batch
	s.Poll(&b)
	return words(&b, fds...)
}

func words(b *selector.Batch, fds ...int) string {
	var all []string
	for i := range b.Len() {
		e := b.At(i)
		text := fmt.Sprint("#", slices.Index(fds, e.FD))
		if selector.Tagged {
			text += fmt.Sprint(" tag ", e.Tag)
		}
		for bit, name := range map[selector.Events]string{in: " in", out: " out"} {
			if e.Ready&bit != 0 {
				text += name
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// want is what told says of one descriptor that is ready.
func want(tag int, ready string) string {
	if selector.Tagged {
		return fmt.Sprintf("#0 tag %d %s", tag, ready)
	}
	return "#0 " + ready
}

func check(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestSelector_reportsOnce(t *testing.T) {
	s := newSelector(t)
	r, w := pipe(t)
	if err := s.Add(r, in, 7); err != nil {
		t.Fatal(err)
	}
	check(t, "with nothing to read", told(s, r), "")
	put(t, w)
	check(t, "with something to read", told(s, r), want(7, "in"))
	check(t, "once more", told(s, r), "")
	put(t, w)
	check(t, "with more to read", told(s, r), "")
	if err := s.Arm(r, in, in, 8); err != nil {
		t.Fatal(err)
	}
	tag := 8
	check(t, "armed again", told(s, r), want(tag, "in"))
	s.Remove(r, in)
	if err := s.Arm(r, in, in, 8); err != selector.ErrGone {
		t.Errorf("Arm of what was removed: %v, want ErrGone", err)
	}
}

func TestSelector_level(t *testing.T) {
	if !selector.Levels {
		t.Skip("not on this system")
	}
	s := newSelector(t)
	r, w := pipe(t)
	if err := s.Add(r, in|selector.Level, 7); err != nil {
		t.Fatal(err)
	}
	put(t, w)
	for range 3 {
		var b selector.Batch
		if !s.Poll(&b) || b.Len() != 1 || b.At(0) != (selector.Event{FD: r, Tag: 7, Ready: in | out&b.At(0).Ready | selector.Level}) {
			t.Fatalf("got %v", words(&b, r))
		}
	}
	get(t, r)
	check(t, "with nothing left", told(s, r), "")
}

func TestSelector_sides(t *testing.T) {
	s := newSelector(t)
	p, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(p[0])
	if err := s.Add(p[0], in, 1); err != nil {
		t.Fatal(err)
	}
	check(t, "nothing to read", told(s, p[0]), "")
	if err := s.Arm(p[0], in, out, 1); err != nil {
		t.Fatal(err)
	}
	check(t, "room to write", told(s, p[0]), want(1, "out"))
	if err := s.Arm(p[0], in|out, in, 1); err != nil {
		t.Fatal(err)
	}
	check(t, "only to read", told(s, p[0]), "")
	for _, w := range []selector.Events{in, out, in | out} {
		ready, err := s.Ready(p[0], w)
		if err != nil || ready != out&w {
			t.Errorf("Ready(%d): %d, %v, want %d", w, ready, err, out&w)
		}
	}
	_ = syscall.Close(p[1])
	if ready, err := s.Ready(p[0], in|out); err != nil || ready != in|out {
		t.Errorf("Ready at the end of the other side: %d, %v, want both", ready, err)
	}
	if err := s.Arm(p[0], in|out, in, 1); err != nil {
		t.Fatal(err)
	}
	var b selector.Batch
	if !s.Poll(&b) || b.At(0).Ready&in == 0 {
		t.Errorf("the end of the other side was not reported: %q", words(&b, p[0]))
	}
}

// What was added under a number that is closed, or another file by now, is known to be gone.
func TestSelector_gone(t *testing.T) {
	s := newSelector(t)
	var p [2]int
	if err := syscall.Pipe(p[:]); err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(p[1])
	if err := s.Add(p[0], in, 1); err != nil {
		t.Fatal(err)
	}
	if !s.Has(p[0], in, in, 1) {
		t.Error("Has of what is there: false")
	}
	_ = syscall.Close(p[0])
	gone := func(when string) {
		t.Helper()
		if s.Has(p[0], in, in, 1) {
			t.Errorf("%s: it is still there", when)
		}
		if err := s.Arm(p[0], in, in, 1); err != selector.ErrGone {
			t.Errorf("%s: Arm: %v, want ErrGone", when, err)
		}
	}
	gone("closed")
	r, w := pipe(t)
	if r != p[0] {
		t.Skipf("the system gave number %d, not %d", r, p[0])
	}
	gone("used again")
	put(t, w)
	check(t, "what is now under the number was not added", told(s, r), "")
	if err := s.Add(r, in, 2); err != nil {
		t.Fatal(err)
	}
	check(t, "added", told(s, r), want(2, "in"))
}

func TestSelector_refuses(t *testing.T) {
	s := newSelector(t)
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for name, c := range map[string]struct {
		fd   int
		want error
	}{
		"file":      {int(file.Fd()), selector.ErrAlwaysReady},
		"directory": {int(dir.Fd()), selector.ErrAlwaysReady},
		"closed":    {1 << 20, selector.ErrNotOpen},
	} {
		if err := s.Add(c.fd, in, 1); err != c.want {
			t.Errorf("%s: Add: %v, want %v", name, err, c.want)
		}
	}
	if _, err := s.Ready(1<<20, in); err != selector.ErrNotOpen {
		t.Errorf("Ready of what is not open: %v", err)
	}
}

// A batch grows until all that is ready fits.
func TestSelector_many(t *testing.T) {
	s := newSelector(t)
	const n = 200
	for i := range n {
		r, w := pipe(t)
		put(t, w)
		if err := s.Add(r, in, uint32(i)); err != nil {
			t.Fatal(err)
		}
	}
	var b selector.Batch
	var sizes []int
	for s.Poll(&b) {
		sizes = append(sizes, b.Len())
	}
	if want := []int{64, 128, 8}; !slices.Equal(sizes, want) {
		t.Errorf("reported %v at a time, want %v", sizes, want)
	}
}

// Wait ends with a report, by Interrupt, also by one that came before, and at its time.
func TestSelector_Wait(t *testing.T) {
	s := newSelector(t)
	r, w := pipe(t)
	if err := s.Add(r, in, 7); err != nil {
		t.Fatal(err)
	}
	var b selector.Batch
	ended := make(chan string)
	wait := func() {
		s.Wait(&b)
		ended <- words(&b, r)
	}
	go wait()
	put(t, w)
	check(t, "a report", <-ended, want(7, "in"))
	s.Until(time.Time{})
	go wait()
	s.Interrupt()
	check(t, "an interrupt", <-ended, "")
	if !selector.Inline {
		return
	}
	s.Interrupt()
	s.Until(time.Now().Add(time.Millisecond))
	go wait()
	check(t, "a time", <-ended, "")
	s.Until(time.Time{})
	go wait()
	get(t, r)
	if err := s.Arm(r, in, in, 8); err != nil {
		t.Fatal(err)
	}
	put(t, w)
	check(t, "a report, without a time", <-ended, want(8, "in"))
}
