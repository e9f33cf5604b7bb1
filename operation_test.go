package aio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio"
)

// operation is a waiting operation of something that was made for it.
type operation struct {
	wait  func(ctx context.Context) error // has to wait, unless granted before
	grant func()                          // lets one wait end
	close func()                          // lets go of what it holds; may be nil
}

// operationKind is a row of the one table of everything that waits. TestOneColor has each pass the same cases, and waits() hands them
// to the tests of cancellation and of callbacks.
type operationKind struct {
	name string
	make func(n int) operation // n: how many waits will be let through

	all       bool // one grant lets all n waits end
	outcome   bool // what is done gives its outcome also under a ctx that has ended
	unready   bool // it waits, even when granted before
	unordered bool // each wait is for itself: there is no row in which they stand
	restless  bool // a wait that ends with an error wakes the next one, as in CPython: that looks and, if it must, queues anew
	aside     bool // the grant comes about on another goroutine
	loop      bool // needs a ctx with a loop
	holds     bool // goroutines, until closed
}

var operationKinds = []operationKind{
	{name: "Queue.Get", make: func(int) operation { return getting(new(aio.Queue[int])) }},
	{name: "Queue.Get by priority", make: func(int) operation { return getting(aio.NewPriorityQueue(0, lower)) }},
	{name: "Queue.Get of the newest", make: func(int) operation { return getting(aio.NewLIFOQueue[int](0)) }},
	{name: "Queue.Put", make: func(int) operation { return putting(aio.NewQueue[int](1)) }},
	{name: "Queue.Put by priority", make: func(int) operation { return putting(aio.NewPriorityQueue(1, lower)) }},
	{name: "Queue.Put of the newest", make: func(int) operation { return putting(aio.NewLIFOQueue[int](1)) }},
	{name: "Queue.All", make: ranging},
	{name: "Queue.Join", all: true, make: func(int) operation {
		var q aio.Queue[int]
		_ = q.TryPut(1)
		return operation{wait: q.Join, grant: q.TaskDone}
	}},
	{name: "Mutex.Lock", make: func(int) operation {
		var m aio.Mutex
		m.TryLock()
		return operation{wait: m.Lock, grant: m.Unlock}
	}},
	{name: "Semaphore.Acquire", make: func(int) operation {
		s := aio.NewSemaphore(0)
		return operation{wait: s.Acquire, grant: s.Release}
	}},
	{name: "Semaphore.Acquire, bounded", make: func(n int) operation {
		s := aio.NewBoundedSemaphore(n)
		for s.TryAcquire() {
		}
		return operation{wait: s.Acquire, grant: s.Release}
	}},
	{name: "Event.Wait", all: true, make: func(int) operation {
		var e aio.Event
		return operation{wait: e.Wait, grant: e.Set}
	}},
	{name: "Event.Wait under WithTimeout", all: true, make: func(int) operation {
		var e aio.Event
		return operation{grant: e.Set, wait: func(ctx context.Context) error {
			ctx, cancel := aio.WithTimeout(ctx, 1000*time.Hour)
			defer cancel()
			return e.Wait(ctx)
		}}
	}},
	{name: "Cond.WaitFor", restless: true, make: func(int) operation { return waitingFor((*aio.Cond).Signal) }},
	{name: "Cond.WaitFor, broadcast", unordered: true, make: func(int) operation { return waitingFor((*aio.Cond).Broadcast) }},
	{name: "Cond.Wait", all: true, unready: true, restless: true, make: func(int) operation {
		var m aio.Mutex
		c := aio.NewCond(&m)
		return operation{grant: c.Broadcast, wait: func(ctx context.Context) error {
			if err := m.Lock(ctx); err != nil {
				return err
			}
			defer m.Unlock()
			return c.Wait(ctx)
		}}
	}},
	{name: "Barrier.Wait", all: true, restless: true, aside: true, make: func(n int) operation {
		b := aio.NewBarrier(n + 1)
		wait := func(ctx context.Context) error { _, err := b.Wait(ctx); return err }
		return operation{wait: wait, grant: func() { go wait(context.Background()) }, close: b.Abort}
	}},
	{name: "Future.Await", all: true, outcome: true, make: func(int) operation {
		p := aio.NewPromise[int]()
		return operation{grant: func() { p.Resolve(1) }, wait: func(ctx context.Context) error { _, err := p.Await(ctx); return err }}
	}},
	{name: "Gather", all: true, outcome: true, make: func(int) operation {
		p := aio.NewPromise[int]()
		return operation{grant: func() { p.Resolve(1) }, wait: func(ctx context.Context) error { _, err := aio.Gather(ctx, p, p); return err }}
	}},
	{name: "Wait", all: true, unready: true, make: func(int) operation {
		p := aio.NewPromise[int]()
		return operation{grant: func() { p.Resolve(1) }, wait: func(ctx context.Context) error { _, _, err := aio.Wait(ctx, aio.AllDone, p); return err }}
	}},
	{name: "Sleep", all: true, unready: true, make: func(int) operation {
		return operation{grant: func() {}, wait: func(ctx context.Context) error { return aio.Sleep(ctx, time.Hour) }} // time passes anyway
	}},
	{name: "Poll", unordered: true, make: func(int) operation {
		var granted atomic.Int32
		try := func() (int, bool, error) {
			if n := granted.Load(); n > 0 && granted.CompareAndSwap(n, n-1) {
				return 1, true, nil
			}
			return 0, false, nil
		}
		return operation{grant: func() { granted.Add(1) }, wait: func(ctx context.Context) error { _, err := aio.Poll(ctx, time.Minute, try); return err }}
	}},
	{name: "Blocking", unordered: true, unready: true, aside: true, make: func(n int) operation {
		granted := make(chan struct{}, n)
		return operation{grant: func() { granted <- struct{}{} }, wait: func(ctx context.Context) error {
			_, err := aio.Blocking(ctx, aio.Do(func(ctx context.Context) error {
				select {
				case <-granted:
					return nil
				case <-ctx.Done():
					return fmt.Errorf("%w: %w", ctx.Err(), context.Cause(ctx))
				}
			}))
			return err
		}}
	}},
	{name: "Pool.Submit", aside: true, holds: true, make: func(int) operation {
		return submitting(aio.NewPool(aio.PoolConfig{Workers: 1}), 0)
	}},
	{name: "Thread.Submit", aside: true, holds: true, make: func(int) operation {
		return submitting(aio.NewThread(), 1024)
	}},
	{name: "WithGroup", all: true, unready: true, loop: true, make: func(int) operation {
		var e aio.Event
		return operation{grant: e.Set, wait: func(ctx context.Context) error {
			return aio.WithGroup(ctx, func(ctx context.Context) error { aio.Go(ctx, aio.Do(e.Wait)); return nil })
		}}
	}},
	{name: "ForEach", all: true, unready: true, loop: true, make: func(int) operation {
		var e aio.Event
		return operation{grant: e.Set, wait: func(ctx context.Context) error {
			return aio.ForEach(ctx, 2, slices.Values([]int{1, 2, 3}), func(ctx context.Context, _ int) error { return e.Wait(ctx) })
		}}
	}},
}

func lower(a, b int) bool { return a < b }

func getting(q *aio.Queue[int]) operation {
	return operation{
		wait:  func(ctx context.Context) error { _, err := q.Get(ctx); return err },
		grant: func() { _ = q.TryPut(1) },
	}
}

func putting(q *aio.Queue[int]) operation {
	_ = q.TryPut(1)
	return operation{
		wait:  func(ctx context.Context) error { return q.Put(ctx, 1) },
		grant: func() { _, _ = q.TryGet() },
	}
}

// ranging takes one item by All. What ends it without one is an error here.
func ranging(int) operation {
	var q aio.Queue[int]
	return operation{grant: func() { _ = q.TryPut(1) }, wait: func(ctx context.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				if err, _ = v.(error); !errors.Is(err, aio.ErrWouldDeadlock) {
					panic(v)
				}
				err = aio.ErrWouldDeadlock
			}
		}()
		for range q.All(ctx) {
			return nil
		}
		if ctx.Err() == nil {
			return errors.New("All ended, and neither the queue nor ctx had")
		}
		return fmt.Errorf("%w: %w", ctx.Err(), context.Cause(ctx))
	}}
}

// waitingFor waits at a condition until it has a token of its own.
func waitingFor(wake func(*aio.Cond)) operation {
	var m aio.Mutex
	c := aio.NewCond(&m)
	tokens := 0 // guarded by m
	return operation{
		wait: func(ctx context.Context) error {
			if err := m.Lock(ctx); err != nil {
				return err
			}
			defer m.Unlock() // panics if WaitFor has not locked it again
			err := c.WaitFor(ctx, func() bool { return tokens > 0 })
			if err == nil {
				tokens--
			}
			return err
		},
		grant: func() {
			if err := m.Lock(context.Background()); err != nil {
				panic(err)
			}
			tokens++
			wake(c)
			m.Unlock()
		},
	}
}

// submitting hands calls that last to an executor that is full: one runs, and so many wait.
func submitting(ex aio.Executor, waiting int) operation {
	work := make(chan struct{})
	began := make(chan struct{})
	call := func() { <-work }
	err := ex.Submit(context.Background(), func() { close(began); <-work })
	<-began
	for range waiting {
		err = errors.Join(err, ex.Submit(context.Background(), call))
	}
	if err != nil {
		panic(err)
	}
	return operation{
		wait:  func(ctx context.Context) error { return ex.Submit(ctx, call) },
		grant: func() { work <- struct{}{} },
		close: func() {
			close(work)
			if err := ex.Close(); err != nil {
				panic(err)
			}
		},
	}
}

// waits is every function that may wait, called so that it must.
func waits() map[string]func(ctx context.Context) error {
	all := map[string]func(ctx context.Context) error{}
	for _, k := range operationKinds {
		if !k.loop && !k.holds {
			all[k.name] = k.make(1000).wait
		}
	}
	return all
}
