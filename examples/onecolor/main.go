// Onecolor calls one function from synchronous and from asynchronous code. In asyncio that takes two
// functions, or one that finds out who is calling (is_async_caller) and returns a value to one and
// something to await to the other. Here whoever waits is suspended if it is a task, and blocked if not.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/seed8b1f0744/aio"
)

// forecasts asks a slow service, and never the same question twice at the same time.
type forecasts struct {
	mu    aio.Mutex // may be held across a wait
	known map[string]string
	asked int
}

// of is the function: it knows nothing of who calls.
func (f *forecasts) of(ctx context.Context, city string) (string, error) {
	if err := f.mu.Lock(ctx); err != nil {
		return "", err
	}
	defer f.mu.Unlock()
	if f.known[city] == "" {
		if err := aio.Sleep(ctx, 100*time.Millisecond); err != nil { // the service
			return "", err
		}
		f.asked++
		f.known[city] = "sun over " + city
	}
	caller := "a goroutine, blocked"
	if aio.InTask() {
		caller = "a task, suspended"
	}
	return fmt.Sprintf("%s (told to %s)", f.known[city], caller), nil
}

func run(out io.Writer) error {
	f := forecasts{known: map[string]string{}}

	// Synchronous code: no loop anywhere.
	answer, err := f.of(context.Background(), "Oslo")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "main:         ", answer)

	// Asynchronous code: two tasks of a loop, on which others run while they wait.
	_, err = aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		return aio.WithGroup(ctx, func(ctx context.Context) error {
			for range 2 {
				aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					answer, err := f.of(ctx, "Rome")
					fmt.Fprintln(out, "a loop's task:", answer)
					return err
				}))
			}
			if err := aio.Sleep(ctx, 50*time.Millisecond); err != nil {
				return err
			}
			fmt.Fprintln(out, "another task:  runs meanwhile")
			return nil
		})
	}))
	if err != nil {
		return err
	}

	// Both at once: goroutines, as a server's handlers are, and a task want the same of the same f.
	loop := aio.Start()
	defer loop.Close()
	ask := func(ctx context.Context) (string, error) { return f.of(ctx, "Bern") }
	task := aio.Submit(context.Background(), loop, ask)
	var handlers sync.WaitGroup
	for range 3 {
		handlers.Go(func() {
			if _, err := ask(context.Background()); err != nil {
				fmt.Fprintln(out, "handler:", err)
			}
		})
	}
	handlers.Wait()
	if _, err := task.Await(context.Background()); err != nil { // which is of one color, too
		return err
	}
	fmt.Fprintf(out, "seven calls, three cities: the service was asked %d times\n", f.asked)
	return nil
}

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "onecolor:", err)
		os.Exit(1)
	}
}
