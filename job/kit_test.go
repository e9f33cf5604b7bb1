package job_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

// What the tests of this package share.

// far serves each call in the goroutine that executes it, as a worker would.
type far struct {
	mu    sync.Mutex
	calls []job.Call // guarded by mu
}

func (f *far) Execute(ctx context.Context, c job.Call) ([]byte, error) {
	f.mu.Lock()
	f.calls = append(f.calls, job.Call{ID: c.ID, Name: c.Name, Payload: bytes.Clone(c.Payload)})
	f.mu.Unlock()
	return job.Serve(ctx, c), nil
}

func (f *far) Close() error { return nil }

// fails is an executor without outcomes.
type fails struct{ err error }

func (f fails) Execute(context.Context, job.Call) ([]byte, error) { return nil, f.err }
func (f fails) Close() error                                      { return nil }

// answers is an executor whose outcome is fixed.
type answers []byte

func (a answers) Execute(context.Context, job.Call) ([]byte, error) { return a, nil }
func (a answers) Close() error                                      { return nil }

// narrow is an Accepter with room for one call at a time.
type narrow struct {
	far
	room chan struct{} // holds a value while there is room
}

func newNarrow() *narrow {
	n := &narrow{room: make(chan struct{}, 1)}
	n.room <- struct{}{}
	return n
}

func (n *narrow) Execute(ctx context.Context, c job.Call) ([]byte, error) {
	outcome, err := n.Accept(ctx, c)
	if err != nil {
		return nil, err
	}
	return outcome(ctx)
}

// Accept waits for room by asking again, of one color.
func (n *narrow) Accept(ctx context.Context, c job.Call) (func(context.Context) ([]byte, error), error) {
	for {
		select {
		case <-n.room:
			return func(ctx context.Context) ([]byte, error) {
				defer func() { n.room <- struct{}{} }()
				return n.far.Execute(ctx, c)
			}, nil
		default:
		}
		if err := aio.Sleep(ctx, 1e6); err != nil {
			return nil, err
		}
	}
}

// run runs main on a loop of its own and fails the test if main does, or if a failure is not taken.
func run(t testing.TB, main func(ctx context.Context) error) {
	t.Helper()
	hooks := aio.Hooks{Unhandled: func(f aio.Failure) { t.Errorf("unhandled failure of %q: %v", f.Task.Name, f.Err) }}
	if _, err := aio.Run(t.Context(), aio.Do(main), aio.WithHooks(hooks)); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func loopOf(ctx context.Context) *aio.Loop {
	l, _ := aio.LoopOf(ctx)
	return l
}

// panicOf is what f panics with.
func panicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// asType is the T in err.
func asType[T error](t testing.TB, err error) T {
	t.Helper()
	found, ok := errors.AsType[T](err)
	if !ok {
		t.Fatalf("got the error %v, want a %T in it", err, found)
	}
	return found
}

// TestMain fails the run if a goroutine is left after all tests.
func TestMain(m *testing.M) {
	code := m.Run()
	var left []byte
	for range 300 {
		left = nil
		buf := make([]byte, 1<<20)
		for i, stack := range bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
			if i > 0 && bytes.Contains(stack, []byte("seed8b1f0744/aio")) && !bytes.Contains(stack, []byte("TestMain(")) {
				left = append(append(left, stack...), "\n\n"...)
			}
		}
		if len(left) == 0 {
			break
		}
		runtime.Gosched()
	}
	if code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "goroutines are left after the tests:\n\n%s", left)
		code = 1
	}
	os.Exit(code)
}
