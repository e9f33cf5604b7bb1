package aio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed8b1f0744/aio"
)

func ExampleGatherAll() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		ask := func(server string, err error) *aio.Task[string] {
			return aio.Go(ctx, func(context.Context) (string, error) { return server, err })
		}
		answers, err := aio.GatherAll(ctx, ask("ann", nil), ask("bob", errors.New("bob is down")), ask("cleo", nil))
		for _, a := range answers { // in argument order
			fmt.Println(a.Value, a.Err)
		}
		return err
	}))
	fmt.Println(err)
	// Output:
	// ann <nil>
	// bob bob is down
	// cleo <nil>
	// <nil>
}

// Results of unlike types: each member of a group puts its own where it belongs.
func ExampleWithGroup_unlikeTypes() {
	user := func(ctx context.Context) (string, error) { return "ann", aio.Sleep(ctx, 2*time.Millisecond) }
	orders := func(ctx context.Context) ([]int, error) { return []int{7, 9}, aio.Sleep(ctx, time.Millisecond) }
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		var who string
		var ids []int
		err := aio.WithGroup(ctx, func(ctx context.Context) error {
			aio.Go(ctx, aio.Do(func(ctx context.Context) (err error) { who, err = user(ctx); return err }))
			aio.Go(ctx, aio.Do(func(ctx context.Context) (err error) { ids, err = orders(ctx); return err }))
			return nil
		})
		fmt.Println(who, ids)
		return err
	}))
	fmt.Println(err)
	// Output:
	// ann [7 9]
	// <nil>
}

// Results of unlike types, without a group: all run once they are started, in whatever order they are awaited.
func ExampleGo_unlikeTypes() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		orders := aio.Go(ctx, func(ctx context.Context) ([]int, error) { return []int{7, 9}, aio.Sleep(ctx, time.Millisecond) })
		user := aio.Go(ctx, func(ctx context.Context) (string, error) { return "ann", aio.Sleep(ctx, 2*time.Millisecond) })
		for first := range aio.AsCompleted[aio.Waiter](ctx, user, orders) {
			fmt.Println("orders come first:", first == orders)
			break
		}
		who, err := user.Await(ctx)
		if err != nil {
			return err
		}
		ids, err := orders.Await(ctx)
		fmt.Println(who, ids)
		return err
	}))
	fmt.Println(err)
	// Output:
	// orders come first: true
	// ann [7 9]
	// <nil>
}

func ExampleAsCompleted() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		download := func(page string, takes time.Duration) *aio.Task[string] {
			return aio.Go(ctx, func(ctx context.Context) (string, error) { return page, aio.Sleep(ctx, takes) })
		}
		short, long := download("short", time.Millisecond), download("long", 4*time.Millisecond)
		for task := range aio.AsCompleted(ctx, long, short) {
			page, err := task.Result() // done, so there is nothing to wait for
			fmt.Println(page, err)
		}
		return ctx.Err() // tells whether all were done
	}))
	fmt.Println(err)
	// Output:
	// short <nil>
	// long <nil>
	// <nil>
}

// What must not stop half way goes on when its caller is cancelled.
func ExampleShield() {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		committed := aio.NewPromise[string]()
		ctx, cancel := aio.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		_, err := aio.Shield(ctx, aio.Do(func(ctx context.Context) error {
			err := aio.Sleep(ctx, 5*time.Millisecond) // stands for a commit
			committed.Resolve("committed")
			return err
		}))
		fmt.Println("the caller is told:", err)
		word, err := committed.Await(context.WithoutCancel(ctx))
		fmt.Println(word)
		return err
	}))
	fmt.Println(err)
	// Output:
	// the caller is told: context deadline exceeded
	// committed
	// <nil>
}

// What does the program wait for? Any goroutine may ask, also while a step holds the loop.
func ExampleLoop_Tasks() {
	_, _ = aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		jobs := aio.NewQueue[string](0)
		worker := aio.Go(ctx, jobs.Get, aio.Named("worker"))
		aio.Go(ctx, worker.Await, aio.Named("boss"))
		_ = aio.Yield(ctx)
		loop, _ := aio.LoopOf(ctx)
		for _, t := range loop.Tasks() {
			fmt.Printf("%s is %s: %q\n", t.Name, t.State, t.On)
		}
		fmt.Println(loop.Stats().Tasks, "tasks")
		return nil
	}))
	// Output:
	// task-1 is running: ""
	// worker is waiting: "queue get"
	// boss is waiting: "task \"worker\""
	// 3 tasks
}
