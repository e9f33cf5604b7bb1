package aio_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio"
)

// A worker gets free, and the Submit that is to have it ends before it runs: both while the loop is held by one step.
func TestGrant_roomGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{Workers: 1})
		run(t, func(ctx context.Context) error {
			work := make(chan struct{})
			if err := p.Submit(ctx, hold(work)); err != nil {
				return err
			}
			ended, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			submit := func(ctx context.Context) *aio.Task[struct{}] {
				return aio.Go(ctx, aio.Do(func(ctx context.Context) error { return p.Submit(ctx, func() {}) }))
			}
			first, second := submit(ended), submit(ctx)
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			close(work)
			for p.Stats().Busy > 0 {
				runtime.Gosched() // a stall that is meant
			}
			cancel(errCause)
			_, err := first.Await(ctx)
			checkErr(t, "the first", err, aio.ErrCancelled, errCause)
			_, err = second.Await(ctx) // waits for ever if the room is lost
			return err
		})
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Of what was granted to somebody else nothing may be seen to be free meanwhile.
func TestGrant_noBargingIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			var m aio.Mutex
			s := aio.NewSemaphore(0)
			m.TryLock()
			a, b := aio.Go(ctx, aio.Do(m.Lock)), aio.Go(ctx, aio.Do(s.Acquire))
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			m.Unlock()
			s.Release()
			if m.TryLock() || s.TryAcquire() {
				t.Error("what was meant for a waiter was taken before it ran")
			}
			if _, err := aio.Gather(ctx, a, b); err != nil {
				return err
			}
			m.Unlock() // panics if a has not got it

			// As in CPython, a permit that is free can't be had past a waiter that is on its way.
			c := aio.Go(ctx, aio.Do(s.Acquire))
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			s.Release()
			s.Release()
			if s.TryAcquire() {
				t.Error("TryAcquire overtook a waiter that was woken")
			}
			if _, err := c.Await(ctx); err != nil {
				return err
			}
			if !s.TryAcquire() {
				t.Error("the second permit is lost")
			}
			if s.TryAcquire() {
				t.Error("all permits are taken")
			}
			return nil
		})
	})
}

func TestMutex_unlockOfUnlocked(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Unlock of an unlocked Mutex did not panic")
		}
	}()
	new(aio.Mutex).Unlock()
}

func TestQueue_try(t *testing.T) {
	q := aio.NewQueue[int](2)
	if _, err := q.TryGet(); err != aio.ErrEmpty {
		t.Errorf("TryGet of an empty queue: %v", err)
	}
	for i, want := range []error{nil, nil, aio.ErrFull} {
		if err := q.TryPut(i); err != want {
			t.Errorf("TryPut %d: %v, want %v", i, err, want)
		}
	}
	if v, err := q.TryGet(); v != 0 || err != nil || q.Len() != 1 {
		t.Errorf("TryGet: %v, %v, Len %d", v, err, q.Len())
	}
}
