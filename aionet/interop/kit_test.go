package interop_test

import (
	"bytes"
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// run runs fn in a loop whose failures are the test's.
func run(t *testing.T, fn func(context.Context) error) {
	t.Helper()
	if err := runWith(t, aio.Hooks{}, fn); err != nil {
		t.Error(err)
	}
}

func runWith(t *testing.T, hooks aio.Hooks, fn func(context.Context) error) error {
	t.Helper()
	hooks.Unhandled = func(f aio.Failure) { t.Errorf("unhandled, of %q: %v", f.Task.Name, f.Err) }
	_, err := aio.Run(t.Context(), aio.Do(fn), aio.WithHooks(hooks), aio.WithSlowStep(20*time.Millisecond))
	return err
}

// stalls runs fn in a loop, which what fn calls holds by waiting. It has to be what's named in the stack that the
// watchdog shows; then release ends it.
func stalls(t *testing.T, named string, release func(), fn func(context.Context) error) {
	t.Helper()
	var once sync.Once
	told := false
	lost := time.AfterFunc(30*time.Second, func() { once.Do(release) }) // the test has failed, and must end
	defer lost.Stop()
	err := runWith(t, aio.Hooks{SlowStep: func(s aio.SlowStep) {
		stack := s.Stack
		if bytes.HasPrefix(stack, []byte("aio: no stack")) { // on a busy machine it can't be had as often as that
			stack = make([]byte, 1<<20)
			stack = stack[:runtime.Stack(stack, true)]
		}
		if bytes.Contains(stack, []byte(named)) {
			once.Do(func() {
				told = true
				t.Logf("the watchdog names %s", s.At)
				release()
			})
		}
	}}, fn)
	once.Do(func() {}) // told is written before
	if err != nil || !told {
		t.Errorf("%v; the watchdog told of a stall in %s: %v, want true", err, named, told)
	}
}

// flows runs fn in a loop, which what's named never holds: fn has it called elsewhere. In a task it may as well be busy
// for as long.
func flows(t *testing.T, named string, fn func(context.Context) error) {
	t.Helper()
	err := runWith(t, aio.Hooks{SlowStep: func(s aio.SlowStep) {
		if bytes.Contains(s.Stack, []byte(named)) {
			t.Errorf("%s holds the loop:\n%s", named, s.Stack)
		}
	}}, fn)
	if err != nil {
		t.Error(err)
	}
}

// each runs fn in n tasks, and waits for them.
func each(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	var tasks []*aio.Task[struct{}]
	for i := range n {
		tasks = append(tasks, aio.Go(ctx, aio.Do(func(ctx context.Context) error { return fn(ctx, i) })))
	}
	_, err := aio.Gather(ctx, tasks...)
	return err
}
