//go:build unix

package procpool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

// Jobs are package-level variables: every worker has them.
var (
	square  = job.Define("square", func(_ context.Context, n int) (int, error) { return n * n, nil })
	crash   = job.Define("crash", func(context.Context, string) (int, error) { os.Exit(3); return 0, nil })
	endless = job.Define("endless", func(context.Context, string) (int, error) { select {} })
)

// What crashes, and what never ends, costs its own call.
func Example() {
	// func main() {
	// 	procpool.Main() // in TestMain here

	pool, err := procpool.New(procpool.Config{Workers: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	_, err = aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		numbers, err := aio.Gather(ctx, square.In(ctx, pool, 3), square.In(ctx, pool, 4))
		fmt.Println(numbers, err)

		_, err = crash.In(ctx, pool, "").Await(ctx)
		var died *procpool.WorkerDied
		fmt.Println(errors.As(err, &died) && died.State.ExitCode() == 3)

		soon, cancel := aio.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		_, err = endless.In(soon, pool, "").Await(ctx)
		fmt.Println(errors.Is(err, context.DeadlineExceeded))
		return nil
	}))
	fmt.Println(err)
	// Output:
	// [9 16] <nil>
	// true
	// true
	// <nil>
}
