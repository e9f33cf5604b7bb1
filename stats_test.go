package aio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// On the loop the numbers are exact, and each turn is counted.
func TestStats_onTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			l, _ := aio.LoopOf(ctx)
			before := l.Stats()
			if before != (aio.Stats{Tasks: 1, Iterations: before.Iterations}) || before.Iterations == 0 {
				t.Errorf("at the start: %+v", before)
			}
			aio.Go(ctx, sleeper(time.Hour, nil))
			for i := range 3 {
				l.CallSoon(func() {})
				h := l.CallLater(time.Duration(i+1)*time.Minute, func() {})
				if i == 1 {
					h.Cancel()
				}
			}
			go l.CallSoon(func() {})
			synctest.Wait() // what it waits for does not need the loop
			if got, want := l.Stats(), (aio.Stats{Tasks: 2, Ready: 5, Timers: 2, Iterations: before.Iterations}); got != want {
				t.Errorf("with a task, 3 callbacks, one posted, and 2 timers: %+v, want %+v", got, want)
			}
			_ = aio.Yield(ctx)
			if got, want := l.Stats(), (aio.Stats{Tasks: 2, Ready: 1, Timers: 3, Iterations: before.Iterations + 1}); got != want {
				t.Errorf("a turn later, and before that of what was posted: %+v, want %+v", got, want)
			}
			return nil
		})
	})
}

// A goroutine sees what it handed over before; asking does not make the loop do anything.
func TestStats_fromAGoroutine(t *testing.T) {
	for _, settled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := start(t)
			aio.Submit(context.Background(), l, sleeper(time.Hour, nil))
			l.CallLater(time.Minute, func() {})
			l.CallLater(time.Minute, func() {})
			l.CallLater(time.Minute, func() {}).Cancel()
			if settled {
				synctest.Wait()
			}
			got := l.Stats()
			if got != (aio.Stats{Tasks: 1, Timers: 3, Iterations: got.Iterations}) || got.Iterations == 0 {
				t.Errorf("parked before %v: %+v", settled, got)
			}
			infos := l.Tasks()
			if len(infos) != 1 || infos[0].State != "waiting" || !strings.HasPrefix(infos[0].On, "sleep until ") {
				t.Errorf("parked before %v: %+v", settled, infos)
			}
			synctest.Wait()
			got = l.Stats() // the loop may have parked once more
			for range 100 {
				l.Tasks()
				if again := l.Stats(); again != got {
					t.Fatalf("asked again: %+v, before %+v", again, got)
				}
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if got := l.Stats(); got != (aio.Stats{Iterations: got.Iterations}) || got.Iterations == 0 || len(l.Tasks()) != 0 {
				t.Errorf("after Close: %+v, %v", got, l.Tasks())
			}
		})
	}
}

// While a step holds the loop whoever looks gets an answer after 10 ms, and those after it at once.
func TestStats_whileAStepHoldsTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		aio.Submit(context.Background(), l, sleeper(time.Hour, nil), aio.Named("sleeper"))
		held, begin := make(chan struct{}), new(aio.Event)
		for _, name := range []string{"before", "holder", "after"} {
			aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
				err := begin.Wait(ctx)
				if name == "holder" {
					<-held // what a task must not do
				}
				return errors.Join(err, aio.Yield(ctx))
			}), aio.Named(name))
		}
		l.CallLater(time.Hour, func() {})
		synctest.Wait()
		before := l.Stats()
		begin.Set()
		synctest.Wait()
		began := time.Now()
		aio.Submit(context.Background(), l, value(1), aio.Named("new"))
		for i := range 3 {
			l.CallSoon(func() {})
			want := aio.Stats{Tasks: 5, Ready: 3 + 1 + i + 1, Timers: 2, Iterations: before.Iterations} // as the iteration began, and what came since
			if got := l.Stats(); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			checkTasks(t, l.Tasks(), "sleeper waiting sleep|before ready|holder running|after ready|new ready")
			if took := time.Since(began); took != 10*time.Millisecond {
				t.Errorf("after %v", took)
			}
		}
		close(held)
		synctest.Wait()
		if got := l.Stats(); got != (aio.Stats{Tasks: 1, Timers: 2, Iterations: got.Iterations}) {
			t.Errorf("when the step was over: %+v", got)
		}
	})
}

// A loop that never sleeps notes how it stands every 16 iterations, and when something is handed to it.
func TestStats_ofABusyLoopThatIsHeld(t *testing.T) {
	for _, posts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := start(t)
			held := make(chan struct{})
			var there aio.Stats
			aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
				for range 1000 {
					_ = aio.Yield(ctx)
				}
				if posts {
					posted := make(chan struct{})
					go func() { l.CallSoon(func() {}); close(posted) }()
					<-posted
					_ = aio.Yield(ctx)
				}
				there = l.Stats()
				<-held
				return nil
			}))
			synctest.Wait()
			late := uint64(16)
			if posts {
				late = 1 // as the iteration began
			}
			if here := l.Stats(); here.Iterations > there.Iterations || here.Iterations+late < there.Iterations {
				t.Errorf("after %d iterations %d were told of", there.Iterations, here.Iterations)
			}
			close(held)
		})
	}
}

// A task's first step can hold the loop as well, and so can a callback.
func TestTasks_heldByAFirstStepAndByACallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		held := make(chan struct{})
		for i := range 3 {
			aio.Submit(context.Background(), l, aio.Do(func(context.Context) error {
				if i == 1 {
					<-held
				}
				return nil
			}))
		}
		synctest.Wait()
		checkTasks(t, l.Tasks(), "task-2 running|task-3 ready")
		close(held)
		held = make(chan struct{})
		synctest.Wait()
		l.CallSoon(func() { <-held })
		var q aio.Queue[int]
		aio.Submit(context.Background(), l, q.Get)
		synctest.Wait()
		checkTasks(t, l.Tasks(), "task-4 ready")
		close(held)
		q.TryPut(1)
	})
}

// A task or callback of another loop does not wait for an answer.
func TestStats_fromAnotherLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, other := start(t), start(t)
		aio.Submit(context.Background(), l, sleeper(time.Hour, nil))
		held := make(chan struct{})
		l.CallSoon(func() { <-held })
		synctest.Wait()
		began := time.Now()
		look := func() {
			if got := l.Stats(); got.Tasks != 1 {
				t.Errorf("%+v", got)
			}
			checkTasks(t, l.Tasks(), "task-1 waiting sleep")
		}
		on(t, other, func(context.Context) error { look(); return nil })
		other.CallSoon(look)
		turn(t, other)
		if took := time.Since(began); took != 0 {
			t.Errorf("after %v", took)
		}
		close(held)
	})
}

// checkTasks compares tasks, each as its name, its state, and what it waits for.
func checkTasks(t testing.TB, infos []aio.TaskInfo, want string) {
	t.Helper()
	var got []string
	for _, i := range infos {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", i.Name, i.State, i.On)))
	}
	if text := strings.Join(got, "|"); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// checkSense looks at l once, and returns how many iterations it has done.
func checkSense(t *testing.T, l *aio.Loop, last uint64) uint64 {
	stats := l.Stats()
	if stats.Tasks < 0 || stats.Ready < 0 || stats.Timers < 0 || stats.Iterations < last {
		t.Errorf("%+v, after %d iterations", stats, last)
	}
	running, id := 0, uint64(0)
	for _, i := range l.Tasks() {
		switch i.State {
		case "running":
			running++
		case "waiting":
			if i.On == "" {
				t.Errorf("nobody knows what %q waits for", i.Name)
			}
		case "ready", "done":
		default:
			t.Errorf("%+v", i)
		}
		if i.ID <= id || i.On != "" && i.State != "waiting" && !strings.HasPrefix(i.On, "created at ") || running > 1 {
			t.Errorf("%+v, after %d, with %d running", i, id, running)
		}
		id = i.ID
	}
	return stats.Iterations
}

// What a hook is told of says how it stands where that is known.
func TestTaskInfo_inHooks(t *testing.T) {
	var tr trace
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		aio.Go(ctx, func(context.Context) (int, error) { return 0, io.EOF })
		return aio.Yield(ctx)
	}), aio.WithHooks(aio.Hooks{
		TaskFinished: func(i aio.TaskInfo, _ error) { tr.add("%s:%s", i.Name, i.State) },
		Unhandled:    func(f aio.Failure) { tr.add("%s:%s:%v", f.Task.Name, f.Task.State, f.Err) },
	}))
	if err != nil {
		t.Error(err)
	}
	tr.check(t, "task-2:done task-1:done task-2:done:EOF")
}

// A question that was not answered in time leaves nothing behind: when the step is over the loop is asked again.
func TestStats_askedAgainAfterAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		held := make(chan struct{})
		l.CallSoon(func() { <-held })
		synctest.Wait()
		l.Stats()
		close(held)
		synctest.Wait()
		for i := range 3 {
			l.CallLater(time.Hour, func() {}) // wakes the loop, which so can't be looked at
			if got := l.Stats(); got.Timers != i+1 || got.Ready != 0 {
				t.Errorf("with %d timers: %+v", i+1, got)
			}
		}
	})
}
