// Leaving shows the three ways for work to leave the loop, side by side: the pool that every loop has
// (asyncio's run_in_executor(None, ...)), a pool of one's own (ThreadPoolExecutor), and processes
// (ProcessPoolExecutor), which alone survive what ends a process.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

type chain struct {
	Seed  string
	Times int // 0: a bug in some C library, which takes its process with it
}

type link struct {
	Digest string
	Pid    int // where it was computed
}

// digest computes, and would hold the loop for as long.
func digest(_ context.Context, c chain) (link, error) {
	if c.Times == 0 {
		fmt.Fprintln(os.Stderr, "libchain: assertion failed: times > 0")
		os.Exit(134)
	}
	sum := sha256.Sum256([]byte(c.Seed))
	for range c.Times - 1 {
		sum = sha256.Sum256(sum[:])
	}
	return link{fmt.Sprintf("%x", sum[:4]), os.Getpid()}, nil
}

// A closure cannot go to another process. What has a name there can.
var digestJob = job.Define("digest", digest)

var chains = []chain{{"ann", 10_000}, {"bob", 20_000}, {"cat", 30_000}}

func leave(ctx context.Context, out io.Writer) error {
	// 1. The loop's own pool: Blocking waits, so each call is in a task.
	var tasks []*aio.Task[link]
	for _, c := range chains {
		tasks = append(tasks, aio.Go(ctx, func(ctx context.Context) (link, error) {
			return aio.Blocking(ctx, func(ctx context.Context) (link, error) { return digest(ctx, c) })
		}))
	}
	links, err := aio.Gather(ctx, tasks...)
	if err := show(out, "the loop's pool", links, err); err != nil {
		return err
	}

	// 2. A pool of one's own: at most two at once, whoever asks. InExecutor returns a future.
	own := aio.NewPool(aio.PoolConfig{Workers: 2})
	defer own.Close()
	var futures []*aio.Future[link]
	for _, c := range chains {
		futures = append(futures, aio.InExecutor(ctx, own, func(ctx context.Context) (link, error) { return digest(ctx, c) }))
	}
	links, err = aio.Gather(ctx, futures...)
	if err := show(out, "a pool of two", links, err); err != nil {
		return err
	}

	// 3. Processes: what travels is the name of the job and its argument.
	processes, err := procpool.New(procpool.Config{Workers: 2, Stderr: io.Discard})
	if err != nil {
		return err
	}
	defer processes.Close()
	crash := digestJob.In(ctx, processes, chain{Seed: "dog"})
	futures = nil
	for _, c := range chains {
		futures = append(futures, digestJob.In(ctx, processes, c))
	}
	links, err = aio.Gather(ctx, futures...)
	if err := show(out, "two processes", links, err); err != nil {
		return err
	}
	var died *procpool.WorkerDied
	if _, err := crash.Await(ctx); !errors.As(err, &died) {
		return fmt.Errorf("the call that crashes: %w", err)
	}
	fmt.Fprintf(out, "one call crashed there, with %v: its last words were %q; the others went on\n", died.State, died.Stderr)
	return nil
}

func show(out io.Writer, way string, links []link, err error) error {
	for _, l := range links {
		where := "in this process"
		if l.Pid != os.Getpid() {
			where = "in another process"
		}
		fmt.Fprintf(out, "%-16s %s %s\n", way, l.Digest, where)
	}
	return err
}

func main() {
	procpool.Main() // first of all: the workers are this program, started again
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error { return leave(ctx, os.Stdout) }))
	if err != nil {
		fmt.Fprintln(os.Stderr, "leaving:", err)
		os.Exit(1)
	}
}
