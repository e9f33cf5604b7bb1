package aio_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/seed8b1f0744/aio"
)

// What the tests of this package share.

// start starts a loop that the test's end closes. A failure that nobody took fails the test, unless the test brings its own hooks.
func start(t testing.TB, opts ...aio.Option) *aio.Loop {
	t.Helper()
	l := aio.Start(append([]aio.Option{complains(t)}, opts...)...)
	t.Cleanup(func() { _ = l.Close() }) // idempotent: most tests close it themselves
	return l
}

// run runs main on a loop of its own and fails the test if main does.
func run(t testing.TB, main func(ctx context.Context) error, opts ...aio.Option) {
	t.Helper()
	if _, err := aio.Run(t.Context(), aio.Do(main), append([]aio.Option{complains(t)}, opts...)...); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// on runs fn in a task of l, waits for it here, and fails the test if fn does.
func on(t testing.TB, l *aio.Loop, fn func(ctx context.Context) error) {
	t.Helper()
	if _, err := aio.Submit(context.Background(), l, aio.Do(fn)).Await(context.Background()); err != nil {
		t.Errorf("task: %v", err)
	}
}

func complains(t testing.TB) aio.Option {
	return aio.WithHooks(aio.Hooks{Unhandled: func(f aio.Failure) { t.Errorf("unhandled failure of %q: %v", f.Task.Name, f.Err) }})
}

// quiet is for a test whose loop warns as it should, of what the test is not about.
func quiet() aio.Option { return aio.WithLogger(slog.New(slog.DiscardHandler)) }

// reports gathers what a loop's Unhandled is told.
type reports struct {
	mu   sync.Mutex
	list []aio.Failure
	told chan struct{} // one value for each report, as long as there is room
}

func newReports() *reports { return &reports{told: make(chan struct{}, 1<<10)} }

func (r *reports) option() aio.Option { return aio.WithHooks(aio.Hooks{Unhandled: r.add}) }

func (r *reports) add(f aio.Failure) {
	r.mu.Lock()
	r.list = append(r.list, f)
	r.mu.Unlock()
	select {
	case r.told <- struct{}{}:
	default:
	}
}

func (r *reports) all() []aio.Failure {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]aio.Failure(nil), r.list...)
}

// trace is a list of words, to be compared as one string.
type trace struct {
	mu    sync.Mutex
	words []string
}

func (tr *trace) add(format string, args ...any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.words = append(tr.words, fmt.Sprintf(format, args...))
}

func (tr *trace) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return strings.Join(tr.words, " ")
}

func (tr *trace) check(t testing.TB, want string) {
	t.Helper()
	if got := tr.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// value is a function for Go that returns v at once.
func value[T any](v T) func(context.Context) (T, error) {
	return func(context.Context) (T, error) { return v, nil }
}

// turn waits in a plain goroutine until l has run what was handed to it before.
func turn(t testing.TB, l *aio.Loop) {
	t.Helper()
	done := make(chan struct{})
	if err := l.CallSoon(func() { close(done) }).Err(); err != nil {
		t.Fatalf("CallSoon: %v", err)
	}
	<-done
}
