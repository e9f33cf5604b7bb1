//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aio_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Goroutines and tasks that watch, write, close and open the same few numbers at once. What counts is
// that nothing hangs, races or is lost: each wait ends, and each that ends well finds its byte in the
// end, as those who write it also read it.
func TestDescriptors_stress(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	told := newReports()
	l := start(t, told.option())
	const workers, rounds = 6, 150
	var busy sync.WaitGroup
	shared, sharedW := pipe(t) // watched by all of them
	work := func(ctx context.Context, random *rand.Rand) error {
		for range rounds {
			r, w := barePipe(t)
			var err error
			switch random.IntN(5) {
			case 0: // a wait that is granted
				time.AfterFunc(time.Duration(random.IntN(100))*time.Microsecond, func() { put(t, w, "x") })
				if err = aio.Readable(ctx, r); err == nil && get(t, r, 9) != "x" {
					t.Error("readable, with nothing to read")
				}
			case 1: // one that is not
				soon, cancel := aio.WithTimeout(ctx, time.Duration(random.IntN(100))*time.Microsecond)
				if err = aio.Readable(soon, r); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("an empty pipe: %v", err)
				}
				err = nil
				cancel()
			case 2: // a callback that comes to its end
				done := make(chan string, 1)
				err = l.AddReader(r, func() {
					l.RemoveReader(r) // before anybody else can have the number
					done <- get(t, r, 9)
				})
				put(t, w, "y")
				err = errors.Join(err, onlyWaits(ctx, func() {
					if text := <-done; text != "y" {
						t.Errorf("a callback read %q", text)
					}
				}))
			case 3: // closed under us
				err = l.AddReader(r, func() {})
				if random.IntN(2) == 0 {
					l.RemoveReader(r)
				}
			case 4: // what all watch
				_ = l.AddReader(shared, func() { get(t, shared, 1) })
				put(t, sharedW, "z")
				l.RemoveReader(shared)
				_ = l.AddWriter(sharedW, func() { l.RemoveWriter(sharedW) })
			}
			_, _ = syscall.Close(r), syscall.Close(w)
			if err != nil && !errors.Is(err, os.ErrClosed) {
				return err
			}
		}
		return nil
	}
	for i := range workers {
		busy.Add(1)
		random := rand.New(rand.NewPCG(1, uint64(i)))
		go func() {
			defer busy.Done()
			if i%2 == 0 {
				on(t, l, func(ctx context.Context) error { return work(ctx, random) })
			} else if err := work(l.Context(), random); err != nil {
				t.Error(err)
			}
		}()
	}
	busy.Wait()
	l.RemoveReader(shared)
	l.RemoveWriter(sharedW)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	for _, f := range told.all() {
		if !errors.Is(f.Err, os.ErrClosed) {
			t.Errorf("told of %v", f.Err)
		}
	}
}

// onlyWaits waits for what a callback brings: not on the loop.
func onlyWaits(ctx context.Context, wait func()) error {
	if !aio.InTask() {
		wait()
		return nil
	}
	_, err := aio.Blocking(ctx, func(context.Context) (int, error) { wait(); return 0, nil })
	return err
}
