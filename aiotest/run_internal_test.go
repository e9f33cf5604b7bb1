package aiotest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

func TestRun(t *testing.T) {
	lost := errors.New("lost")
	for _, c := range []struct {
		name   string
		main   func(ctx context.Context, t testing.TB) error
		says   string // "": the test passes
		goesOn bool   // behind Run
	}{
		{"nil", func(ctx context.Context, t testing.TB) error { return aio.Sleep(ctx, time.Hour) }, "", true},
		{"an error", func(ctx context.Context, t testing.TB) error { return lost }, "aiotest: Run: lost\n", true},
		{"a failure nobody took", func(ctx context.Context, t testing.TB) error {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error { return lost }), aio.Named("worker"))
			return aio.Sleep(ctx, time.Hour)
		}, "aiotest: task \"worker\" failed and nobody took its error: lost\n", true},
		{"a callback that panics", func(ctx context.Context, t testing.TB) error {
			l, _ := aio.LoopOf(ctx)
			l.CallSoon(func() { panic("oh") })
			return aio.Yield(ctx)
		}, "aiotest: a failure nobody took: ", true},
		{"Fatal", func(ctx context.Context, t testing.TB) error {
			t.Fatal("no more")
			return nil
		}, "no more\n", false},
		{"Fatal in another task", func(ctx context.Context, t testing.TB) error {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				t.Fatal("no more")
				return nil
			}))
			return aio.Sleep(ctx, time.Hour)
		}, "no more\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := &recorder{TB: t}
			wentOn := false
			<-inBackground(func() {
				Run(seen, func(ctx context.Context) error { return c.main(ctx, seen) })
				wentOn = true
			}).done
			if seen.Failed() != (c.says != "") || !strings.HasPrefix(seen.text, c.says) || strings.Count(seen.text, "aiotest:") > 1 {
				t.Errorf("failed is %v, and it said %q; want %q", seen.Failed(), seen.text, c.says)
			}
			if wentOn != c.goesOn {
				t.Errorf("went on behind Run: %v", wentOn)
			}
		})
	}
}

// The options of the test come last.
func TestRun_options(t *testing.T) {
	clock := NewClock(time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC))
	told := 0
	Run(t, func(ctx context.Context) error {
		aio.Go(ctx, aio.Do(func(context.Context) error { return errors.New("lost") }))
		if now := aio.Now(ctx); now.Year() != 2026 {
			t.Errorf("it is %v", now)
		}
		return aio.Sleep(ctx, time.Hour)
	}, aio.WithClock(clock), aio.WithHooks(aio.Hooks{Unhandled: func(aio.Failure) { told++ }}))
	if told != 1 {
		t.Errorf("the test's hook was told %d times", told)
	}
}
