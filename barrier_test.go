package aio_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

func TestBarrier_misuse(t *testing.T) {
	panics(t, "at least 1", func() { aio.NewBarrier(0) })
}

func TestBarrier_ofOne(t *testing.T) {
	b := aio.NewBarrier(1)
	for range 3 {
		if i, err := b.Wait(t.Context()); i != 0 || err != nil {
			t.Errorf("got %d, %v", i, err)
		}
	}
}

// Many generations from both sides: nobody is in the next before all have left the one before, and each has each index once.
func TestBarrier_generations(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		const parties, rounds = 4, 50
		bar := aio.NewBarrier(parties)
		var mu sync.Mutex
		indices := map[int][]int{} // guarded by mu; by round
		party := func(ctx context.Context) error {
			for round := range rounds {
				i, err := bar.Wait(ctx)
				if err != nil {
					return err
				}
				mu.Lock()
				indices[round] = append(indices[round], i)
				if round > 0 && len(indices[round-1]) != parties {
					t.Errorf("round %d was over before all had left %d", round, round-1)
				}
				mu.Unlock()
			}
			return nil
		}
		finish(t, a(party), b(party), a(party), b(party))
		for round, list := range indices {
			if slices.Sort(list); !slices.Equal(list, []int{0, 1, 2, 3}) {
				t.Errorf("round %d had the indices %v", round, list)
			}
		}
	})
}

// A cancelled waiter does not break the barrier, and its index goes to the next to arrive. (CPython's goes by the number of those inside,
// and so may give one twice and another to nobody.)
func TestBarrier_cancelled(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		bar := aio.NewBarrier(4)
		forever, over := context.WithCancel(context.Background())
		var all, gone []func() error
		arrive := func(c caller, want int) (cancel func()) {
			ctx, end := context.WithCancelCause(context.Background())
			wait := c(func(context.Context) error {
				i, err := bar.Wait(ctx)
				if want < 0 {
					checkErr(t, "cancelled", err, context.Canceled, errCause)
					return new(aio.Event).Wait(forever) // its place in the row is free for this
				}
				if i != want {
					t.Errorf("got the index %d (%v), want %d", i, err, want)
				}
				return err
			})
			if want < 0 {
				gone = append(gone, wait)
			} else {
				all = append(all, wait)
			}
			synctest.Wait()
			return func() { end(errCause); synctest.Wait() }
		}
		for round := range 2 {
			first := arrive(a, -1)
			second := arrive(b, -1)
			first()
			second() // nobody is left inside
			first = arrive(a, -1)
			second = arrive(b, -1)
			arrive(a, 2)
			if round == 0 {
				first, second = second, first
			}
			first()
			second()
			third := arrive(b, -1)
			arrive(a, 1)
			third()
			arrive(b, 0)
			arrive(a, 3)
		}
		finish(t, all...)
		over()
		for _, wait := range gone {
			checkErr(t, "what it waited for then", wait(), context.Canceled)
		}
	})
}

func TestBarrier_abortAndReset(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		bar := aio.NewBarrier(3)
		wait := func(want error) func(context.Context) error {
			return func(ctx context.Context) error {
				if _, err := bar.Wait(ctx); err != want {
					t.Errorf("got %v, want %v", err, want)
				}
				return nil
			}
		}
		for _, end := range []func(){bar.Abort, bar.Reset} {
			waits := []func() error{a(wait(aio.ErrBroken)), b(wait(aio.ErrBroken))}
			synctest.Wait()
			end()
			finish(t, waits...)
		}
		bar.Abort()
		finish(t, a(wait(aio.ErrBroken)), b(wait(aio.ErrBroken)))
		bar.Abort()
		bar.Reset()
		finish(t, a(wait(nil)), b(wait(nil)), a(wait(nil)))
	})
}

// Who arrives while the one before is still leaving waits, though there were enough for two.
func TestBarrier_waitsWhileDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			bar := aio.NewBarrier(2)
			var tr trace
			party := func(name string) *aio.Task[struct{}] {
				return aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					i, err := bar.Wait(ctx)
					tr.add("%s%d", name, i)
					return err
				}))
			}
			ts := []*aio.Task[struct{}]{party("a")}
			_ = aio.Yield(ctx)
			// In one step: the second party arrives, and a third, which must not find a barrier that is filling while a has not left.
			if i, err := bar.Wait(ctx); i != 1 || err != nil {
				t.Errorf("the last one got %d, %v", i, err)
			}
			short, cancel := aio.WithTimeout(ctx, time.Second)
			defer cancel()
			ts = append(ts, party("b"))
			if i, err := bar.Wait(short); i != 1 || err != nil { // waits outside, is woken when a leaves, and b runs before it does
				t.Errorf("of the next this one got %d, %v", i, err)
			}
			_, err := aio.Gather(ctx, ts...)
			tr.check(t, "a0 b0")
			return err
		})
	})
}

// Who comes to a broken barrier is not inside, though those who were have not run yet: else it would be the last one.
func TestBarrier_brokenIsNotFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			bar := aio.NewBarrier(2)
			first := aio.Go(ctx, bar.Wait)
			_ = aio.Yield(ctx)
			bar.Abort()
			if _, err := bar.Wait(ctx); err != aio.ErrBroken {
				t.Errorf("who comes: %v, want ErrBroken", err)
			}
			if _, err := first.Await(ctx); err != aio.ErrBroken {
				t.Errorf("who was there: %v, want ErrBroken", err)
			}
			return nil
		})
	})
}
