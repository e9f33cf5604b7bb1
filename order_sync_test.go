package aio_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// The programs of TestOrder_asCPython about primitives and cancellation.

func queueInOrder(s *script) error {
	q := aio.NewQueue[int](1)
	var ts []*aio.Task[struct{}]
	do := func(fn func(context.Context) error) { ts = append(ts, aio.Go(s.ctx, aio.Do(fn))) }
	put := func(v int) {
		do(func(ctx context.Context) error {
			err := q.Put(ctx, v)
			s.log("put %d", v)
			return err
		})
	}
	for _, name := range []string{"a", "b", "c"} {
		do(func(ctx context.Context) error {
			s.log("%s gets", name)
			v, err := q.Get(ctx)
			s.log("%s got %d", name, v)
			return err
		})
	}
	s.yield()
	err := q.TryPut(1)
	v, err2 := q.TryGet()
	s.log("barged %d", v)
	s.yield()
	put(2)
	put(3)
	put(4)
	await(s, ts...)
	ts = nil
	put(5)
	put(6)
	put(7)
	s.yield()
	v, err3 := q.TryGet()
	s.log("took %d", v)
	err4 := q.TryPut(8)
	s.yield()
	s.yield()
	for range 3 {
		v, err := q.Get(s.ctx)
		if err != nil {
			return err
		}
		s.log("main got %d", v)
	}
	await(s, ts...)
	return errors.Join(err, err2, err3, err4)
}

func lockInOrder(s *script) error {
	var lock aio.Mutex
	task := func(name string) {
		aio.Go(s.ctx, aio.Do(func(ctx context.Context) error {
			if err := lock.Lock(ctx); err != nil {
				return err
			}
			s.log("%s has it", name)
			err := aio.Yield(ctx)
			lock.Unlock()
			s.log("%s left", name)
			return err
		}))
	}
	task("a")
	task("b")
	task("c")
	s.yield()
	s.yield()
	// Between a's Unlock and b's turn the lock is free in CPython's words; ours has no word for it, but nobody may barge in.
	if lock.TryLock() {
		return errors.New("TryLock overtook b")
	}
	s.log("locked False")
	if err := lock.Lock(s.ctx); err != nil {
		return err
	}
	s.log("main has it")
	task("d")
	s.yield()
	lock.Unlock()
	if err := lock.Lock(s.ctx); err != nil {
		return err
	}
	s.log("main has it again")
	lock.Unlock()
	return nil
}

func semaphoreInOrder(s *script) error {
	sem := aio.NewSemaphore(2)
	var ts []*aio.Task[struct{}]
	for steps, name := range []string{"a", "b", "c", "d", "e"} {
		ts = append(ts, aio.Go(s.ctx, aio.Do(func(ctx context.Context) error {
			err := sem.Acquire(ctx)
			s.log("%s has one", name)
			for range steps {
				err = errors.Join(err, aio.Yield(ctx))
			}
			sem.Release()
			s.log("%s left", name)
			return err
		})))
	}
	s.yield()
	if err := sem.Acquire(s.ctx); err != nil {
		return err
	}
	s.log("main has one")
	sem.Release()
	sem.Release()
	await(s, ts...)
	s.log("all left")
	return nil
}

func eventInOrder(s *script) error {
	var e aio.Event
	var ts []*aio.Task[struct{}]
	task := func(name string) {
		ts = append(ts, aio.Go(s.ctx, aio.Do(func(ctx context.Context) error {
			err := e.Wait(ctx)
			s.log("%s saw it, now %s", name, map[bool]string{true: "True", false: "False"}[e.IsSet()])
			return err
		})))
	}
	task("a")
	task("b")
	s.yield()
	e.Set()
	e.Clear()
	task("c")
	s.yield()
	s.yield()
	s.log("again")
	e.Set()
	if err := e.Wait(s.ctx); err != nil {
		return err
	}
	s.log("a set event does not suspend")
	await(s, ts...)
	return nil
}

func cancelInOrder(s *script) error {
	// Who awaits a cancelled task in asyncio cancels what it awaits; ours does not, so each task here has a future of its own.
	task := func(name string, f *aio.Promise[int]) *aio.Task[int] {
		return aio.Go(s.ctx, func(ctx context.Context) (int, error) {
			s.log("%s begins", name)
			v, err := f.Await(ctx)
			if errors.Is(err, context.Canceled) {
				s.log("%s cancelled", name)
			}
			return v, err
		})
	}
	awaited := func(t *aio.Task[int]) {
		if _, err := t.Await(s.ctx); errors.Is(err, aio.ErrCancelled) {
			s.log("main sees it cancelled")
		}
	}
	a := task("a", aio.NewPromise[int]())
	s.yield()
	a.Cancel(nil)
	s.log("asked")
	awaited(a)
	b := task("b", aio.NewPromise[int]())
	b.OnDone(s.ctx, func(int, error) { s.log("b done") })
	b.Cancel(nil)
	awaited(b)
	g := aio.NewPromise[int]()
	c := task("c", g)
	s.yield()
	g.OnDone(s.ctx, func(int, error) { s.log("g done") })
	g.Cancel(nil)
	awaited(c)
	return nil
}

func timeoutInOrder(s *script) error {
	s.loop.CallLater(time.Second, s.chain("turn %d", 0))
	ctx, cancel := aio.WithTimeout(s.ctx, time.Second)
	defer cancel()
	if err := new(aio.Event).Wait(ctx); errors.Is(err, context.DeadlineExceeded) {
		s.log("timeout")
	}
	return aio.Sleep(s.ctx, time.Second)
}

func endInOrder(s *script) error {
	aio.Go(s.ctx, aio.Do(func(ctx context.Context) error {
		err := new(aio.Event).Wait(ctx)
		s.log("x cancelled")
		_ = aio.Yield(context.WithoutCancel(ctx))
		s.log("x cleaned up")
		return err
	}))
	s.yield()
	s.loop.CallSoon(func() {
		s.log("a")
		s.loop.CallSoon(s.logs("a1"))
		s.loop.CallSoon(func() { s.loop.CallSoon(s.logs("a2")) })
	})
	s.log("main ends")
	return nil
}

// CPython's heap is not stable, ours is: what is due at one time comes in the order it was armed, also where heaps get wide.
func TestOrder_equalDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		var got []int
		run(t, func(ctx context.Context) error {
			l, _ := aio.LoopOf(ctx)
			when := l.Now().Add(time.Second)
			for i := range n {
				switch i % 3 {
				case 0:
					l.CallAt(when, func() { got = append(got, i) })
				case 1:
					l.CallLater(time.Second, func() { got = append(got, i) })
				default:
					l.CallAt(when, func() { t.Error("a cancelled timer ran") }).Cancel()
					l.CallAt(when, func() { got = append(got, i) })
				}
			}
			return aio.Sleep(ctx, 2*time.Second)
		})
		if len(got) != n {
			t.Fatalf("%d of %d timers ran", len(got), n)
		}
		for i, v := range got {
			if i != v {
				t.Fatalf("timer %d ran in place %d", v, i)
			}
		}
	})
}

// What other goroutines hand over keeps the order in which each of them did it.
func TestOrder_ofOneGoroutine(t *testing.T) {
	l := start(t)
	const goroutines, n = 4, 1000
	got := make([][]int, goroutines) // loop only, until it has closed
	done := make(chan struct{})
	for g := range goroutines {
		go func() {
			for i := range n {
				if i%2 == 0 {
					l.CallSoon(func() { got[g] = append(got[g], i) })
				} else {
					aio.Submit(context.Background(), l, func(context.Context) (int, error) { got[g] = append(got[g], i); return 0, nil })
				}
			}
			done <- struct{}{}
		}()
	}
	for range goroutines {
		<-done
	}
	turn(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for g, list := range got {
		if len(list) != n {
			t.Fatalf("goroutine %d: %d of %d came", g, len(list), n)
		}
		for i, v := range list {
			if i != v {
				t.Fatalf("goroutine %d: item %d came in place %d", g, v, i)
			}
		}
	}
}
