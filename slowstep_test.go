package aio_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// A stall is seen: in a bubble, where time passes only while everybody waits, all of this is exact.

// slowSteps gathers what a loop's SlowStep is told.
type slowSteps struct {
	mu    sync.Mutex
	list  []aio.SlowStep
	began time.Time
	trace trace
}

func newSlowSteps() *slowSteps { return &slowSteps{began: time.Now()} }

func (s *slowSteps) option(t testing.TB) aio.Option {
	return aio.WithHooks(aio.Hooks{
		SlowStep:  s.add,
		Unhandled: func(f aio.Failure) { t.Errorf("unhandled failure of %q: %v", f.Task.Name, f.Err) },
	})
}

func (s *slowSteps) add(step aio.SlowStep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, step)
	what := "ended"
	if step.Stack != nil {
		what = "holds"
	}
	s.trace.add("%s:%v@%v", what, step.Took, time.Since(s.began))
}

func (s *slowSteps) all() []aio.SlowStep {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]aio.SlowStep(nil), s.list...)
}

// here is the line that calls it, as SlowStep.At begins: "file.go:12".
func here() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", file[strings.LastIndexByte(file, '/')+1:], line)
}

func TestSlowStep_toldWhileItHoldsTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newSlowSteps()
		l := start(t, seen.option(t), aio.WithSlowStep(100*time.Millisecond))
		line := ""
		on(t, l, func(ctx context.Context) error {
			if err := aio.Sleep(ctx, time.Second); err != nil { // the watchdog has slept meanwhile
				return err
			}
			_, err := aio.Go(ctx, aio.Do(func(context.Context) error {
				line = here()
				time.Sleep(300 * time.Millisecond)
				return nil
			}), aio.Named("sleeper")).Await(ctx)
			return err
		})
		synctest.Wait()
		seen.trace.check(t, "holds:100ms@1.1s ended:300ms@1.3s")
		got := seen.all()
		if len(got) != 2 {
			t.Fatal("not told of twice")
		}
		first, last := got[0], got[1]
		if first.Task.Name != "sleeper" || first.Task.State != "running" || last.Task != first.Task {
			t.Errorf("told of the tasks %+v and %+v", first.Task, last.Task)
		}
		checkNext(t, first, line)
		if !bytes.Contains(first.Stack, []byte("TestSlowStep_toldWhileItHoldsTheLoop")) || bytes.Count(first.Stack, []byte("goroutine ")) > 2 {
			t.Errorf("the stack is not that of the task alone:\n%s", first.Stack)
		}
		if last.Stack != nil || last.At != "" {
			t.Errorf("of a step that has ended a stack is told: %q\n%s", last.At, last.Stack)
		}
	})
}

// checkNext checks that s names the line behind the one that here told.
func checkNext(t *testing.T, s aio.SlowStep, before string) {
	t.Helper()
	file, number, _ := strings.Cut(before, ":")
	line := 0
	_, _ = fmt.Sscan(number, &line)
	if want := fmt.Sprintf("/%s:%d ", file, line+1); !strings.Contains(s.At, want) {
		t.Errorf("the culprit is said to be at %q, want%s; the stack:\n%s", s.At, want, s.Stack)
	}
}

// The classic mistakes, each with the line that it is on.
func TestSlowStep_culprits(t *testing.T) {
	var line string
	release := func(ch chan<- int) { time.AfterFunc(time.Second, func() { ch <- 1 }) }
	inTask := func(l *aio.Loop, step func()) {
		aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { step(); return nil }), aio.Named("culprit"))
	}
	for name, c := range map[string]struct {
		start func(l *aio.Loop, step func())
		step  func()
		task  string
	}{
		"channel receive in a task": {inTask, func() {
			ch := make(chan int)
			release(ch)
			line = here()
			<-ch
		}, "culprit"},
		"WaitGroup in a task": {inTask, func() {
			var wg sync.WaitGroup
			wg.Add(1)
			time.AfterFunc(time.Second, wg.Done)
			line = here()
			wg.Wait()
		}, "culprit"},
		"in a task after it was suspended": {func(l *aio.Loop, step func()) {
			for range 3 { // other coroutines that could be mistaken for it
				aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Hour) }))
			}
			aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
				defer step()
				return aio.Yield(ctx)
			}), aio.Named("culprit"))
		}, func() {
			line = here()
			time.Sleep(time.Second)
		}, "culprit"},
		"in an iterator that a task pulls": {inTask, func() {
			next, stop := iter.Pull(func(yield func(int) bool) {
				for yield(1) {
					line = here()
					time.Sleep(time.Second)
				}
			})
			defer stop()
			other, stopOther := iter.Pull(func(yield func(int) bool) { yield(1) })
			defer stopOther()
			other()
			next()
			next()
		}, "culprit"},
		"a callback": {func(l *aio.Loop, step func()) {
			aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Hour) }))
			l.CallSoon(step)
		}, func() {
			line = here()
			time.Sleep(time.Second)
		}, ""},
		"a timer": {func(l *aio.Loop, step func()) { l.CallLater(time.Minute, step) }, func() {
			line = here()
			time.Sleep(time.Second)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				others := start(t) // whose goroutines are in the dump, too
				inTask(others, func() { time.Sleep(time.Hour) })
				seen := newSlowSteps()
				l := start(t, seen.option(t), aio.WithSlowStep(50*time.Millisecond))
				c.start(l, c.step)
				time.Sleep(2 * time.Minute)
				got := seen.all()
				if len(got) != 2 {
					t.Fatalf("told of %v, want one step twice", &seen.trace)
				}
				checkNext(t, got[0], line)
				if got[0].Task.Name != c.task || got[0].Took != 50*time.Millisecond || got[1].Took != time.Second {
					t.Errorf("told of %+v for %v and %v, want %q", got[0].Task, got[0].Took, got[1].Took, c.task)
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				time.Sleep(2 * time.Hour)
			})
		})
	}
}
