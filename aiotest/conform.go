package aiotest

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// promise is one thing that an implementation of an interface must do: a case of a suite.
type promise[T any] struct {
	name string
	text string // what is printed when it is not kept
	// check can wait until everybody is blocked if it runs in a bubble of testing/synctest; there what
	// hangs is found out at once. It fails at the first thing that is wrong.
	check func(t testing.TB, subject T)
}

// conform has each case of a suite check, in a bubble, an implementation of its own, made by newSubject.
func conform[T any](t *testing.T, suite []promise[T], newSubject func(testing.TB) T) {
	t.Helper()
	for _, p := range suite {
		t.Run(p.name, func(t *testing.T) {
			within := func(t *testing.T) {
				p.orPanic(t.Name(), os.Stderr, func() { p.run(t, newSubject(t)) })
			}
			// A bubble in which nothing can happen any more panics outside.
			p.orStick(t.Name(), os.Stderr, func() {
				p.orPanic(t.Name(), os.Stderr, func() { synctest.Test(t, within) })
			})
		})
	}
}

func (p promise[T]) run(t testing.TB, subject T) {
	defer func() {
		if t.Failed() {
			t.Logf("the promise: %s", p.text)
			<-time.After(aeon) // whoever only waits for a time gets it: a bubble must not end before its goroutines
		}
	}()
	p.check(t, subject)
}

// going is a function on a goroutine of its own.
type going struct{ done chan struct{} }

func inBackground(fn func()) going {
	g := going{make(chan struct{})}
	go func() {
		defer close(g.done)
		fn()
	}()
	return g
}

// over reports whether the function has returned, once everybody is blocked. No time passes meanwhile
// in the bubble.
func (g going) over() bool {
	synctest.Wait()
	return g.returned()
}

// returned reports whether the function has returned.
func (g going) returned() bool {
	select {
	case <-g.done:
		return true
	default:
		return false
	}
}

// aeon is more than any case needs, in the time of its bubble.
const aeon = 10_000 * time.Hour

// wait waits for the function; if it does not return in the bubble's time either, the case fails
// with what.
func (g going) wait(t testing.TB, what string, args ...any) {
	t.Helper()
	g.waitFor(t, aeon, what, args...)
}

func (g going) waitFor(t testing.TB, long time.Duration, what string, args ...any) {
	t.Helper()
	select {
	case <-g.done:
	case <-time.After(long):
		t.Fatalf(what, args...)
	}
}
