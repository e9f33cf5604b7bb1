package selector_test

import (
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio/internal/selector"
)

// An open file that has another number as well goes on being reported when the number that it was
// added by has been closed: once, or with Level until the set is renewed.
func TestSelector_duplicate(t *testing.T) {
	for _, level := range []selector.Events{0, selector.Level} {
		s := newSelector(t)
		var p [2]int
		if err := syscall.Pipe(p[:]); err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(p[1])
		other, err := syscall.Dup(p[0])
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(other)
		if err := s.Add(p[0], in|level, 1); err != nil {
			t.Fatal(err)
		}
		_ = syscall.Close(p[0])
		if s.Has(p[0], in, in, 1) {
			t.Error("Has of a closed number: true")
		}
		put(t, p[1])
		check(t, "the other number", told(s, p[0]), want(1, "in"))
		again := ""
		if level != 0 {
			again = want(1, "in")
		}
		check(t, "once more", told(s, p[0]), again)

		// The very file comes back, and is taken for another one.
		if err := syscall.Dup3(other, p[0], 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Add(p[0], in|level, 2); err != nil {
			t.Error(err)
		}
		check(t, "back", told(s, p[0]), want(2, "in"))
		_ = syscall.Close(p[0])
		if err := s.Renew(); err != nil {
			t.Fatal(err)
		}
		check(t, "in a new set", told(s, p[0]), "")
	}
}

// Who waits when the set is renewed is woken, for it waits for the old one.
func TestSelector_renewWakes(t *testing.T) {
	s := newSelector(t)
	ended := make(chan bool)
	go func() {
		var b selector.Batch
		s.Wait(&b)
		ended <- b.Len() == 0
	}()
	if err := s.Renew(); err != nil {
		t.Fatal(err)
	}
	s.Interrupt() // had it not begun to wait, it waits for the new one
	if !<-ended {
		t.Error("there was a report")
	}
}
