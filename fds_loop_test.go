//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aio_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// By a clock of its own a loop watches as well: time passes while it waits, and an event arrives at
// the time that the clock then shows.
func TestReadable_clock(t *testing.T) {
	aiotest.Run(t, func(ctx context.Context) error {
		r, w := pipe(t)
		began := aio.Now(ctx)
		reader := aio.Go(ctx, func(ctx context.Context) (time.Duration, error) {
			err := aio.Readable(ctx, r)
			return aio.Now(ctx).Sub(began), err
		})
		if err := aio.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		if reader.State() != aio.Pending {
			t.Error("read before there was anything")
		}
		go put(t, w, "x") // from outside, while nothing is due
		after, err := reader.Await(ctx)
		if after != time.Hour {
			t.Errorf("the event arrived after %v, want an hour", after)
		}
		soon, cancel := aio.WithTimeout(ctx, time.Minute)
		defer cancel()
		get(t, r, 9)
		if err := aio.Readable(soon, r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a deadline: %v", err)
		}
		if after := aio.Now(ctx).Sub(began); after != time.Hour+time.Minute {
			t.Errorf("the deadline came after %v", after)
		}
		return err
	})
}

// In a bubble too, with and without a clock, and nothing is left of it.
func TestReadable_bubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := pipe(t)
		l := start(t)
		begun := make(chan struct{})
		reader := aio.Submit(t.Context(), l, func(ctx context.Context) (string, error) {
			close(begun)
			err := aio.Readable(ctx, r)
			return get(t, r, 9), err
		})
		<-begun
		put(t, w, "x")
		if text, err := reader.Await(t.Context()); err != nil || text != "x" {
			t.Errorf("read %q, %v", text, err)
		}
		on(t, l, func(ctx context.Context) error { return aio.Sleep(ctx, time.Hour) })
		adds(t, l, r, func() { t.Error("called") })
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Loop.Tasks says which descriptor a task waits for.
func TestReadable_tasks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		a, _ := pipe(t)
		soon, cancel := context.WithCancel(ctx)
		defer cancel()
		_, w := pipe(t)
		fill(t, w)
		reads := aio.Go(soon, aio.Do(func(ctx context.Context) error { return aio.Readable(ctx, a) }), aio.Named("reads"))
		writes := aio.Go(soon, aio.Do(func(ctx context.Context) error { return aio.Writable(ctx, w) }), aio.Named("writes"))
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		on := map[string]string{}
		for _, info := range l.Tasks() {
			on[info.Name] = info.On
		}
		if want := fmt.Sprintf("reading of descriptor %d", a); on["reads"] != want {
			t.Errorf("%q, want %q", on["reads"], want)
		}
		if want := fmt.Sprintf("writing of descriptor %d", w); on["writes"] != want {
			t.Errorf("%q, want %q", on["writes"], want)
		}
		cancel()
		_, _ = reads.Await(ctx)
		_, _ = writes.Await(ctx)
		return nil
	})
}

// Close lets go of everything: who waits, callbacks, and the descriptors of the loop itself.
func TestClose_descriptors(t *testing.T) {
	before := countOpen(t)
	for range 20 {
		l := aio.Start(complains(t))
		r, w := barePipe(t)
		adds(t, l, r, func() { t.Error("called") })
		ended := make(chan error)
		wait := func(ctx context.Context) { ended <- aio.Readable(ctx, r) }
		go wait(context.WithoutCancel(l.Context()))
		go wait(l.Context())
		waiting(2)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := <-ended; !errors.Is(err, aio.ErrClosed) {
				t.Errorf("who waited has %v, want ErrClosed", err)
			}
		}
		if l.RemoveReader(r) {
			t.Error("a closed loop has a reader")
		}
		_ = syscall.Close(r)
		_ = syscall.Close(w)
	}
	if after := countOpen(t); after > before {
		t.Errorf("%d descriptors are open, %d were before", after, before)
	}
}

// countOpen is how many there are.
func countOpen(t testing.TB) (n int) {
	t.Helper()
	for fd := range 4096 {
		var s syscall.Stat_t
		if syscall.Fstat(fd, &s) == nil {
			n++
		}
	}
	return n
}
