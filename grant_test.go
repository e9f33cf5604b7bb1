package aio_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// A worker gets free, and the Submit that has its room ends before it runs: both while the loop is held by one step. The
// call was accepted then, so it is run, and Submit says so; the next one has room after it.
func TestGrant_roomIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{Workers: 1})
		run(t, func(ctx context.Context) error {
			work := make(chan struct{})
			if err := p.Submit(ctx, hold(work)); err != nil {
				return err
			}
			ended, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			var tr trace
			submit := func(ctx context.Context, name string) *aio.Task[struct{}] {
				return aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					return p.Submit(ctx, func() { tr.add("%s", name) })
				}))
			}
			first, second := submit(ended, "first"), submit(ctx, "second")
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			close(work)
			stall(t, func() bool { return p.Stats().Done == 3 })
			cancel(errCause)
			_, err := first.Await(ctx)
			_, err2 := second.Await(ctx) // waits for ever if the room is lost
			err3 := p.Close()
			tr.check(t, "first second")
			return errors.Join(err, err2, err3)
		})
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

// meddling is a context in which something happens when it is asked for the n-th time: between the looks that a wait takes.
type meddling struct {
	context.Context
	left atomic.Int64
	do   func()
}

func (m *meddling) Value(k any) any {
	if m.left.Add(-1) == 0 {
		m.do()
	}
	return m.Context.Value(k)
}

// What is granted after a wait has looked, and before it is in the list, is not lost.
func TestGrant_whileTheWaitBegins(t *testing.T) {
	for name, k := range map[string]func() (wait func(context.Context) error, grant func()){
		"Mutex": func() (func(context.Context) error, func()) {
			m := new(aio.Mutex)
			m.TryLock()
			return m.Lock, m.Unlock
		},
		"Event":     func() (func(context.Context) error, func()) { e := new(aio.Event); return e.Wait, e.Set },
		"Semaphore": func() (func(context.Context) error, func()) { s := aio.NewSemaphore(0); return s.Acquire, s.Release },
		"Get": func() (func(context.Context) error, func()) {
			q := aio.NewQueue[int](0)
			return func(ctx context.Context) error { _, err := q.Get(ctx); return err }, func() { _ = q.TryPut(1) }
		},
		"Put": func() (func(context.Context) error, func()) {
			q := aio.NewQueue[int](1)
			_ = q.TryPut(1)
			return func(ctx context.Context) error { return q.Put(ctx, 2) }, func() { _, _ = q.TryGet() }
		},
		"Join": func() (func(context.Context) error, func()) {
			q := aio.NewQueue[int](0)
			_ = q.TryPut(1)
			return q.Join, q.TaskDone
		},
		"Await": func() (func(context.Context) error, func()) {
			p := aio.NewPromise[int]()
			return func(ctx context.Context) error { _, err := p.Await(ctx); return err }, func() { p.Resolve(1) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := start(t)
				asked := 0
				for n := 1; n <= 4; n++ {
					body := func(ctx context.Context) error {
						wait, grant := k()
						m := &meddling{Context: ctx, do: grant}
						m.left.Store(int64(n))
						defer func() { asked = max(asked, n-int(m.left.Load())) }()
						l.CallLater(time.Second, func() {
							if m.left.Load() > 0 { // so often it was not asked
								m.do()
							}
						})
						return wait(m)
					}
					on(t, l, body)
					if err := body(context.Background()); err != nil {
						t.Error(err)
					}
				}
				if asked == 0 {
					t.Error("the context was never asked")
				}
			})
		})
	}
}
