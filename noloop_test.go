package aio_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio"
)

// Go under a ctx without a loop: its function never runs, which must not go unheard.

// logsDefault has slog.Default write to a journal while the test runs.
func logsDefault(t *testing.T) *journal {
	j, before := new(journal), slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(j, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return j
}

// with are the lines that hold a word: other tests' tasks may come to be told of, too.
func (j *journal) with(word string) []string {
	return slices.DeleteFunc(j.lines(), func(line string) bool { return !strings.Contains(line, word) })
}

func TestGo_withoutLoop(t *testing.T) {
	j := logsDefault(t)
	awaited := aio.Go(t.Context(), value(1), aio.Named("awaited"))
	_, err := awaited.Await(t.Context())
	checkErr(t, "Await", err, aio.ErrNoLoop)
	if awaited.Cancel(nil) || awaited.State() != aio.Finished {
		t.Errorf("a task that failed at once was cancelled: %v", awaited.State())
	}
	kept := aio.Go(t.Context(), value(2), aio.Named("kept")) // reachable, and so may still be awaited
	aio.Go(t.Context(), value(3), aio.Named("audit"))
	var told []string
	for ; len(told) == 0; told = j.with("task=audit ") {
		runtime.GC()
		runtime.Gosched()
	}
	runtime.GC()
	for _, word := range []string{"level=ERROR", "nobody took its error", aio.ErrNoLoop.Error(), "created=", "noloop_test.go:", "TestGo_withoutLoop"} {
		if !strings.Contains(told[0], word) {
			t.Errorf("it lacks %q: %s", word, told[0])
		}
	}
	if other := append(j.with("task=kept "), j.with("task=awaited ")...); len(told) != 1 || len(other) != 0 {
		t.Errorf("told %q and %q", told, other)
	}
	if kept.Name() != "kept" {
		t.Errorf("Name is %q", kept.Name())
	}
	if _, err := kept.Result(); !errors.Is(err, aio.ErrNoLoop) {
		t.Errorf("Result: %v", err)
	}
	runtime.KeepAlive(awaited)
}

// In a task there is a loop whose hooks can be told, though ctx does not know it.
func TestGo_withoutLoopInTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		_, err := aio.Run(t.Context(), aio.Do(func(context.Context) error {
			aio.Go(context.Background(), aio.Do(func(context.Context) error { return io.EOF }), aio.Named("audit"))
			_, err := aio.Go(context.Background(), value(1)).Await(context.Background())
			return err
		}), seen.option())
		checkErr(t, "Run", err, aio.ErrNoLoop)
		got := seen.all()
		if len(got) != 1 || got[0].Err != aio.ErrNoLoop || got[0].Task.Name != "audit" || !strings.Contains(got[0].Task.On, "noloop_test.go:") {
			t.Errorf("Unhandled was told %+v, want what was not awaited", got)
		}
	})
}

// Nothing of it is told in a bubble: the collector does not belong to it.
func TestGo_withoutLoopInBubble(t *testing.T) {
	j := logsDefault(t)
	synctest.Test(t, func(t *testing.T) {
		aio.Go(t.Context(), value(1), aio.Named("bubbled"))
		if _, err := aio.Go(t.Context(), value(1)).Result(); !errors.Is(err, aio.ErrNoLoop) {
			t.Errorf("Result: %v", err)
		}
	})
	for range 3 {
		runtime.GC()
	}
	if told := j.with("task=bubbled "); len(told) != 0 {
		t.Error(told)
	}
}
