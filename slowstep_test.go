package aio_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"os"
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
			<-time.After(time.Second)
		}, "culprit"},
		"in an iterator that a task pulls": {inTask, func() {
			next, stop := iter.Pull(func(yield func(int) bool) {
				for yield(1) {
					line = here()
					<-time.After(time.Second)
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
			<-time.After(time.Second)
		}, ""},
		"a timer": {func(l *aio.Loop, step func()) { l.CallLater(time.Minute, step) }, func() {
			line = here()
			<-time.After(time.Second)
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

// What is suspended, waits, computes for less, or runs in many short steps holds nothing up.
func TestSlowStep_noAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newSlowSteps()
		l := start(t, seen.option(t), aio.WithSlowStep(100*time.Millisecond))
		for range 2 {
			aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
				for range 50 {
					time.Sleep(99 * time.Millisecond)
					if err := aio.Yield(ctx); err != nil {
						return err
					}
				}
				return aio.Sleep(ctx, time.Hour)
			}))
		}
		if err := l.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		seen.trace.check(t, "")
	})
}

func TestSlowStep_off(t *testing.T) {
	for name, opts := range map[string][]aio.Option{"by default in a bubble": nil, "by 0": {aio.WithSlowStep(0)}, "below 0": {aio.WithSlowStep(-1)}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := newSlowSteps()
				l := start(t, append(opts, seen.option(t))...)
				on(t, l, func(context.Context) error { time.Sleep(time.Hour); return nil })
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				seen.trace.check(t, "")
			})
		})
	}
}

// Each step is told of by itself, and the end of the last one also if the loop ends with it.
func TestSlowStep_onceForEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newSlowSteps()
		run(t, func(ctx context.Context) error {
			for range 2 {
				time.Sleep(250 * time.Millisecond)
				if err := aio.Yield(ctx); err != nil {
					return err
				}
			}
			time.Sleep(time.Second)
			return nil
		}, seen.option(t), aio.WithSlowStep(100*time.Millisecond))
		seen.trace.check(t, "holds:100ms@100ms ended:250ms@250ms holds:100ms@350ms ended:250ms@500ms holds:100ms@600ms ended:1s@1.5s")
	})
}

// Exactly at the limit, also where that is no multiple of how often the watchdog looks.
func TestSlowStep_exact(t *testing.T) {
	for _, limit := range []time.Duration{250 * time.Microsecond, 999_999} {
		synctest.Test(t, func(t *testing.T) {
			seen := newSlowSteps()
			run(t, func(context.Context) error { time.Sleep(time.Second); return nil }, seen.option(t), aio.WithSlowStep(limit))
			seen.trace.check(t, fmt.Sprintf("holds:%v@%v ended:1s@1s", limit, limit))
		})
	}
}

// A step that does not end is told of while Close still waits for it.
func TestSlowStep_neverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newSlowSteps()
		l := start(t, seen.option(t), aio.WithSlowStep(100*time.Millisecond))
		release := make(chan struct{})
		aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { <-release; return nil }), aio.Named("stuck"))
		if err := l.Close(); err == nil || !strings.Contains(err.Error(), `task "stuck"`) {
			t.Errorf("Close: %v", err)
		}
		seen.trace.check(t, "holds:100ms@100ms")
		close(release)
		<-l.Done()
		if got := seen.all(); len(got) != 2 || got[1].Took < 5*time.Second {
			t.Errorf("told of %v", &seen.trace)
		}
	})
}

// The hook is on a goroutine of the watchdog's: it may hand work to the loop, which comes to it
// later, and close it, but not wait for it.
func TestSlowStep_hook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l *aio.Loop
		var tr trace
		l = aio.Start(aio.WithSlowStep(time.Second), aio.WithHooks(aio.Hooks{SlowStep: func(s aio.SlowStep) {
			if s.Stack == nil {
				tr.add("ended")
				return
			}
			task := aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { tr.add("handed-over"); return nil }))
			if _, err := task.Await(context.Background()); err != aio.ErrWouldDeadlock {
				t.Errorf("Await in the hook: %v, want ErrWouldDeadlock", err)
			}
			if err := l.Close(); err != aio.ErrWouldDeadlock {
				t.Errorf("Close in the hook: %v, want ErrWouldDeadlock", err)
			}
			time.Sleep(time.Minute) // a slow hook
			tr.add("told")
		}}))
		l.CallSoon(func() { time.Sleep(2 * time.Second); tr.add("step-over") })
		<-l.Done() // closed by the hook
		tr.check(t, "step-over handed-over told ended")
	})
}

// With more goroutines than can be dumped without stopping the program for long.
func TestSlowStep_manyTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newSlowSteps()
		l := start(t, seen.option(t), aio.WithSlowStep(100*time.Millisecond))
		for range 1100 {
			aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error { return new(aio.Event).Wait(ctx) }))
		}
		var inTask, inCallback string
		aio.Submit(context.Background(), l, aio.Do(func(context.Context) error {
			inTask = here()
			time.Sleep(time.Second)
			return nil
		}), aio.Named("culprit"))
		time.Sleep(2 * time.Second)
		l.CallSoon(func() {
			inCallback = here()
			time.Sleep(time.Second)
		})
		time.Sleep(2 * time.Second)
		got := seen.all()
		if len(got) != 4 {
			t.Fatalf("told of %v", &seen.trace)
		}
		checkNext(t, got[0], inTask)
		checkNext(t, got[2], inCallback)
		if got[0].Task.Name != "culprit" || got[2].Task.ID != 0 {
			t.Errorf("told of %+v and %+v", got[0].Task, got[2].Task)
		}

		other := start(t, aio.WithSlowStep(0)) // in a step too, whose goroutine a profile cannot tell apart
		other.CallSoon(func() { otherStep(10 * time.Second) })
		l.CallSoon(func() { time.Sleep(time.Second) })
		time.Sleep(2 * time.Second)
		got = seen.all()[4:]
		if len(got) != 2 || got[0].At != "" || !bytes.HasPrefix(got[0].Stack, []byte("one of these goroutines")) ||
			!bytes.Contains(got[0].Stack, []byte("otherStep")) || !bytes.Contains(got[0].Stack, []byte("TestSlowStep_manyTasks")) {
			t.Errorf("with another loop in a step, told of %q:\n%s", got[0].At, got[0].Stack)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute) // until the other's step is over, too
	})
}

//go:noinline
func otherStep(d time.Duration) { <-time.After(d) }

// By default slow steps are logged: one warning each, and a line when it has ended.
func TestSlowStep_logged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, nil))
		l := start(t, aio.WithLogger(logger), aio.WithSlowStep(100*time.Millisecond))
		aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { time.Sleep(time.Second); return nil }), aio.Named("sleeper"))
		time.Sleep(2 * time.Second)
		l.CallSoon(func() { time.Sleep(time.Second) })
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != 4 {
			t.Fatalf("got %d lines, want 4:\n%s", len(lines), &out)
		}
		for i, wants := range [][]string{
			{"level=WARN", `msg="aio: a slow step holds the loop`, "task=sleeper", "took=100ms", "slowstep_test.go:", "TestSlowStep_logged.func", "stack="},
			{"level=INFO", `msg="aio: the slow step has ended;`, "task=sleeper", "took=1s"},
			{"level=WARN", `step="a callback"`, "took=100ms", "slowstep_test.go:"},
			{"level=INFO", `step="a callback"`, "took=1s"},
		} {
			for _, want := range wants {
				if !strings.Contains(lines[i], want) {
					t.Errorf("line %d lacks %q: %s", i+1, want, lines[i])
				}
			}
		}
	})
}

// asyncio's debug mode tells of a slow step when it is over, and names no line of it. We tell of it
// while it runs, with the line.
func TestSlowStep_besideAsyncio(t *testing.T) {
	script, err := os.ReadFile("testdata/slowstep/stall.py")
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := os.ReadFile("testdata/slowstep/stall.txt")
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := bytes.Cut(script, []byte("# the culprit"))
	culprit := fmt.Sprintf("stall.py:%d", bytes.Count(before, []byte("\n"))+1)
	lines := strings.Split(strings.TrimSpace(string(recorded)), "\n")
	if len(lines) != 3 || lines[0] != "step begins" || lines[1] != "step ends" || !strings.Contains(lines[2], "Executing <Task finished name='handler'") ||
		!strings.Contains(lines[2], "took 0.3") || strings.Contains(lines[2], culprit) {
		t.Errorf("asyncio said\n%s", recorded)
	}

	synctest.Test(t, func(t *testing.T) {
		var tr trace
		var at, line string
		run(t, func(ctx context.Context) error {
			_, err := aio.Go(ctx, aio.Do(func(context.Context) error {
				tr.add("step-begins")
				line = here()
				time.Sleep(300 * time.Millisecond)
				tr.add("step-ends")
				return nil
			}), aio.Named("handler")).Await(ctx)
			return err
		}, aio.WithSlowStep(100*time.Millisecond), aio.WithHooks(aio.Hooks{SlowStep: func(s aio.SlowStep) {
			tr.add("%s:%v", s.Task.Name, s.Took)
			at += s.At
		}}))
		tr.check(t, "step-begins handler:100ms step-ends handler:300ms")
		checkNext(t, aio.SlowStep{At: at}, line)
	})
}

// In real time: a step waits for the very report of it.
func TestSlowStep_realTime(t *testing.T) {
	for name, opts := range map[string][]aio.Option{"": nil, "OnThread": {aio.OnThread()}, "debug": {aio.WithDebug()}} {
		t.Run(name, func(t *testing.T) {
			const limit = 5 * time.Millisecond
			release, over := make(chan struct{}), make(chan aio.SlowStep, 1)
			var first aio.SlowStep
			l := start(t, append(opts, aio.WithSlowStep(limit), aio.WithHooks(aio.Hooks{SlowStep: func(s aio.SlowStep) {
				if s.Task.Name != "culprit" {
					return // on a machine that is slow itself
				}
				if s.Stack != nil {
					first = s
					close(release)
				} else {
					over <- s
				}
			}}))...)
			line := ""
			on(t, l, func(ctx context.Context) error { return aio.Sleep(ctx, 3*limit) })
			aio.Submit(context.Background(), l, aio.Do(func(context.Context) error {
				line = here()
				<-release
				return nil
			}), aio.Named("culprit"))
			last := <-over
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			checkNext(t, first, line)
			if first.Took < limit || last.Took < first.Took {
				t.Errorf("the step took %v and then %v", first.Took, last.Took)
			}
			if runtime.GOOS == "linux" && (first.CPU < 0 || last.CPU < first.CPU) {
				t.Errorf("the step got %v of CPU time and then %v", first.CPU, last.CPU)
			}
		})
	}
}
