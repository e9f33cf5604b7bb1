//go:build linux || darwin

package aio_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// On one processor a step that computes keeps the watchdog's own timer from being called, until Go
// interrupts it: that is not for lack of processors. In real time, which is measured by what the
// process runs: a step computes until it is told of.
func TestSlowStep_oneProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, limit := range []time.Duration{5 * time.Millisecond, 20 * time.Millisecond} {
		t.Run(limit.String(), func(t *testing.T) {
			var told atomic.Bool
			over := make(chan aio.SlowStep, 1)
			var first aio.SlowStep
			l := start(t, aio.WithSlowStep(limit), aio.WithHooks(aio.Hooks{SlowStep: func(s aio.SlowStep) {
				switch {
				case s.Task.Name != "culprit": // on a machine that is slow itself
				case s.Stack != nil:
					first = s
					told.Store(true)
				default:
					over <- s
				}
			}}))
			aio.Submit(context.Background(), l, aio.Do(func(context.Context) error {
				for !told.Load() {
				}
				return nil
			}), aio.Named("culprit"))
			last := <-over
			if first.CPU > limit+40*time.Millisecond {
				t.Errorf("the step had computed for %v when it was told of", first.CPU)
			}
			if last.Took < first.Took || first.Took < limit {
				t.Errorf("the step took %v and then %v", first.Took, last.Took)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
