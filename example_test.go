package aio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio"
)

func ExampleRun() {
	answer, err := aio.Run(context.Background(), func(ctx context.Context) (int, error) {
		double := aio.Go(ctx, func(ctx context.Context) (int, error) {
			if err := aio.Sleep(ctx, time.Millisecond); err != nil { // suspends this task, and no other
				return 0, err
			}
			return 2 * 21, nil
		})
		return double.Await(ctx)
	})
	fmt.Println(answer, err)
	// Output: 42 <nil>
}

// A program that has goroutines of its own keeps a loop beside them.
func ExampleStart() {
	loop := aio.Start()
	defer loop.Close()

	visits := map[string]int{} // touched by tasks of the loop only: no mutex
	visit := func(name string) *aio.Task[int] {
		return aio.Submit(context.Background(), loop, func(context.Context) (int, error) {
			visits[name]++
			return visits[name], nil
		})
	}
	visit("ann")
	n, err := visit("ann").Await(context.Background()) // blocks this goroutine
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleEager() {
	cache := map[string]string{"a": "cached"}
	lookUp := func(ctx context.Context, key string) (string, error) {
		if v, ok := cache[key]; ok {
			return v, nil // usually: then no turn of the loop is needed
		}
		return "fetched", aio.Sleep(ctx, time.Millisecond)
	}
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		for _, key := range []string{"a", "b"} {
			t := aio.Go(ctx, func(ctx context.Context) (string, error) { return lookUp(ctx, key) }, aio.Eager())
			fmt.Println(key, "is done:", t.State() == aio.Finished)
			v, err := t.Await(ctx)
			if err != nil {
				return err
			}
			fmt.Println(key, v)
		}
		return nil
	}))
	fmt.Println(err)
	// Output:
	// a is done: true
	// a cached
	// b is done: false
	// b fetched
	// <nil>
}

func ExampleGather() {
	names, err := aio.Run(context.Background(), func(ctx context.Context) ([]string, error) {
		greet := func(name string, after time.Duration) *aio.Task[string] {
			return aio.Go(ctx, func(ctx context.Context) (string, error) { return "hello " + name, aio.Sleep(ctx, after) })
		}
		return aio.Gather(ctx, greet("ann", 2*time.Millisecond), greet("bob", time.Millisecond)) // in argument order
	})
	fmt.Println(names, err)
	// Output: [hello ann hello bob] <nil>
}

// To mix tasks and promises, pass their futures.
func ExampleGather_mixed() {
	sum, _ := aio.Run(context.Background(), func(ctx context.Context) (int, error) {
		p := aio.NewPromise[int]()
		t := aio.Go(ctx, func(context.Context) (int, error) { p.Resolve(1); return 2, nil })
		parts, err := aio.Gather(ctx, &p.Future, &t.Future)
		return parts[0] + parts[1], err
	})
	fmt.Println(sum)
	// Output: 3
}

func ExampleWait() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		fast := aio.Go(ctx, func(context.Context) (string, error) { return "fast", nil })
		slow := aio.Go(ctx, func(ctx context.Context) (string, error) { return "slow", aio.Sleep(ctx, time.Hour) })
		done, pending, err := aio.Wait(ctx, aio.FirstDone, slow, fast)
		for _, t := range done {
			v, _ := t.Await(ctx)
			fmt.Println(v, "is done,", len(pending), "is not")
		}
		slow.Cancel(nil) // Wait cancels nothing; who owns it does
		return err
	}))
	fmt.Println(err)
	// Output:
	// fast is done, 1 is not
	// <nil>
}

func ExampleWithGroup() {
	errDown := errors.New("server 2 is down")
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		return aio.WithGroup(ctx, func(ctx context.Context) error {
			for i := 1; i <= 3; i++ {
				aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					if i == 2 {
						return errDown
					}
					err := aio.Sleep(ctx, time.Hour)
					fmt.Println("server", i, "is told:", context.Cause(ctx))
					return err
				}))
			}
			return nil
		})
	}))
	fmt.Println(err)
	// Output:
	// server 1 is told: server 2 is down
	// server 3 is told: server 2 is down
	// server 2 is down
}

func ExampleForEach() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		return aio.ForEach(ctx, 2, slices.Values([]string{"a", "b", "c"}), func(ctx context.Context, item string) error {
			fmt.Println(item)
			return aio.Sleep(ctx, time.Millisecond)
		})
	}))
	fmt.Println(err)
	// Output:
	// a
	// b
	// c
	// <nil>
}

// Whatever blocks leaves the loop.
func ExampleBlocking() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		answer := make(chan string, 1) // stands for a vendor's client that knows nothing of loops
		answer <- "pong"
		v, err := aio.Blocking(ctx, func(context.Context) (string, error) { return <-answer, nil })
		fmt.Println(v)
		return err
	}))
	fmt.Println(err)
	// Output:
	// pong
	// <nil>
}

func ExamplePool() {
	pool := aio.NewPool(aio.PoolConfig{Workers: 2})
	defer pool.Close()
	squares, err := aio.Run(context.Background(), func(ctx context.Context) ([]int, error) {
		var calls []*aio.Future[int]
		for i := range 5 {
			calls = append(calls, aio.InExecutor(ctx, pool, func(context.Context) (int, error) { return i * i, nil })) // waits for room
		}
		return aio.Gather(ctx, calls...)
	})
	fmt.Println(squares, err)
	// Output: [0 1 4 9 16] <nil>
}

// One queue between a goroutine and a task.
func ExampleQueue() {
	q := aio.NewQueue[int](1)
	go func() {
		for i := range 3 {
			_ = q.Put(context.Background(), i) // blocks the goroutine while the queue is full
		}
	}()
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		for range 3 {
			v, err := q.Get(ctx) // suspends the task while it is empty
			if err != nil {
				return err
			}
			fmt.Println(v)
		}
		return nil
	}))
	fmt.Println(err)
	// Output:
	// 0
	// 1
	// 2
	// <nil>
}

func ExamplePromise() {
	p := aio.NewPromise[string]()
	p.OnDone(context.Background(), func(string, error) {})
	go p.Resolve("from a goroutine")
	v, err := aio.Run(context.Background(), p.Await)
	fmt.Println(v, err, p.State())
	// Output: from a goroutine <nil> finished
}

func ExampleFuture_Cancel() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		t := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			err := aio.Sleep(ctx, time.Hour)
			_ = aio.Sleep(context.WithoutCancel(ctx), time.Millisecond) // clean-up may wait
			return err
		}))
		_ = aio.Yield(ctx)
		t.Cancel(errors.New("no longer needed"))
		_, err := t.Await(ctx)
		return err
	}))
	fmt.Println(errors.Is(err, aio.ErrCancelled), err)
	// Output: true aio: cancelled: no longer needed
}

func ExampleWithTimeout() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		ctx, cancel := aio.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		return new(aio.Event).Wait(ctx)
	}))
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

func ExampleLoop_CallLater() {
	loop := aio.Start()
	defer loop.Close()
	done := make(chan struct{})
	loop.CallLater(2*time.Millisecond, func() { fmt.Println("later"); close(done) })
	loop.CallLater(time.Hour, func() { fmt.Println("never") }).Cancel()
	loop.CallSoon(func() { fmt.Println("soon") })
	<-done
	// Output:
	// soon
	// later
}

// A failure that nobody takes is not lost.
func ExampleWithHooks() {
	_, _ = aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		aio.Go(ctx, aio.Do(func(context.Context) error { return errors.New("nobody awaits me") }), aio.Named("lonely"))
		return nil
	}), aio.WithHooks(aio.Hooks{Unhandled: func(f aio.Failure) { fmt.Println(f.Task.Name+":", f.Err) }}))
	// Output: lonely: nobody awaits me
}

func ExampleMutex() {
	var m aio.Mutex
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		if err := m.Lock(ctx); err != nil {
			return err
		}
		defer m.Unlock()
		return aio.Yield(ctx) // held across an await: what a sync.Mutex must not be
	}))
	fmt.Println(err, m.TryLock())
	// Output: <nil> true
}

func ExampleInTask() {
	where := func() string {
		if aio.InTask() {
			return "in a task"
		}
		return "in a goroutine"
	}
	_, _ = aio.Run(context.Background(), aio.Do(func(context.Context) error { fmt.Println(where()); return nil }))
	fmt.Println(where())
	// Output:
	// in a task
	// in a goroutine
}

func ExampleWithSlowStep() {
	release := make(chan struct{})
	_, err := aio.Run(context.Background(), aio.Do(func(context.Context) error {
		<-release // not aio's: the loop stands still
		return nil
	}), aio.WithSlowStep(10*time.Millisecond), aio.WithHooks(aio.Hooks{SlowStep: func(s aio.SlowStep) {
		if s.Stack == nil {
			return // it has ended
		}
		_, function, _ := strings.Cut(s.At, " ") // the file and line before it
		fmt.Println(s.Task.Name, "is in", function)
		close(release)
	}}))
	fmt.Println(err)
	// Output:
	// task-1 is in github.com/seed8b1f0744/aio_test.ExampleWithSlowStep.func1
	// <nil>
}
