package aio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// WithDebug: what is told beyond what is told anyway.

// journal is a log that any goroutine may write to.
type journal struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.Write(b)
}

func (j *journal) option() aio.Option { return aio.WithLogger(slog.New(slog.NewTextHandler(j, nil))) }

func (j *journal) lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Split(strings.TrimSuffix(j.out.String(), "\n"), "\n")
}

// check checks that there is one line for each of wants, with all the words that it holds.
func (j *journal) check(t *testing.T, wants ...[]string) {
	t.Helper()
	lines := j.lines()
	if len(lines) == 1 && lines[0] == "" {
		lines = nil
	}
	if len(lines) != len(wants) {
		t.Fatalf("got %d lines, want %d:\n%s", len(lines), len(wants), strings.Join(lines, "\n"))
	}
	for i, words := range wants {
		for _, word := range words {
			if !strings.Contains(lines[i], word) {
				t.Errorf("line %d lacks %q: %s", i+1, word, lines[i])
			}
		}
	}
}

func TestDebug_created(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		var infos []aio.TaskInfo
		l := aio.Start(aio.WithDebug(), j.option(), aio.WithHooks(aio.Hooks{TaskStarted: func(i aio.TaskInfo) { infos = append(infos, i) }}))
		var lines []string
		line := func() {
			_, _, n, _ := runtime.Caller(1)
			lines = append(lines, fmt.Sprintf("created at %s:%d ", "debug_test.go", n+1))
		}
		line()
		outer := aio.Submit(l.Context(), l, aio.Do(func(ctx context.Context) error {
			line()
			aio.Go(ctx, fails(io.EOF), aio.Named("failing"))
			line()
			return aio.ForEach(ctx, 1, slices.Values([]int{1}), func(context.Context, int) error { return nil })
		}))
		if _, err := outer.Await(context.Background()); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if len(infos) != 3 || infos[1].Name != "failing" || infos[2].Name != "task-3" {
			t.Fatalf("tasks %+v", infos)
		}
		for i, info := range infos {
			at := info.On
			if slash := strings.LastIndexByte(at[:strings.LastIndexByte(at, ' ')], '/'); slash >= 0 {
				at = "created at " + at[slash+1:]
			}
			if !strings.HasPrefix(at, lines[i]) || !strings.Contains(at, "TestDebug_created") {
				t.Errorf("%s: %q, want %q", info.Name, info.On, lines[i])
			}
		}
		j.check(t, []string{"level=ERROR", "task=failing", "error=EOF", "created=", "debug_test.go:"})
	})
}

func TestDebug_slowStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		l := start(t, aio.WithDebug(), aio.WithSlowStep(time.Second), j.option())
		aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { time.Sleep(time.Minute); return nil }))
		if err := l.Close(); err == nil {
			t.Error("Close waited for a step of a minute")
		} else if !strings.Contains(err.Error(), "debug_test.go:") {
			t.Errorf("Close does not tell where the task was created: %v", err)
		}
		<-l.Done()
		j.check(t, []string{"holds the loop", "created=", "TestDebug_slowStep"}, []string{"has ended", "took=1m0s"})
	})
}

// A value that nobody asked for; what was asked for in any way, failed, has no value, or belongs to
// a group is none.
func TestDebug_neverAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		pool := aio.NewPool(aio.PoolConfig{Queue: -1})
		run(t, func(ctx context.Context) error {
			forgotten := aio.Go(ctx, value(1), aio.Named("forgotten"))
			aio.InExecutor(ctx, pool, value(2))
			awaited := aio.Go(ctx, value(1))
			gathered := []*aio.Task[int]{aio.Go(ctx, value(1)), aio.Go(ctx, value(1))}
			read := aio.Go(ctx, value(1))
			watched := aio.Go(ctx, value(1))
			watched.OnDone(ctx, func(int, error) {})
			aio.Go(ctx, value(1)).Done()
			aio.Go(ctx, aio.Do(func(context.Context) error { return nil }))
			aio.Go(ctx, func(ctx context.Context) (int, error) { return 1, aio.Sleep(ctx, time.Hour) }).Cancel(nil)
			called, err := aio.Blocking(ctx, value(1))
			if err != nil {
				return err
			}
			if v, err := awaited.Await(ctx); err != nil || v != called {
				return fmt.Errorf("Await: %v, %w", v, err)
			}
			if _, err := aio.Gather(ctx, gathered...); err != nil {
				return err
			}
			if err := aio.WithGroup(ctx, func(ctx context.Context) error { aio.Go(ctx, value(1)); return nil }); err != nil {
				return err
			}
			if err := aio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			_, err = read.Result()
			runtime.KeepAlive(forgotten)
			return err
		}, aio.WithDebug(), j.option())
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		lines := j.lines()
		if len(lines) == 2 && strings.Contains(lines[0], "executor") { // either may be done first
			lines[0], lines[1] = lines[1], lines[0]
		}
		if len(lines) != 2 || !strings.Contains(lines[0], "nobody asked for the result of a task") || !strings.Contains(lines[0], "task=forgotten created=") ||
			!strings.Contains(lines[1], "nobody asked for the result of a call on an executor") {
			t.Errorf("got\n%s", strings.Join(lines, "\n"))
		}
	})
}

func TestDebug_destroyedPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		l := start(t, aio.WithDebug(), j.option())
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			for { // will not end
				_ = aio.Sleep(context.WithoutCancel(ctx), time.Second)
			}
		}), aio.Named("stubborn"))
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error { return new(aio.Event).Wait(ctx) }))
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		j.check(t, []string{"level=WARN", "a task was destroyed while it was pending", "task=stubborn", "created=", "TestDebug_destroyedPending"})
	})
}

func TestDebug_wrongGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		l := start(t, aio.WithDebug(), j.option())
		for range 2 { // told once
			l.CallSoon(func() {
				_ = aio.Sleep(l.Context(), time.Second) // its error is dropped
			})
		}
		on(t, l, func(ctx context.Context) error {
			next, stop := iter.Pull(func(yield func(error) bool) { yield(new(aio.Event).Wait(ctx)) })
			defer stop()
			next()
			return nil
		})
		l.CallSoon(func() { _ = l.Close() }) // meant
		<-l.Done()
		j.check(t,
			[]string{"level=WARN", "a wait in a callback or hook", "debug_test.go:", "TestDebug_wrongGoroutine.func"},
			[]string{"level=WARN", "a wait in an iterator that a task pulls", "debug_test.go:"})
	})
}

// A value that comes after Gather has given up is not one that was forgotten.
func TestDebug_foreignAwaitableTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		run(t, func(ctx context.Context) error {
			c, stop := aio.WithTimeout(ctx, time.Second)
			defer stop()
			_, err := aio.Gather(c, awaits(func(context.Context) (int, error) { return 2, aio.Sleep(context.Background(), time.Minute) }))
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Gather: %v", err)
			}
			return aio.Sleep(ctx, time.Hour)
		}, aio.WithDebug(), j.option())
		j.check(t)
	})
}
