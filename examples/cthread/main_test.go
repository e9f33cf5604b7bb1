//go:build cgo

package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio"
)

// The library answers on its own thread only; so all lines drawn means that all calls came on one.
func TestCthread(t *testing.T) {
	const want = `aio.Thread:   8 lines; in aio.Blocking, so on some thread: the plotter is not open on this thread
aio.OnThread: 8 lines, the pen is at 0,0
`
	var out strings.Builder
	if err := run(&out); err != nil || out.String() != want {
		t.Errorf("%v, got\n%swant\n%s", err, out.String(), want)
	}
}

// Two loops with threads of their own have a plotter each, and callbacks run on the thread too.
func TestCthread_twoLoops(t *testing.T) {
	var loops [2]*aio.Loop
	for i := range loops {
		loops[i] = aio.Start(aio.OnThread())
		defer loops[i].Close()
		if err := on(t, loops[i], openPlotter); err != nil {
			t.Fatalf("loop %d: %v", i, err)
		}
		if err := on(t, loops[i], openPlotter); !errors.Is(err, errBusy) {
			t.Errorf("loop %d, opened twice: %v, want %v", i, err, errBusy)
		}
	}
	for step := range 3 {
		for i, l := range loops {
			err := make(chan error, 1)
			l.CallSoon(func() { err <- drawLine(i+1, step) })
			if err := <-err; err != nil {
				t.Errorf("a callback of loop %d: %v", i, err)
			}
		}
	}
	for i, l := range loops {
		err := on(t, l, func() error {
			x, y, err := penAt()
			if x != 3*(i+1) || y != 3 {
				t.Errorf("loop %d: the pen is at %d,%d", i, x, y)
			}
			return errors.Join(err, closePlotter())
		})
		if err != nil {
			t.Errorf("loop %d: %v", i, err)
		}
	}
}

func on(t *testing.T, l *aio.Loop, fn func() error) error {
	_, err := aio.Submit(t.Context(), l, aio.Do(func(context.Context) error { return fn() })).Await(t.Context())
	return err
}
