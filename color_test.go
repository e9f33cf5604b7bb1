package aio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// One color: each primitive passes one suite, from tasks, from goroutines and from both at once. Who plays a part is a caller:
// it runs fn and returns a function that waits for its error.
type caller func(fn func(ctx context.Context) error) (wait func() error)

func fromTask(l *aio.Loop) caller {
	return func(fn func(context.Context) error) func() error {
		t := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			if !aio.InTask() {
				return errors.New("a task does not know that it is one")
			}
			return fn(ctx)
		}))
		return func() error { _, err := t.Await(context.Background()); return err }
	}
}

// A goroutine with a ctx of the loop, and one that knows no loop.
func fromGoroutine(ctx context.Context) caller {
	return func(fn func(context.Context) error) func() error {
		err := make(chan error, 1)
		go func() {
			if aio.InTask() {
				err <- errors.New("a goroutine takes itself for a task")
				return
			}
			err <- fn(ctx)
		}()
		return func() error { return <-err }
	}
}

// each runs body with two callers, in every mixture, in a bubble.
func each(t *testing.T, body func(t *testing.T, a, b caller)) {
	kinds := []string{"task", "goroutine", "goroutine without a loop", "task of another loop"}
	for i, first := range kinds {
		for j, second := range kinds {
			t.Run(first+" and "+second, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l, other := start(t), start(t)
					callers := []caller{fromTask(l), fromGoroutine(l.Context()), fromGoroutine(context.Background()), fromTask(other)}
					body(t, callers[i], callers[j])
					if err := errors.Join(l.Close(), other.Close()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

func finish(t *testing.T, waits ...func() error) {
	t.Helper()
	for _, wait := range waits {
		if err := wait(); err != nil {
			t.Error(err)
		}
	}
}

func TestColor_queue(t *testing.T) {
	each(t, func(t *testing.T, producer, consumer caller) {
		const n = 200
		for _, limit := range []int{0, 1, 3} {
			q := aio.NewQueue[int](limit)
			var got []int
			finish(t, producer(func(ctx context.Context) error {
				for i := range n {
					if err := q.Put(ctx, i); err != nil {
						return err
					}
				}
				return nil
			}), consumer(func(ctx context.Context) error {
				for range n {
					v, err := q.Get(ctx)
					if err != nil {
						return err
					}
					got = append(got, v)
				}
				return nil
			}))
			if !slices.IsSorted(got) || len(got) != n || q.Len() != 0 {
				t.Errorf("limit %d: %d items came, sorted %v, %d are left", limit, len(got), slices.IsSorted(got), q.Len())
			}
		}
	})
}

func TestColor_mutex(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		var m aio.Mutex
		n := 0 // guarded by m, which -race must agree with
		count := func(ctx context.Context) error {
			for range 100 {
				if err := m.Lock(ctx); err != nil {
					return err
				}
				seen := n
				if err := aio.Yield(ctx); err != nil {
					return err
				}
				n = seen + 1
				m.Unlock()
			}
			return nil
		}
		finish(t, a(count), b(count), a(count))
		if n != 300 {
			t.Errorf("counted %d, want 300", n)
		}
	})
}

func TestColor_semaphore(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		s := aio.NewSemaphore(2)
		var m aio.Mutex
		inside, most := 0, 0 // guarded by m
		enter := func(ctx context.Context, by int) error {
			err := m.Lock(ctx)
			inside += by
			most = max(most, inside)
			m.Unlock()
			return err
		}
		use := func(ctx context.Context) error {
			for range 50 {
				err := s.Acquire(ctx)
				err = errors.Join(err, enter(ctx, 1), aio.Sleep(ctx, time.Millisecond), enter(ctx, -1))
				s.Release()
				if err != nil {
					return err
				}
			}
			return nil
		}
		finish(t, a(use), b(use), a(use), b(use))
		if most != 2 {
			t.Errorf("at most %d were inside at once, want 2", most)
		}
		free := 0
		for s.TryAcquire() {
			free++
		}
		if free != 2 {
			t.Errorf("%d permits at the end, want 2", free)
		}
	})
}

func TestColor_event(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		var e, back aio.Event
		finish(t, a(func(ctx context.Context) error {
			for range 20 {
				if err := e.Wait(ctx); err != nil {
					return err
				}
				e.Clear()
				back.Set()
			}
			return nil
		}), b(func(ctx context.Context) error {
			for range 20 {
				e.Set()
				if err := back.Wait(ctx); err != nil {
					return err
				}
				back.Clear()
			}
			return nil
		}))
	})
}

func TestColor_futures(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		p := aio.NewPromise[int]()
		q := aio.NewPromise[int]()
		finish(t, a(func(ctx context.Context) error {
			v, err := p.Await(ctx)
			q.Resolve(v + 1)
			return err
		}), b(func(ctx context.Context) error {
			if err := aio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			p.Resolve(1)
			vs, err := aio.Gather(ctx, p, q)
			if err == nil && !slices.Equal(vs, []int{1, 2}) {
				err = fmt.Errorf("Gather: %v", vs)
			}
			return err
		}), a(func(ctx context.Context) error {
			done, pending, err := aio.Wait(ctx, aio.AllDone, q, p)
			if err == nil && (len(done) != 2 || len(pending) != 0) {
				err = fmt.Errorf("Wait: %d done, %d pending", len(done), len(pending))
			}
			return err
		}))
	})
}

// What needs a loop says so without one, and otherwise is of one color, too.
func TestColor_needsALoop(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		use := func(ctx context.Context) error {
			_, loop := aio.LoopOf(ctx)
			n := 0 // of the members, which run on one loop
			groupErr := aio.WithGroup(ctx, func(ctx context.Context) error {
				for range 5 {
					aio.Go(ctx, aio.Do(func(ctx context.Context) error { n++; return aio.Sleep(ctx, time.Second) }))
				}
				return nil
			})
			forErr := aio.ForEach(ctx, 2, slices.Values([]int{1, 2, 3}), func(ctx context.Context, i int) error {
				n += i
				return aio.Sleep(ctx, time.Second)
			})
			v, goErr := aio.Go(ctx, value(7)).Await(ctx)
			if !loop {
				if groupErr != aio.ErrNoLoop || forErr != aio.ErrNoLoop || goErr != aio.ErrNoLoop || n != 0 {
					return fmt.Errorf("without a loop: %v, %v, %v, want ErrNoLoop", groupErr, forErr, goErr)
				}
				return nil
			}
			if n != 11 || v != 7 {
				return fmt.Errorf("%d of 11 and %d of 7: %w", n, v, errors.Join(groupErr, forErr, goErr))
			}
			return errors.Join(groupErr, forErr, goErr)
		}
		finish(t, a(use), b(use))
	})
}

func TestColor_executors(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		p := aio.NewPool(aio.PoolConfig{Workers: 1, Queue: 1})
		var m aio.Mutex
		sum := 0 // guarded by m
		use := func(ctx context.Context) error {
			for i := range 20 {
				accepted := make(chan struct{})
				if err := p.Submit(ctx, func() { close(accepted) }); err != nil {
					return err
				}
				v, err := aio.InExecutor(ctx, p, func(context.Context) (int, error) { return i, nil }).Await(ctx)
				w, err2 := aio.Blocking(ctx, func(context.Context) (int, error) { <-accepted; return i, nil })
				err3 := m.Lock(ctx)
				sum += v + w
				m.Unlock()
				if err := errors.Join(err, err2, err3); err != nil {
					return err
				}
			}
			return nil
		}
		finish(t, a(use), b(use), b(use))
		if sum != 3*2*190 {
			t.Errorf("the calls gave %d, want %d", sum, 3*2*190)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if s := p.Stats(); s != (aio.PoolStats{Done: 120}) {
			t.Errorf("afterwards the pool says %+v", s)
		}
	})
}
