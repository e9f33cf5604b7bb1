//go:build cgo

// Cthread drives a C library whose state is bound to the thread that opened it, in the two ways there
// are: an aio.Thread, an executor that is one OS thread and runs its calls in order, and a loop with
// aio.OnThread, whose tasks all run on one thread and call the library as they like. asyncio has a
// ThreadPoolExecutor(1) for the first; its loop is on one thread by nature.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seed8b1f0744/aio"
)

const sides = 4 // of the square that each of two tasks draws, a step at a time

// side draws one side of a square.
func side(i int) error {
	steps := [sides][2]int{{10, 0}, {0, 10}, {-10, 0}, {0, -10}}
	return drawLine(steps[i][0], steps[i][1])
}

// penIsDown waits for the motor, on any thread.
func penIsDown(context.Context) error { time.Sleep(100 * time.Microsecond); return nil }

// onThread calls fn on th and waits for it: what all use of the library goes through.
func onThread(ctx context.Context, th *aio.Thread, fn func() error) error {
	_, err := aio.InExecutor(ctx, th, aio.Do(func(context.Context) error { return fn() })).Await(ctx)
	return err
}

// throughAThread draws from two tasks of a loop that runs on any thread.
func throughAThread(ctx context.Context, out io.Writer) error {
	th := aio.NewThread()
	defer th.Close()
	if err := onThread(ctx, th, openPlotter); err != nil {
		return err
	}
	drawn := 0
	err := aio.WithGroup(ctx, func(ctx context.Context) error {
		for range 2 {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for i := range sides {
					if err := onThread(ctx, th, func() error { return side(i) }); err != nil {
						return err
					}
					drawn++ // by tasks of one loop: no mutex
				}
				return nil
			}))
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, elsewhere := aio.Blocking(ctx, aio.Do(func(context.Context) error { return side(0) }))
	fmt.Fprintf(out, "aio.Thread:   %d lines; in aio.Blocking, so on some thread: %v\n", drawn, elsewhere)
	return onThread(ctx, th, closePlotter)
}

// onItsLoop draws from two tasks of a loop that owns its thread. They just call.
func onItsLoop(ctx context.Context, out io.Writer) error {
	if err := openPlotter(); err != nil {
		return err
	}
	drawn := 0
	err := aio.WithGroup(ctx, func(ctx context.Context) error {
		for range 2 {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for i := range sides {
					if _, err := aio.Blocking(ctx, aio.Do(penIsDown)); err != nil { // the other one's turn
						return err
					}
					if err := side(i); err != nil {
						return err
					}
					drawn++
				}
				return nil
			}))
		}
		return nil
	})
	if err != nil {
		return err
	}
	x, y, err := penAt()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "aio.OnThread: %d lines, the pen is at %d,%d\n", drawn, x, y)
	return closePlotter()
}

func run(out io.Writer) error {
	_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error { return throughAThread(ctx, out) }))
	if err != nil {
		return err
	}
	loop := aio.Start(aio.OnThread())
	defer loop.Close()
	_, err = aio.Submit(context.Background(), loop, aio.Do(func(ctx context.Context) error { return onItsLoop(ctx, out) })).Await(context.Background())
	return err
}

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "cthread:", err)
		os.Exit(1)
	}
}
