package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interruption is the cause with which a signal ends a run.
type interruption struct{ signal os.Signal }

func (i *interruption) Error() string {
	if i.signal == syscall.SIGTERM {
		return "terminated"
	}
	return "interrupted"
}

func (i *interruption) code() int {
	if i.signal == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupted
}

// watchSignals ends the returned ctx at the first Ctrl-C or SIGTERM, which begins nothing new and lets what is under way end, and ends the program at the
// second. Nothing is lost by that: lines are written as they come, and a torn one is repaired by the next run.
func watchSignals(ctx context.Context, c *console) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	done := make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for first := true; ; first = false {
			select {
			case s := <-signals:
				why := &interruption{s}
				if !first {
					c.say("refire: %v again: ends at once", why)
					os.Exit(why.code())
				}
				c.say("refire: %v; what is under way ends, nothing new is begun. Once more ends at once", why)
				cancel(why)
			case <-done:
				return
			}
		}
	}()
	return watched, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
