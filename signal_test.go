//go:build unix

package aio_test

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio"
)

// raise sends a signal to this process.
func raise(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Error(err)
	}
}

// kept has s do nothing by itself while the test runs, and tells when it has come.
func kept(t testing.TB, s os.Signal) <-chan os.Signal {
	c := make(chan os.Signal, 99)
	signal.Notify(c, s)
	t.Cleanup(func() { signal.Stop(c) })
	return c
}

func handles(t testing.TB, l *aio.Loop, s os.Signal, fn func()) {
	t.Helper()
	if err := l.AddSignalHandler(s, fn); err != nil {
		t.Errorf("AddSignalHandler: %v", err)
	}
}

// A handler is a callback on the loop; another takes its place; removed, it is not called.
func TestAddSignalHandler(t *testing.T) {
	came := kept(t, syscall.SIGUSR1)
	l := start(t)
	got := make(chan string, 9)
	handles(t, l, syscall.SIGUSR1, func() {
		if err := aio.Sleep(l.Context(), 1); !errors.Is(err, aio.ErrWouldDeadlock) {
			t.Errorf("a wait in a handler: %v", err)
		}
		got <- "first"
	})
	raise(t, syscall.SIGUSR1)
	if s := <-got; s != "first" {
		t.Errorf("%s was called", s)
	}
	handles(t, l, syscall.SIGUSR1, func() { got <- "second" })
	handles(t, l, syscall.SIGUSR2, func() { got <- "another" })
	raise(t, syscall.SIGUSR1)
	if s := <-got; s != "second" {
		t.Errorf("%s was called", s)
	}
	raise(t, syscall.SIGUSR2)
	if s := <-got; s != "another" {
		t.Errorf("%s was called", s)
	}
	if !l.RemoveSignalHandler(syscall.SIGUSR1) || l.RemoveSignalHandler(syscall.SIGUSR1) {
		t.Error("there was one handler to remove")
	}
	raise(t, syscall.SIGUSR1)
	for range 3 {
		<-came
	}
	turn(t, l)
	if len(got) > 0 {
		t.Errorf("%s was called after it was removed", <-got)
	}
}

// Several loops have handlers of one signal; one that is closed has none any more, and leaves no
// goroutine.
func TestAddSignalHandler_loops(t *testing.T) {
	kept(t, syscall.SIGUSR1)
	a, b := start(t), start(t)
	got := make(chan string, 9)
	handles(t, a, syscall.SIGUSR1, func() { got <- "a" })
	handles(t, b, syscall.SIGUSR1, func() { got <- "b" })
	raise(t, syscall.SIGUSR1)
	if x, y := <-got, <-got; x == y {
		t.Errorf("only %s was called, twice", x)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	raise(t, syscall.SIGUSR1)
	if x := <-got; x != "b" {
		t.Errorf("%s was called", x)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if len(got) > 0 {
		t.Errorf("%s was called as well", <-got)
	}
	if err := a.AddSignalHandler(syscall.SIGUSR1, func() {}); !errors.Is(err, aio.ErrClosed) {
		t.Errorf("on a closed loop: %v", err)
	}
	if a.RemoveSignalHandler(syscall.SIGUSR1) {
		t.Error("a closed loop had a handler")
	}
}

// A handler that is removed after the signal has come, before its turn, is not called.
func TestRemoveSignalHandler_come(t *testing.T) {
	came := kept(t, syscall.SIGUSR1)
	l := start(t)
	handles(t, l, syscall.SIGUSR1, func() { t.Error("called") })
	held, on := make(chan struct{}), make(chan struct{})
	l.CallSoon(func() { close(held); <-on })
	<-held
	raise(t, syscall.SIGUSR1)
	<-came
	l.RemoveSignalHandler(syscall.SIGUSR1)
	close(on)
	turn(t, l)
}

type noSignal struct{}

func (noSignal) Signal()        {}
func (noSignal) String() string { return "no signal" }

type badSignal []int

func (badSignal) Signal()        {}
func (badSignal) String() string { return "bad signal" }

func TestAddSignalHandler_refuses(t *testing.T) {
	l := start(t)
	for _, s := range []os.Signal{syscall.SIGKILL, syscall.SIGSTOP, syscall.Signal(0), syscall.Signal(-1), syscall.Signal(65), noSignal{}, badSignal{}, nil} {
		if err := l.AddSignalHandler(s, func() {}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v: %v, want ErrUnsupported", s, err)
		}
		if l.RemoveSignalHandler(s) {
			t.Errorf("%v: there was a handler", s)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			l, _ := aio.LoopOf(ctx)
			if err := l.AddSignalHandler(syscall.SIGUSR1, func() {}); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("in a bubble: %v", err)
			}
			return nil
		})
	})
}

func ExampleLoop_AddSignalHandler() {
	_, _ = aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		var reload aio.Event
		if err := l.AddSignalHandler(syscall.SIGHUP, reload.Set); err != nil {
			return err
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			return err
		}
		err := reload.Wait(ctx)
		os.Stdout.WriteString("reload\n")
		return err
	}))
	// Output: reload
}
