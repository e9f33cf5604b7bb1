package selector_test

import (
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio/internal/selector"
)

// With Edge what gets ready is reported each time that it does, without being armed again; the other side's end with Hup.
func TestSelector_edge(t *testing.T) {
	s := newSelector(t)
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(pair[0])
	if err := s.Add(pair[0], selector.In|selector.Out|selector.Edge, 3); err != nil {
		t.Fatal(err)
	}
	report := func() selector.Events {
		var b selector.Batch
		if !s.Poll(&b) {
			return 0
		}
		return b.At(0).Ready
	}
	if got := report(); got != selector.Out {
		t.Errorf("at first: %b", got)
	}
	for range 2 {
		put(t, pair[1])
		if got := report(); got&selector.In == 0 || got&selector.Hup != 0 {
			t.Errorf("with something to read: %b", got)
		}
		if got := report(); got != 0 {
			t.Errorf("once more: %b", got)
		}
	}
	_ = syscall.Close(pair[1])
	if got := report(); got&selector.In == 0 || got&selector.Hup == 0 {
		t.Errorf("at the end of the other side: %b", got)
	}
}

// With Edge urgent data is reported as such, until a read has passed it.
func TestSelector_urgent(t *testing.T) {
	s := newSelector(t)
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(pair[0])
	defer syscall.Close(pair[1])
	if err := s.Add(pair[0], selector.In|selector.Edge, 3); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags int
		want  selector.Events
	}{{0, selector.In}, {syscall.MSG_OOB, selector.In | selector.Urgent}, {0, selector.In | selector.Urgent}} {
		if err := syscall.Sendto(pair[1], []byte("text"), c.flags, nil); err == syscall.EOPNOTSUPP {
			t.Skip("no urgent data on unix sockets here")
		} else if err != nil {
			t.Fatal(err)
		}
		var b selector.Batch
		if !s.Poll(&b) || b.At(0).Ready != c.want {
			t.Errorf("flags %#x: reported %b, want %b", c.flags, b.At(0).Ready, c.want)
		}
	}
}
