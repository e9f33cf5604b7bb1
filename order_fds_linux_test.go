package aio_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The programs of testdata/order/fds, and what CPython printed for them, as in TestOrder_asCPython,
// but with real pipes and sockets.
var orderFDPrograms = map[string]func(*testing.T, *script) error{
	"readers": readersInOrder,
	"inside":  insideInOrder,
	"writers": writersInOrder,
}

func TestOrder_descriptorsAsCPython(t *testing.T) {
	traces, err := filepath.Glob("testdata/order/fds/*.trace")
	if err != nil || len(traces) != len(orderFDPrograms) {
		t.Errorf("testdata/order/fds has %d traces, and %d programs are here (%v)", len(traces), len(orderFDPrograms), err)
	}
	for name, program := range orderFDPrograms {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile("testdata/order/fds/" + name + ".trace")
			if err != nil {
				t.Fatal(err)
			}
			s := &script{}
			run(t, func(ctx context.Context) error {
				return s.main(ctx, func(s *script) error { return program(t, s) }, true)
			})
			if s.out.String() != string(want) {
				t.Errorf("got\n%swant, as CPython 3.13 has it,\n%s", s.out.String(), want)
			}
		})
	}
}

// reads is a callback that logs what it reads.
func (s *script) reads(t *testing.T, fd int, name string) func() {
	return func() { s.log("%s reads '%s'", name, get(t, fd, 9)) }
}

func (s *script) addReader(t *testing.T, fd int, fn func()) {
	if err := s.loop.AddReader(fd, fn); err != nil {
		t.Errorf("AddReader: %v", err)
	}
}

func (s *script) addWriter(t *testing.T, fd int, fn func()) {
	if err := s.loop.AddWriter(fd, fn); err != nil {
		t.Errorf("AddWriter: %v", err)
	}
}

func readersInOrder(t *testing.T, s *script) error {
	r, w := map[string]int{}, map[string]int{}
	for _, name := range []string{"a", "b", "c", "d"} {
		r[name], w[name] = barePipe(t)
		closes(t, r[name])
	}
	reader := func(name string) func() { return s.reads(t, r[name], name) }
	puts := func(names, text string) {
		for _, name := range names {
			put(t, w[string(name)], text)
		}
	}
	for _, name := range "dcba" {
		s.addReader(t, r[string(name)], reader(string(name)))
	}
	s.turn(1)
	s.log("nothing yet")
	for _, name := range "cadb" {
		puts(string(name), string(name))
	}
	s.loop.CallSoon(s.logs("soon"))
	s.loop.CallLater(0, s.logs("timer"))
	s.turn(3)

	s.addReader(t, r["a"], func() { s.log("again '%s'", get(t, r["a"], 1)) })
	puts("a", "123")
	s.turn(5)

	s.addReader(t, r["b"], s.logs("lazy"))
	puts("b", "x")
	s.turn(3)
	s.log("removed %s", pythonBool(s.loop.RemoveReader(r["b"])))
	s.turn(2)
	s.log("removed %s", pythonBool(s.loop.RemoveReader(r["b"])))

	s.addReader(t, r["b"], reader("b"))
	s.turn(2)
	for i, names := range []string{"cb", "bc", "dcb"} {
		puts(names, string(rune('1'+i)))
		s.turn(2)
	}
	names := []string{"a", "b", "c", "d"}
	for _, name := range names {
		_ = syscall.Close(w[name])
	}
	s.turn(2)
	for _, name := range names {
		s.log("removed %s %s", name, pythonBool(s.loop.RemoveReader(r[name])))
	}
	s.turn(2)
	return nil
}

func insideInOrder(t *testing.T, s *script) error {
	a, wa := pipe(t)
	b, wb := pipe(t)
	c, wc := pipe(t)
	removed := func(fd int) { s.log("removed %s", pythonBool(s.loop.RemoveReader(fd))) }
	bothReady := func() {
		put(t, wa, "a")
		put(t, wb, "b")
	}

	s.addReader(t, a, func() {
		s.reads(t, a, "first")()
		removed(b)
	})
	s.addReader(t, b, s.reads(t, b, "never"))
	bothReady()
	s.turn(3)

	get(t, b, 9)
	s.addReader(t, a, func() {
		s.reads(t, a, "replaces")()
		s.addReader(t, b, s.reads(t, b, "the other"))
		s.log("replaced")
	})
	s.addReader(t, b, s.reads(t, b, "never"))
	bothReady()
	s.turn(4)

	s.addReader(t, a, func() {
		s.reads(t, a, "again")()
		s.loop.RemoveReader(b)
		s.addReader(t, b, s.reads(t, b, "b"))
	})
	bothReady()
	s.turn(4)

	s.addReader(t, a, func() { s.log("once, removed %s", pythonBool(s.loop.RemoveReader(a))) })
	s.addReader(t, b, func() {
		s.log("succeeded")
		s.addReader(t, b, s.reads(t, b, "successor"))
	})
	bothReady()
	s.turn(4)

	put(t, wc, "c")
	s.turn(2)
	s.loop.CallSoon(func() { s.addReader(t, c, s.reads(t, c, "c")) })
	s.loop.CallSoon(s.logs("after it was added"))
	s.turn(4)
	removed(a)
	removed(b)
	removed(c)

	s.addReader(t, b, s.reads(t, b, "b"))
	s.loop.CallSoon(func() {
		put(t, wb, "!")
		s.loop.CallSoon(s.logs("soon, from the writer"))
		s.loop.CallLater(0, s.logs("timer, from the writer"))
		s.log("wrote")
	})
	s.turn(4)
	removed(b)
	return nil
}

func writersInOrder(t *testing.T, s *script) error {
	a, b := pair(t)
	r, w := pipe(t)
	l := s.loop
	read, write := s.reads(t, a, "a"), s.logs("a can be written to")
	removes := func(remove func(int) bool) string { return pythonBool(remove(a)) }

	s.addWriter(t, a, write)
	s.turn(3)
	s.addReader(t, a, read)
	put(t, b, "hello")
	s.turn(3)
	s.log("removed %s %s", removes(l.RemoveWriter), removes(l.RemoveWriter))
	put(t, b, "again")
	s.turn(3)

	s.addReader(t, a, func() { s.log("a reads '%s' alone, removed %s", get(t, a, 9), removes(l.RemoveWriter)) })
	s.addWriter(t, a, write)
	put(t, b, "x")
	s.turn(3)

	s.addReader(t, a, read)
	s.addWriter(t, a, func() { s.log("a can be written to, removed %s %s", removes(l.RemoveReader), removes(l.RemoveWriter)) })
	put(t, b, "y")
	s.turn(3)

	size := fill(t, w)
	s.addWriter(t, w, s.logs("there is room"))
	s.turn(3)
	s.log("full")
	get(t, r, size)
	s.turn(2)
	s.log("removed %s", pythonBool(l.RemoveWriter(w)))

	s.addReader(t, a, s.logs("a is at its end, for who reads"))
	s.addWriter(t, a, s.logs("a is at its end, for who writes"))
	_ = syscall.Close(b)
	s.turn(2)
	s.log("removed %s %s", removes(l.RemoveReader), removes(l.RemoveWriter))
	s.addWriter(t, w, s.logs("w has no reader"))
	_ = syscall.Close(r)
	s.turn(2)
	s.log("removed %s", pythonBool(l.RemoveWriter(w)))
	return nil
}
