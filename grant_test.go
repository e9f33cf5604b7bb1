package aio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// What was granted to a waiter whose context ends before it runs goes to the next one; it is neither taken nor lost.
//
// grants are things with one waiter's worth to hand out by next, and taken to undo what a successful wait took.
type grant struct {
	wait  func(ctx context.Context) error
	next  func()
	close func()
}

func grants() map[string]func() grant {
	return map[string]func() grant{
		"Get": func() grant {
			q := aio.NewQueue[int](0)
			return grant{func(ctx context.Context) error { _, err := q.Get(ctx); return err }, func() { _ = q.TryPut(1) }, func() {}}
		},
		"Put": func() grant {
			q := aio.NewQueue[int](1)
			_ = q.TryPut(0)
			return grant{func(ctx context.Context) error { return q.Put(ctx, 1) }, func() { _, _ = q.TryGet() }, func() {}}
		},
		"Lock": func() grant {
			var m aio.Mutex
			m.TryLock()
			return grant{m.Lock, m.Unlock, func() {}}
		},
		"Acquire": func() grant {
			s := aio.NewSemaphore(0)
			return grant{s.Acquire, s.Release, func() {}}
		},
		"Submit": func() grant {
			p := aio.NewPool(aio.PoolConfig{Workers: 1})
			work := make(chan struct{})
			hold := func() { <-work }
			_ = p.Submit(context.Background(), hold)
			return grant{func(ctx context.Context) error { return p.Submit(ctx, hold) },
				func() { work <- struct{}{}; synctest.Wait() }, func() { close(work); p.Close() }}
		},
	}
}

// In a task the grant and the end can come in either order within one step of the loop, before the waiter runs.
func TestGrant_goesOnFromATask(t *testing.T) {
	for name, make := range grants() {
		if name == "Submit" {
			continue // its grant comes from a worker: see the next test
		}
		for _, grantFirst := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s granted first %v", name, grantFirst), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					run(t, func(ctx context.Context) error {
						g := make()
						defer g.close()
						ended, cancel := context.WithCancelCause(ctx)
						defer cancel(nil)
						wait := func(ctx context.Context) *aio.Task[struct{}] { return aio.Go(ctx, aio.Do(g.wait)) }
						first, second, third := wait(ended), wait(ctx), wait(ctx)
						if err := aio.Yield(ctx); err != nil {
							return err
						}
						if grantFirst {
							g.next()
							cancel(errCause)
						} else {
							cancel(errCause)
							g.next()
						}
						_, err := first.Await(ctx)
						checkErr(t, "the first", err, aio.ErrCancelled, errCause)
						if _, err := second.Await(ctx); err != nil {
							t.Errorf("the second: %v", err)
						}
						if err := aio.Sleep(ctx, time.Second); err != nil {
							return err
						}
						if third.State() != aio.Pending {
							t.Error("one grant woke two")
						}
						g.next()
						_, err = third.Await(ctx)
						return err
					})
				})
			})
		}
	}
}

// From goroutines nobody can order the two; whichever wins, nothing is lost and nothing is granted twice.
func TestGrant_raceWithTheEnd(t *testing.T) {
	for name, make := range grants() {
		for _, kind := range []string{"task", "goroutine", "both"} {
			t.Run(name+" from "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := start(t)
					for range 50 {
						raceGrantWithEnd(t, l, make(), kind)
					}
					if err := l.Close(); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

func raceGrantWithEnd(t *testing.T, l *aio.Loop, g grant, kind string) {
	callers := map[string][]caller{
		"task":      {fromTask(l), fromTask(l)},
		"goroutine": {fromGoroutine(l.Context()), fromGoroutine(context.Background())},
		"both":      {fromTask(l), fromGoroutine(context.Background())},
	}[kind]
	ctx, cancel := context.WithCancelCause(context.Background())
	first := callers[0](func(context.Context) error { return g.wait(ctx) })
	synctest.Wait()
	second := callers[1](func(own context.Context) error { return g.wait(own) })
	synctest.Wait()
	ended := make(chan struct{})
	go func() { cancel(errCause); close(ended) }()
	g.next()
	<-ended
	switch err := first(); {
	case err == nil: // the grant won: the second has another
		g.next()
	case !errors.Is(err, errCause):
		t.Errorf("the first: %v", err)
	}
	if err := second(); err != nil { // the bubble calls it a deadlock if the grant is lost
		t.Errorf("the second: %v", err)
	}
	g.close()
}

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
