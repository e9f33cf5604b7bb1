//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package selector_test

import "testing"

// Await returns once something is ready, and takes nothing: Poll has the report, also of what is reported
// only once. It returns when it is interrupted, too.
func TestSelector_await(t *testing.T) {
	s := newSelector(t)
	r, w := pipe(t)
	if err := s.Add(r, in, 1); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		returned := make(chan struct{})
		go func() {
			s.Await()
			s.Await() // nobody has taken it
			close(returned)
		}()
		put(t, w)
		<-returned
		check(t, "after Await", told(s, r), want(1, "in"))
		check(t, "once more", told(s, r), "")
		get(t, r)
		if err := s.Arm(r, in, in, 1); err != nil {
			t.Fatal(err)
		}
	}
	returned := make(chan struct{})
	go func() {
		s.Await()
		close(returned)
	}()
	s.Interrupt()
	<-returned
}
