// Twobytwo makes four calls that block for two seconds each: two tasks, each with two calls one after
// the other, on a pool of two workers. They take four seconds, not eight: while one task waits for its
// call the other one's runs. It is asyncio's run_in_executor with a ThreadPoolExecutor(2).
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seed8b1f0744/aio"
)

// measure blocks for two seconds, as a library does that knows nothing of loops.
func measure() string {
	time.Sleep(2 * time.Second)
	return "measured"
}

// twice measures twice on the pool, the second time when the first is over.
func twice(ctx context.Context, out io.Writer, who string, pool *aio.Pool, began time.Time) error {
	for i := range 2 {
		v, err := aio.InExecutor(ctx, pool, func(context.Context) (string, error) { return measure(), nil }).Await(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, seconds(ctx, began), who, v, i+1)
	}
	return nil
}

func seconds(ctx context.Context, began time.Time) time.Duration {
	return aio.Now(ctx).Sub(began).Round(time.Second)
}

func run(out io.Writer, workers int) error {
	pool := aio.NewPool(aio.PoolConfig{Workers: workers})
	defer pool.Close()
	took, err := aio.Run(context.Background(), func(ctx context.Context) (time.Duration, error) {
		began := aio.Now(ctx)
		err := aio.WithGroup(ctx, func(ctx context.Context) error {
			for _, who := range []string{"ann", "bob"} {
				aio.Go(ctx, aio.Do(func(ctx context.Context) error { return twice(ctx, out, who, pool, began) }))
			}
			return nil
		})
		return seconds(ctx, began), err
	})
	fmt.Fprintf(out, "four calls of 2s on a pool of %d: %v\n", workers, took)
	return err
}

func main() {
	if err := run(os.Stdout, 2); err != nil {
		fmt.Fprintln(os.Stderr, "twobytwo:", err)
		os.Exit(1)
	}
}
