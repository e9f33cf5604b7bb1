//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aio_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Descriptors that are closed while they are watched.

// Who waits is told, whoever closes: nobody does anything more about the descriptor, so this is found
// out by looking.
func TestReadable_closed(t *testing.T) {
	t.Run("by a task", func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			r, w := barePipe(t)
			closes(t, w)
			waits := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return aio.Readable(ctx, r) }))
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			_ = syscall.Close(r)
			if _, err := waits.Await(ctx); !errors.Is(err, os.ErrClosed) {
				t.Errorf("got %v, want os.ErrClosed", err)
			}
			return nil
		})
	})
	t.Run("by a goroutine", func(t *testing.T) {
		l := start(t)
		r, w := barePipe(t)
		closes(t, w)
		ended := make(chan error)
		go func() { ended <- aio.Writable(l.Context(), w) }()
		if err := <-ended; err != nil {
			t.Errorf("a pipe without anything in it: %v", err)
		}
		go func() { ended <- aio.Readable(l.Context(), r) }()
		waiting(1)
		_ = syscall.Close(r)
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("got %v, want os.ErrClosed", err)
		}
	})
}

// A callback is dropped, and that is told of, with what to do about it.
func TestAddReader_closed(t *testing.T) {
	told := newReports()
	r, w := barePipe(t)
	closes(t, w)
	l := start(t, told.option())
	called := func() { t.Error("called") }
	adds(t, l, r, called)
	_ = syscall.Close(r)
	<-told.told
	err := told.all()[0].Err
	if !errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), "call RemoveReader before it is closed") {
		t.Errorf("told of %v", err)
	}
	if l.RemoveReader(r) {
		t.Error("the reader is still there")
	}
}

// next makes a pipe whose reading end has the number fd, which must be free.
func next(t *testing.T, fd int) (w int) {
	t.Helper()
	r, w := barePipe(t)
	closes(t, w)
	if r != fd {
		if w == fd {
			t.Fatalf("number %d went to the other end", fd)
		}
		if err := dup2(r, fd); err != nil {
			t.Fatal(err)
		}
		unblocks(t, fd)
		_ = syscall.Close(r)
	}
	closes(t, fd)
	return w
}

// What gets the number of a closed descriptor next does not reach those who watched that: neither
// when it is not watched at all nor when it is watched anew.
func TestAddReader_numberUsedAgain(t *testing.T) {
	told := newReports()
	held, on := make(chan struct{}), make(chan struct{})
	defer func() {
		select {
		case <-on:
		default:
			close(on)
		}
	}()
	l := start(t, told.option())
	r, w := barePipe(t)
	closes(t, w)
	var tr trace
	adds(t, l, r, func() { tr.add("stale"); l.RemoveReader(r) })
	if err := l.AddWriter(r, func() { tr.add("stale writer"); l.RemoveWriter(r) }); err != nil && !errors.Is(err, syscall.EPIPE) {
		t.Fatal(err)
	}
	waited := make(chan error)
	go func() { waited <- aio.Readable(l.Context(), r) }()
	waiting(1)
	l.CallSoon(func() { // nothing is looked at meanwhile but by the clean-up
		_ = syscall.Close(r)
		put(t, next(t, r), "new")
		close(held)
		<-on
	})
	<-held
	adds(t, l, r, func() { tr.add("fresh '%s'", get(t, r, 9)) })
	if err := <-waited; !errors.Is(err, os.ErrClosed) {
		t.Errorf("who waited for the one before has %v, want os.ErrClosed", err)
	}
	close(on)
	turn(t, l)
	turn(t, l)
	if !l.RemoveReader(r) || l.RemoveWriter(r) {
		t.Error("there was to be a reader, and no writer")
	}
	tr.check(t, "fresh 'new'")
	for _, f := range told.all() {
		if !errors.Is(f.Err, os.ErrClosed) {
			t.Errorf("told of %v", f.Err)
		}
	}
	if len(told.all()) == 0 {
		t.Error("that callbacks were dropped was not told of")
	}
}

// Readable of a number that is another file by now waits for that file.
func TestReadable_numberUsedAgain(t *testing.T) {
	run(t, func(ctx context.Context) error {
		r, w := barePipe(t)
		for range 3 {
			put(t, w, "x")
			if err := aio.Readable(ctx, r); err != nil {
				return err
			}
			get(t, r, 9)
			cancelled, cancel := context.WithCancel(ctx)
			waits := aio.Go(cancelled, aio.Do(func(ctx context.Context) error { return aio.Readable(ctx, r) }))
			if err := aio.Yield(ctx); err != nil {
				cancel()
				return err
			}
			cancel()
			_, _ = waits.Await(ctx)
			_, _ = syscall.Close(r), syscall.Close(w)
			w = next(t, r)
			reads := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return aio.Readable(ctx, r) }))
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			put(t, w, "y")
			if _, err := reads.Await(ctx); err != nil || get(t, r, 9) != "y" {
				t.Errorf("after it was used again: %v", err)
			}
		}
		return nil
	})
}

// What can't be waited for is refused also under a number that another file had, for which somebody waited.
func TestReadable_numberOfFile(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	run(t, func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		for name, wait := range map[string]func(ctx context.Context, fd int) error{
			"which was ready": aio.Readable,
			"which was waited for in vain": func(ctx context.Context, fd int) error {
				get(t, fd, 9)
				within, stop := aio.WithTimeout(ctx, time.Microsecond)
				defer stop()
				if err := aio.Readable(within, fd); !errors.Is(err, context.DeadlineExceeded) {
					return fmt.Errorf("waited in vain: %w", err)
				}
				return nil
			},
			"which had a callback": func(_ context.Context, fd int) error {
				adds(t, l, fd, func() {})
				l.RemoveReader(fd)
				return nil
			},
		} {
			r, w := pipe(t)
			put(t, w, "x")
			if err := wait(ctx, r); err != nil {
				return err
			}
			if err := dup2(int(file.Fd()), r); err != nil {
				return err
			}
			if err := aio.Readable(ctx, r); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("a file under a number %s: %v", name, err)
			}
		}
		return nil
	})
}

// A file that was closed under the number that is watched, but is open under another one too, goes on
// being reported by epoll, and can't be taken out. The callback is not called, that is told of, and
// the loop does not spin; what else it watches it still does.
func TestAddReader_closedDuplicate(t *testing.T) {
	told := newReports()
	l := start(t, told.option())
	r, w := barePipe(t)
	closes(t, w)
	other, err := syscall.Dup(r)
	if err != nil {
		t.Fatal(err)
	}
	closes(t, other)
	a, wa := pipe(t)
	got := make(chan string, 1)
	adds(t, l, a, func() { got <- get(t, a, 9) })
	ended := make(chan error, 1)
	b, wb := pipe(t)
	go func() { ended <- aio.Readable(l.Context(), b) }()
	waiting(1)
	adds(t, l, r, func() { t.Error("called") })
	on(t, l, func(context.Context) error {
		_ = syscall.Close(r)
		put(t, w, "x")
		return nil
	})
	<-told.told
	if err := told.all()[0].Err; !errors.Is(err, os.ErrClosed) {
		t.Errorf("told of %v", err)
	}
	turn(t, l)
	before := l.Stats().Iterations
	turn(t, l)
	turn(t, l)
	if n := l.Stats().Iterations - before; n > 10 {
		t.Errorf("%d iterations for nothing", n)
	}
	for range 3 {
		put(t, wa, "a")
		if text := <-got; text != "a" {
			t.Errorf("read %q", text)
		}
	}
	put(t, wb, "b")
	if err := <-ended; err != nil {
		t.Errorf("who waited for another one: %v", err)
	}
	if err := aio.Readable(l.Context(), other); err != nil {
		t.Errorf("the other number: %v", err)
	}
	l.RemoveReader(a)
}

// What goes on being reported of a closed descriptor, whose file is open under another number too, is not taken for what has
// the number by then, be that watched or not.
func TestAddReader_reportOfFileBefore(t *testing.T) {
	for name, watched := range map[string]bool{"the next one is watched": true, "nothing is": false} {
		t.Run(name, func(t *testing.T) {
			l := start(t, newReports().option())
			r, w := barePipe(t)
			closes(t, w)
			other, err := syscall.Dup(r)
			if err != nil {
				t.Fatal(err)
			}
			closes(t, other)
			a, wa := pipe(t)
			got := make(chan string, 1)
			adds(t, l, a, func() { got <- get(t, a, 9) }) // so that the loop looks
			defer l.RemoveReader(a)
			adds(t, l, r, func() { t.Error("the callback of the file before is called") })
			var tr trace
			newer := -1
			on(t, l, func(context.Context) error {
				if _ = syscall.Close(r); watched {
					newer = next(t, r)
					adds(t, l, r, func() { tr.add("'%s'", get(t, r, 9)) })
				} else {
					l.RemoveReader(r)
				}
				put(t, w, "x")
				return nil
			})
			turn(t, l)
			turn(t, l)
			want := ""
			if watched {
				on(t, l, func(context.Context) error { put(t, newer, "new"); return nil })
				turn(t, l)
				turn(t, l)
				want = "'new'"
			}
			tr.check(t, want)
			put(t, wa, "a")
			if text := <-got; text != "a" {
				t.Errorf("read %q of another one", text)
			}
		})
	}
}

// Of many, too: each is found, though only some are looked at at a time.
func TestAddReader_closedMany(t *testing.T) {
	told := newReports()
	l := start(t, told.option())
	r, _ := pipe(t)
	const n = 400
	var fds []int
	for range n {
		fd, err := syscall.Dup(r)
		if err != nil {
			t.Fatal(err)
		}
		syscall.CloseOnExec(fd)
		fds = append(fds, fd)
	}
	for _, fd := range fds {
		adds(t, l, fd, func() { t.Error("called") })
	}
	for _, fd := range fds {
		_ = syscall.Close(fd)
	}
	for range n {
		<-told.told
	}
	if got := len(told.all()); got != n {
		t.Errorf("told of %d, want %d", got, n)
	}
}
