package aiotest

import (
	"fmt"
	"io"
	"time"
)

// The log of a test is not shown if the test binary ends by a panic, or by go test's timeout. A case
// that ends so says on the standard error which promise it was about.

// stuckAfter is after how much real time a case, which takes none, is said to be stuck.
const stuckAfter = 10 * time.Second

// orPanic calls fn, and tells the promise if that panics.
func (p promise[T]) orPanic(name string, stderr io.Writer, fn func()) {
	defer func() {
		if v := recover(); v != nil {
			p.aloud(name, stderr, "the case panics")
			panic(v) // testing prints it, with the stack that it came from
		}
	}()
	fn()
}

// orStick calls fn, which runs a bubble, and tells the promise if that neither ends nor finds out that
// all wait for each other.
func (p promise[T]) orStick(name string, stderr io.Writer, fn func()) {
	stuck := time.AfterFunc(stuckAfter, func() {
		p.aloud(name, stderr, fmt.Sprintf("the case has not ended after %v of real time, and should need none; something is busy, or waits for a sync.Mutex "+
			"or for the world outside, which looks the same in a bubble: hold no sync.Mutex while you wait", stuckAfter))
	})
	defer stuck.Stop()
	fn()
}

func (p promise[T]) aloud(name string, stderr io.Writer, what string) {
	fmt.Fprintf(stderr, "%s: %s; the promise: %s\n", name, what, p.text)
}
