package interop_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

var dialer aionet.Dialer

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
	ctx, end := context.WithCancelCause(t.Context())
	defer end(nil)
	var loop atomic.Pointer[aio.Loop]
	defer limited(t, &loop, end)()
	_, err := aio.Run(ctx, aio.Do(func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		loop.Store(l)
		return fn(ctx)
	}), aio.WithHooks(hooks), aio.WithSlowStep(20*time.Millisecond))
	return err
}

// limit is how long a loop may take, or a server to begin and to end: many times what it does where a machine is busy.
const limit = time.Minute

var errHangs = fmt.Errorf("it has not ended in %v, and was cancelled", limit)

// soon is a context for what is done outside of a loop.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, errHangs)
	t.Cleanup(cancel)
	return ctx
}

// limited ends what a loop does when it hangs, and has the test say what did: its tasks, what the server sees, and the
// stacks of all goroutines. What does not end then either ends the program.
func limited(t *testing.T, loop *atomic.Pointer[aio.Loop], end func(error)) (stop func()) {
	first := time.AfterFunc(limit, func() {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		t.Errorf("%v\n%s\n%s\n\n%s", errHangs, tasksOf(loop.Load()), serverSees(), stacks)
		end(errHangs)
	})
	last := time.AfterFunc(limit+20*time.Second, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("%s: the loop does not end when it is cancelled either\n%s", t.Name(), tasksOf(loop.Load())))
	})
	return func() { first.Stop(); last.Stop() }
}

// tasksOf tells what each task of l waits for.
func tasksOf(l *aio.Loop) string {
	if l == nil {
		return "the loop has not begun"
	}
	var text strings.Builder
	for _, task := range l.Tasks() {
		fmt.Fprintf(&text, "%q is %s %s\n", task.Name, task.State, task.On)
	}
	return text.String()
}

// view is how to ask the server that the tests use at the moment what it does; nil: there is none, or no way.
var view atomic.Pointer[func() string]

func serverSees() string {
	if ask := view.Load(); ask != nil {
		return (*ask)()
	}
	return ""
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
