package aio_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// A hook or a logger that does not return: testing.T.FailNow in a hook is runtime.Goexit.

// goes is a hook that notes what it is told and goes by Goexit when it is told of the end (or not).
func (s *slowSteps) goes(atEnd bool) aio.Option {
	return aio.WithHooks(aio.Hooks{SlowStep: func(step aio.SlowStep) {
		s.add(step)
		if atEnd == (step.Stack == nil) {
			runtime.Goexit()
		}
	}})
}

// The loop comes to its end, and Run to its result, although the last thing that is told goes.
func TestSlowStep_hookGoesAtTheEnd(t *testing.T) {
	const want = "holds:100ms@100ms ended:400ms@400ms"
	for range 20 { // the watchdog tells the end, or whoever stops it
		synctest.Test(t, func(t *testing.T) {
			stall := func(context.Context) (int, error) { time.Sleep(400 * time.Millisecond); return 7, nil }
			seen := newSlowSteps()
			l := start(t, seen.goes(true), aio.WithSlowStep(100*time.Millisecond))
			task := aio.Submit(context.Background(), l, stall)
			synctest.Wait()
			if err := l.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			if v, err := task.Result(); v != 7 || err != nil {
				t.Errorf("the task came to %v, %v", v, err)
			}
			seen.trace.check(t, want)

			seen = newSlowSteps()
			if v, err := aio.Run(t.Context(), stall, seen.goes(true), aio.WithSlowStep(100*time.Millisecond)); v != 7 || err != nil {
				t.Errorf("Run came to %v, %v", v, err)
			}
			seen.trace.check(t, want)
		})
	}
}

// The watchdog goes on after a hook that went, with what came meanwhile and with the next step.
func TestSlowStep_hookGoes(t *testing.T) {
	for name, atEnd := range map[string]bool{"at the report": false, "at the end": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := newSlowSteps()
				l := start(t, aio.WithSlowStep(100*time.Millisecond), aio.WithHooks(aio.Hooks{SlowStep: func(step aio.SlowStep) {
					seen.add(step)
					time.Sleep(300 * time.Millisecond) // of a report, until the step has ended
					if atEnd == (step.Stack == nil) {
						runtime.Goexit()
					}
				}}))
				for range 3 {
					on(t, l, func(context.Context) error { time.Sleep(200 * time.Millisecond); return nil })
					time.Sleep(800 * time.Millisecond)
				}
				seen.trace.check(t, "holds:100ms@100ms ended:200ms@400ms holds:100ms@1.1s ended:200ms@1.4s holds:100ms@2.1s ended:200ms@2.4s")
			})
		})
	}
}

// fragile is a log's handler that panics at warnings.
type fragile struct{ slog.Handler }

func (fragile) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelWarn {
		panic("handler")
	}
	return nil
}

// In debug mode the end of the grace period is logged: whatever that does, it ends all tasks.
func TestGrace_loggerPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := aio.Start(aio.WithDebug(), aio.WithLogger(slog.New(fragile{slog.NewTextHandler(io.Discard, nil)})), seen.option())
		for range 3 {
			aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { return new(aio.Event).Wait(context.Background()) }))
		}
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		panicked := 0
		for _, f := range seen.all() {
			var p *aio.PanicError
			if errors.As(f.Err, &p) && p.Value == "handler" {
				panicked++
			}
		}
		if panicked != 3 {
			t.Errorf("told of %d panics of the handler, want those of 3 tasks: %v", panicked, seen.all())
		}
	})
}
