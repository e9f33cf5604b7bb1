package aio_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

func TestOnThread_start(t *testing.T) {
	l := start(t, aio.OnThread())
	thread := make(map[int]int) // how often; loop only
	seen := func() { thread[syscall.Gettid()]++ }
	var ts []*aio.Task[struct{}]
	for range 20 {
		ts = append(ts, aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			for range 20 {
				seen()
				if err := aio.Yield(ctx); err != nil {
					return err
				}
				if _, err := aio.Blocking(ctx, value(1)); err != nil {
					return err
				}
				aio.Go(ctx, aio.Do(func(context.Context) error { seen(); return nil }))
				loop, _ := aio.LoopOf(ctx)
				loop.CallSoon(seen)
			}
			return nil
		})))
		l.CallSoon(seen)
	}
	if _, err := aio.Gather(context.Background(), ts...); err != nil {
		t.Fatal(err)
	}
	if err := l.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(thread) != 1 {
		t.Errorf("the loop ran on %d threads: %v", len(thread), thread)
	}
}

func TestOnThread_run(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	mine := syscall.Gettid()
	run(t, func(ctx context.Context) error {
		for range 100 {
			here := aio.Go(ctx, func(ctx context.Context) (int, error) { return syscall.Gettid(), aio.Yield(ctx) })
			there, err := aio.Blocking(ctx, func(context.Context) (int, error) { return syscall.Gettid(), nil })
			if err != nil {
				return err
			}
			if there == mine {
				return errors.New("a blocking call ran on the loop's thread")
			}
			if id, err := here.Await(ctx); id != mine || err != nil {
				t.Errorf("a task ran on thread %d (%v), the loop's is %d", id, err, mine)
			}
		}
		return nil
	}, aio.OnThread())
	if syscall.Gettid() != mine {
		t.Error("Run unlocked the caller's thread")
	}
}

// On a locked thread nobody else may end a coroutine that went through Goexit; it waits for the loop's own end.
func TestOnThread_goexit(t *testing.T) {
	l := start(t, aio.OnThread())
	for range 3 {
		_, err := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			if err := aio.Yield(ctx); err != nil {
				return err
			}
			runtime.Goexit()
			return nil
		})).Await(context.Background())
		if err != aio.ErrGoexit {
			t.Errorf("got %v, want ErrGoexit", err)
		}
	}
	on(t, l, func(ctx context.Context) error { return aio.Sleep(ctx, time.Microsecond) })
	if err := l.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// Nor on one that its user has locked; there the loop's goroutine does not end.
func TestRun_goexitOnALockedThread(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	run(t, func(ctx context.Context) error {
		for range 3 {
			if _, err := aio.Go(ctx, aio.Do(func(context.Context) error { runtime.Goexit(); return nil })).Await(ctx); err != aio.ErrGoexit {
				t.Errorf("got %v, want ErrGoexit", err)
			}
		}
		return aio.Yield(ctx)
	})
}

// Held across an await, LockOSThread ends the program. Nobody can turn that into an error, so it is in Task's comment; if a version of Go lifts it,
// this test says that the comment may go.
func TestHazard_lockedThreadAcrossAwait(t *testing.T) {
	const asked = "AIO_TEST_LOCK_ACROSS_AWAIT"
	if os.Getenv(asked) != "" {
		_, _ = aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
			runtime.LockOSThread()
			return aio.Yield(ctx)
		}))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), asked+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "fatal error: coro: OS thread locking must match") {
		t.Errorf("the program ended with %v:\n%s", err, out)
	}
}
