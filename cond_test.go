package aio_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

func TestCond_misuse(t *testing.T) {
	panics(t, "NewCond needs a Mutex", func() { aio.NewCond(nil) })
	panics(t, "NewCond", func() { _ = new(aio.Cond).Wait(t.Context()) })
	var m aio.Mutex
	c := aio.NewCond(&m)
	panics(t, "not locked", func() { _ = c.Wait(t.Context()) })
	panics(t, "not locked", func() { _ = c.WaitFor(t.Context(), func() bool { return true }) })
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	panics(t, "not locked", func() { _ = c.Wait(ended) })
	if !m.TryLock() {
		t.Error("a Wait that panicked holds the mutex")
	}
}

// Whatever Wait returns, the mutex is the caller's again, however long that takes.
func TestCond_holdsTheMutex(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		var m aio.Mutex
		c := aio.NewCond(&m)
		holds := 0 // guarded by m, which -race must agree with
		ctx, cancel := context.WithCancelCause(context.Background())
		waiter := func(own context.Context) error {
			if err := m.Lock(own); err != nil {
				return err
			}
			defer m.Unlock()
			err := c.Wait(ctx)
			checkErr(t, "Wait", err, context.Canceled, errCause)
			if m.TryLock() {
				t.Error("the mutex was free")
			}
			seen := holds
			if err := aio.Sleep(own, time.Second); err != nil {
				return err
			}
			if holds = seen + 1; holds > 3 {
				t.Errorf("%d were inside at once", holds)
			}
			checkErr(t, "Wait under a ctx that has ended", c.Wait(ctx), context.Canceled, errCause)
			return nil
		}
		waits := []func() error{a(waiter), b(waiter), a(waiter)}
		synctest.Wait()
		if !m.TryLock() {
			t.Fatal("somebody waits with the mutex locked")
		}
		cancel(errCause)
		_ = aio.Sleep(t.Context(), time.Minute) // they want it, and we have it
		if holds != 0 {
			t.Error("somebody went on without the mutex")
		}
		m.Unlock()
		finish(t, waits...)
		if holds != 3 || !m.TryLock() {
			t.Errorf("%d went on, want 3", holds)
		}
	})
}

// As in CPython a Wait that ends with an error wakes the next one, whether or not it was woken itself; so also one whose ctx ends while it
// waits for the mutex.
func TestCond_errorWakesTheNext(t *testing.T) {
	for _, signalled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := start(t)
			var m aio.Mutex
			c := aio.NewCond(&m)
			wait := func() *aio.Task[struct{}] {
				return aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
					if err := m.Lock(ctx); err != nil {
						return err
					}
					defer m.Unlock()
					return c.Wait(ctx)
				}))
			}
			first, second, third := wait(), wait(), wait()
			synctest.Wait()
			if signalled {
				m.TryLock()
				c.Signal()
				synctest.Wait() // it is woken, and waits for the mutex
			}
			first.Cancel(errCause)
			if signalled {
				synctest.Wait()
				if first.State() != aio.Pending {
					t.Error("the first did not wait for the mutex")
				}
				m.Unlock()
			}
			synctest.Wait()
			_, err := first.Result()
			checkErr(t, "the first", err, aio.ErrCancelled, errCause)
			if _, err := second.Result(); err != nil {
				t.Errorf("the second: %v", err)
			}
			if third.State() != aio.Pending {
				t.Error("one error woke two")
			}
			c.Broadcast()
			synctest.Wait()
			if _, err := third.Result(); err != nil {
				t.Errorf("the third: %v", err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A task that Close gives up on while it waits to have the mutex again goes without it. What it deferred must not unlock it for whoever
// has it.
func TestCond_givenUpWithoutTheMutex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, aio.WithGrace(time.Second), quiet())
		var m aio.Mutex
		c := aio.NewCond(&m)
		went := 0
		for range 2 {
			aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
				if err := m.Lock(ctx); err != nil {
					return err
				}
				defer func() { went++ }()
				defer m.Unlock()
				err := c.Wait(ctx)
				t.Error("Wait returned without the mutex")
				return err
			}))
		}
		synctest.Wait()
		if !m.TryLock() {
			t.Fatal("somebody waits with the mutex locked")
		}
		c.Broadcast()
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if went != 2 {
			t.Errorf("%d of 2 have cleaned up", went)
		}
		if m.TryLock() {
			t.Error("a task that was given up has unlocked what another has locked")
		}
		m.Unlock()
		if !m.TryLock() {
			t.Error("the holder's Unlock was taken for that of a task that is gone")
		}
	})
}

// One that has got the mutex again, and is given up before it runs, has it: else it would be lost to those behind.
func TestCond_givenUpWithTheMutex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t, aio.WithGrace(time.Second), quiet())
		var m aio.Mutex
		c := aio.NewCond(&m)
		held := false
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			if err := m.Lock(ctx); err != nil {
				return err
			}
			defer m.Unlock()
			err := c.Wait(ctx)
			held = true
			return err
		}))
		synctest.Wait()
		m.TryLock()
		c.Signal()
		synctest.Wait()                    // it waits for the mutex
		l.CallLater(time.Second, m.Unlock) // in the very iteration in which the grace period ends, and before
		behind := make(chan error)
		go func() { behind <- m.Lock(context.Background()) }()
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if !held {
			t.Error("Wait did not return, though it had the mutex")
		}
		if err := <-behind; err != nil {
			t.Errorf("the one behind: %v", err)
		}
	})
}

// Under a context that has ended Wait lets go of nothing and wakes nobody; WaitFor does not even ask.
func TestCond_endedLetsGoOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			var m aio.Mutex
			c := aio.NewCond(&m)
			ended, cancel := context.WithCancelCause(ctx)
			cancel(errCause)
			woken, locked := 0, 0
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				if err := m.Lock(ctx); err != nil {
					return err
				}
				defer m.Unlock()
				err := c.Wait(ctx)
				woken++
				return err
			}))
			_ = aio.Yield(ctx)
			if err := m.Lock(ctx); err != nil {
				return err
			}
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				err := m.Lock(ctx)
				locked++
				m.Unlock()
				return err
			}))
			_ = aio.Yield(ctx)
			checkErr(t, "Wait", c.Wait(ended), context.Canceled, errCause)
			checkErr(t, "WaitFor", c.WaitFor(ended, func() bool { t.Error("it was asked"); return true }), context.Canceled, errCause)
			_ = aio.Sleep(ctx, time.Second)
			if locked != 0 {
				t.Error("somebody else got the mutex meanwhile")
			}
			m.Unlock()
			_ = aio.Sleep(ctx, time.Second)
			if woken != 0 || locked != 1 {
				t.Errorf("%d were woken, %d got the mutex, want 0 and 1", woken, locked)
			}
			c.Signal()
			return nil
		})
	})
}
