package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// interruption is the cause with which a signal ends a run.
type interruption struct{ signal os.Signal }

func (i *interruption) Error() string {
	switch i.signal {
	case syscall.SIGTERM:
		return "terminated"
	case syscall.SIGHUP:
		return "the terminal is gone"
	}
	return "interrupted"
}

func (i *interruption) code() int {
	switch i.signal {
	case syscall.SIGTERM:
		return exitTerminated
	case syscall.SIGHUP:
		return exitHungUp
	}
	return exitInterrupted
}

// lastWords is how long a program that ends at once waits for standard error to take its words: somebody may have stopped reading it.
const lastWords = 100 * time.Millisecond

// watchSignals ends the returned ctx at the first Ctrl-C, SIGTERM or SIGHUP, which begins nothing new and lets what is under way end, and ends the program at
// the second. Nothing is lost by that: lines are written as they come, and a torn one is repaired by the next run. A reader of our words who goes away ends
// nothing (SIGPIPE).
func watchSignals(ctx context.Context, c *console, goOn string) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	done := make(chan struct{})
	signal.Ignore(syscall.SIGPIPE)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		for first := true; ; first = false {
			select {
			case s := <-signals:
				why := &interruption{s}
				if first {
					cancel(why) // before any words: they may block
					go c.say("refire: %v: ending what is under way; once more ends at once", why)
					continue
				}
				said := make(chan struct{})
				go func() {
					c.leave()
					c.say("refire: %v again: ends at once", why)
					c.hint(goOn)
					close(said)
				}()
				select {
				case <-said:
				case <-time.After(lastWords):
				}
				os.Exit(why.code())
			case <-done:
				return
			}
		}
	}()
	return watched, func() {
		signal.Stop(signals)
		signal.Reset(syscall.SIGPIPE)
		close(done)
		cancel(nil)
	}
}
