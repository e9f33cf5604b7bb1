// Port is the asyncio program beside it, port.py, line by line on aio.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seed8b1f0744/aio"
)

type job struct {
	name string
	ms   time.Duration
}

var jobs = []job{{"ann.jpg", 40}, {"bob.jpg", 100}, {"cat.jpg", 120}, {"dog.jpg", 80}}

// digest blocks, as a library does that knows nothing of loops.
func digest(j job) string {
	time.Sleep(j.ms * time.Millisecond)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(j.name)))[:8]
}

func produce(ctx context.Context, queue *aio.Queue[job]) error {
	for _, j := range jobs {
		if err := queue.Put(ctx, j); err != nil { // waits while the queue is full
			return err
		}
		fmt.Println("queued", j.name)
	}
	queue.Close()
	return nil
}

func consume(ctx context.Context, who string, queue *aio.Queue[job], permits *aio.Semaphore) (int, error) {
	count := 0
	for j := range queue.All(ctx) { // until it is closed and empty, or ctx ends
		if err := permits.Acquire(ctx); err != nil {
			return count, err
		}
		short, err := aio.Blocking(ctx, func(context.Context) (string, error) { return digest(j), nil })
		permits.Release()
		if err != nil {
			return count, err
		}
		fmt.Println(who, j.name, short)
		count++
	}
	return count, ctx.Err()
}

func run(ctx context.Context) error {
	queue := aio.NewQueue[job](1)
	permits := aio.NewSemaphore(2)
	producer := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return produce(ctx, queue) }))
	work, cancel := aio.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var consumers []*aio.Task[int]
	for _, who := range []string{"x", "y", "z"} {
		consumers = append(consumers, aio.Go(work, func(ctx context.Context) (int, error) { return consume(ctx, who, queue, permits) }))
	}
	counts, err := aio.Gather(work, consumers...)
	if err != nil {
		return err
	}
	if _, err := producer.Await(ctx); err != nil {
		return err
	}
	fmt.Println("done:", counts[0], counts[1], counts[2])
	soon, cancel := aio.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if err := new(aio.Event).Wait(soon); errors.Is(err, context.DeadlineExceeded) {
		fmt.Println("nobody set it")
	}
	return nil
}

func main() {
	if _, err := aio.Run(context.Background(), aio.Do(run)); err != nil {
		fmt.Fprintln(os.Stderr, "port:", err)
		os.Exit(1)
	}
}
