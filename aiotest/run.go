package aiotest

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Run runs main on a loop with a [Clock] of its own, as [aio.Run] does, and fails t if main returns
// an error or anything fails that nobody takes. main's context ends with t's, just before t's
// Cleanup functions are called. opts come after the options that Run itself uses, so they may
// replace its clock and its hooks. It is called in a test's goroutine, which it blocks.
//
// t.FailNow, t.Fatal and t.Skip in a task end that task; in main they end the test.
func Run(t testing.TB, main func(ctx context.Context) error, opts ...aio.Option) {
	t.Helper()
	meant := func(err error) bool { return errors.Is(err, aio.ErrGoexit) && (t.Failed() || t.Skipped()) }
	unhandled := func(f aio.Failure) {
		if meant(f.Err) {
			return
		}
		if f.Task.Name != "" {
			t.Errorf("aiotest: task %q failed and nobody took its error: %v", f.Task.Name, f.Err)
		} else {
			t.Errorf("aiotest: a failure nobody took: %v", f.Err)
		}
	}
	opts = append([]aio.Option{
		aio.WithClock(NewClock(time.Time{})),
		aio.WithHooks(aio.Hooks{Unhandled: unhandled}),
	}, opts...)
	_, err := aio.Run(t.Context(), aio.Do(main), opts...)
	if meant(err) {
		runtime.Goexit()
	}
	if err != nil {
		t.Errorf("aiotest: Run: %v", err)
	}
}
