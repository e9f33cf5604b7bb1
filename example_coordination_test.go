package aio_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed8b1f0744/aio"
)

func ExampleNewPriorityQueue() {
	type job struct {
		urgency int
		name    string
	}
	q := aio.NewPriorityQueue(0, func(a, b job) bool { return a.urgency > b.urgency })
	for _, j := range []job{{1, "sweep"}, {9, "put out the fire"}, {1, "dust"}} {
		_ = q.TryPut(j)
	}
	for q.Len() > 0 {
		j, _ := q.TryGet()
		fmt.Println(j.name) // equal ones in the order they came
	}
	// Output:
	// put out the fire
	// sweep
	// dust
}

func ExampleNewLIFOQueue() {
	q := aio.NewLIFOQueue[string](0)
	_ = q.TryPut("first")
	_ = q.TryPut("last")
	v, _ := q.TryGet()
	fmt.Println(v)
	// Output: last
}

// The producer closes the queue, and so ends the loops of its consumers.
func ExampleQueue_All() {
	q := aio.NewQueue[int](1)
	go func() {
		defer q.Close()
		for i := range 3 {
			_ = q.Put(context.Background(), i)
		}
	}()
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		return aio.ForEach(ctx, 2, q.All(ctx), func(_ context.Context, i int) error {
			fmt.Println(i)
			return nil
		})
	}))
	fmt.Println(err)
	// Output:
	// 0
	// 1
	// 2
	// <nil>
}

// Join waits for the work, not only for the queue to be empty.
func ExampleQueue_Join() {
	var q aio.Queue[int]
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		for range 2 {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for i := range q.All(ctx) {
					if err := aio.Sleep(ctx, time.Duration(i)*time.Millisecond); err != nil {
						return err
					}
					fmt.Println("done with", i)
					q.TaskDone()
				}
				return nil
			}))
		}
		for i := range 3 {
			if err := q.Put(ctx, i); err != nil {
				return err
			}
		}
		defer q.Close() // ends the workers
		return q.Join(ctx)
	}))
	fmt.Println(err)
	// Output:
	// done with 0
	// done with 1
	// done with 2
	// <nil>
}

func ExampleEvent() {
	var ready aio.Event
	go ready.Set()
	_, err := aio.Run(context.Background(), aio.Do(ready.Wait))
	fmt.Println(err, ready.IsSet())
	// Output: <nil> true
}

func ExampleCond() {
	var m aio.Mutex
	changed := aio.NewCond(&m)
	balance := 0 // guarded by m
	pay := func(ctx context.Context, amount int) error {
		if err := m.Lock(ctx); err != nil {
			return err
		}
		defer m.Unlock()
		balance += amount
		changed.Broadcast()
		return nil
	}
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		aio.Go(ctx, aio.Do(func(ctx context.Context) error { return pay(ctx, 40) }))
		go func() { _ = pay(context.Background(), 2) }() // a goroutine takes part as well
		if err := m.Lock(ctx); err != nil {
			return err
		}
		defer m.Unlock()
		err := changed.WaitFor(ctx, func() bool { return balance >= 42 })
		fmt.Println(balance)
		return err
	}))
	fmt.Println(err)
	// Output:
	// 42
	// <nil>
}

func ExampleSemaphore() {
	two := aio.NewBoundedSemaphore(2)
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		return aio.WithGroup(ctx, func(ctx context.Context) error {
			for i := range 4 {
				aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					if err := two.Acquire(ctx); err != nil {
						return err
					}
					defer two.Release() // once more would panic
					fmt.Println(i)
					return aio.Sleep(ctx, time.Millisecond)
				}))
			}
			return nil
		})
	}))
	fmt.Println(err)
	// Output:
	// 0
	// 1
	// 2
	// 3
	// <nil>
}

func ExampleBarrier() {
	start := aio.NewBarrier(3)
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		return aio.WithGroup(ctx, func(ctx context.Context) error {
			for _, name := range []string{"ann", "bob", "cid"} {
				aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					fmt.Println(name, "is there")
					place, err := start.Wait(ctx)
					if place == 0 { // one of them, whoever that is
						fmt.Println("all are")
					}
					return err
				}))
			}
			return nil
		})
	}))
	fmt.Println(err)
	// Output:
	// ann is there
	// bob is there
	// cid is there
	// all are
	// <nil>
}

func ExamplePoll() {
	asked := 0
	status := func() (string, bool, error) { // of something that can only be asked
		asked++
		return "ready", asked == 3, nil
	}
	v, err := aio.Run(context.Background(), func(ctx context.Context) (string, error) {
		return aio.Poll(ctx, time.Millisecond, status)
	})
	fmt.Println(v, "when asked", asked, "times:", err)
	// Output: ready when asked 3 times: <nil>
}

// A library that must always be called from the same thread.
func ExampleThread() {
	thread := aio.NewThread()
	defer thread.Close()
	calls := 0 // touched on the thread only
	sum, err := aio.Run(context.Background(), func(ctx context.Context) (int, error) {
		a := aio.InExecutor(ctx, thread, func(context.Context) (int, error) { calls++; return calls, nil })
		b := aio.InExecutor(ctx, thread, func(context.Context) (int, error) { calls++; return calls, nil })
		both, err := aio.Gather(ctx, a, b)
		if err != nil {
			return 0, err
		}
		return both[0]*10 + both[1], nil
	})
	fmt.Println(sum, err)
	// Output: 12 <nil>
}
