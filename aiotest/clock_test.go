package aiotest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

const year = 365 * 24 * time.Hour

// Time on the clock passes without taking any, and exactly.
func TestClock_sleepsExactly(t *testing.T) {
	aiotest.Run(t, func(ctx context.Context) error {
		for _, d := range []time.Duration{1, time.Millisecond, time.Hour, 100 * year, 100 * year} {
			began := aio.Now(ctx)
			if err := aio.Sleep(ctx, d); err != nil {
				return err
			}
			if took := aio.Now(ctx).Sub(began); took != d {
				t.Errorf("a sleep of %v took %v", d, took)
			}
		}
		return nil
	})
}

// Equal deadlines are kept in the order in which they were made, however they were made.
func TestClock_equalDeadlines(t *testing.T) {
	aiotest.Run(t, func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		at := aio.Now(ctx).Add(year)
		var got []int
		for i := range 9 {
			switch i % 3 {
			case 0:
				l.CallLater(year, func() { got = append(got, i) })
			case 1:
				l.CallAt(at, func() { got = append(got, i) })
			default:
				timeout, cancel := aio.WithTimeout(ctx, year)
				defer cancel()
				if deadline, ok := timeout.Deadline(); !ok || !deadline.Equal(at) {
					t.Errorf("Deadline is %v, %v; want %v", deadline, ok, at)
				}
				l.CallAt(at, func() {
					if timeout.Err() == nil {
						t.Error("the deadline of WithTimeout was armed before this callback, and has not come before it")
					}
					got = append(got, i)
				})
			}
		}
		if err := aio.Sleep(ctx, year); err != nil {
			return err
		}
		if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8}; !slices.Equal(got, want) {
			t.Errorf("called in the order %v", got)
		}
		return nil
	})
}

// What is due more than 292 years after the loop's beginning is never due, and the clock does not go there.
func TestClock_endOfTime(t *testing.T) {
	aiotest.Run(t, func(ctx context.Context) error {
		if err := aio.Sleep(ctx, 200*year); err != nil {
			return err
		}
		for _, d := range []time.Duration{100 * year, 1<<63 - 1} {
			timeout, cancel := aio.WithTimeout(ctx, 40*year)
			began := aio.Now(ctx)
			if err := aio.Sleep(timeout, d); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Sleep(%v): %v, want the timeout to come first", d, err)
			}
			if took := aio.Now(ctx).Sub(began); took != 40*year {
				t.Errorf("took %v", took)
			}
			cancel()
		}
		return nil
	})
}

// Loops that share a clock go from deadline to deadline together.
func TestClock_severalLoops(t *testing.T) {
	clock := aiotest.NewClock(time.Time{})
	clock.Hold()
	var loops []*aio.Loop
	var words []string // no lock: the loops never run at the same time
	for range 3 {
		loops = append(loops, aio.Start(aio.WithClock(clock)))
	}
	var tasks []*aio.Task[struct{}]
	for i, l := range loops {
		tasks = append(tasks, aio.Submit(t.Context(), l, aio.Do(func(ctx context.Context) error {
			for n := range 3 {
				if err := aio.Sleep(ctx, time.Duration(i+1)*time.Second); err != nil {
					return err
				}
				words = append(words, fmt.Sprintf("%d.%d@%v", i, n, aio.Now(ctx).Sub(aiotest.Epoch)))
			}
			return nil
		})))
	}
	clock.Release()
	for _, task := range tasks {
		if _, err := task.Await(t.Context()); err != nil {
			t.Error(err)
		}
	}
	want := "[0.0@1s 1.0@2s 0.1@2s 2.0@3s 0.2@3s 1.1@4s 2.1@6s 1.2@6s 2.2@9s]"
	if got := fmt.Sprint(words); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, l := range loops {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	clock.Hold()
	clock.Release() // and nobody else holds it any more
}

// A goroutine under a loop's context sleeps on its clock, before and after the loop has closed.
func TestClock_goroutineSleeps(t *testing.T) {
	clock := aiotest.NewClock(time.Time{})
	l := aio.Start(aio.WithClock(clock))
	ctx := context.WithoutCancel(l.Context())
	for _, when := range []string{"before", "after"} {
		began := clock.Now()
		if err := aio.Sleep(ctx, year); err != nil {
			t.Error(err)
		}
		if took := clock.Now().Sub(began); took != year {
			t.Errorf("a year took %v %s Close", took, when)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := aio.Sleep(l.Context(), year); !errors.Is(err, aio.ErrClosed) {
		t.Errorf("under the closed loop's context: %v", err)
	}
}

// A manual clock moves in Advance only, and Advance returns when all is quiet.
func TestManualClock(t *testing.T) {
	clock := aiotest.NewManualClock(time.Time{})
	l := aio.Start(aio.WithClock(clock))
	var words []string
	task := aio.Submit(t.Context(), l, aio.Do(func(ctx context.Context) error {
		for {
			if err := aio.Sleep(ctx, time.Second); err != nil {
				return err
			}
			for range 3 {
				if err := aio.Yield(ctx); err != nil {
					return err
				}
			}
			words = append(words, aio.Now(ctx).Sub(aiotest.Epoch).String())
		}
	}))
	for _, d := range []time.Duration{time.Second, time.Second / 2, time.Second / 2, 0, 2*time.Second - 1, 1} {
		clock.Advance(d)
		words = append(words, "|")
	}
	if got := fmt.Sprint(words); got != "[1s | | 2s | | 3s | 4s |]" {
		t.Error(got)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := task.Result(); !errors.Is(err, aio.ErrClosed) {
		t.Error(err)
	}
}

// What can't be meant panics and says what is.
func TestClock_misuse(t *testing.T) {
	panics := func(name, want string, fn func()) {
		t.Helper()
		defer func() {
			if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), want) {
				t.Errorf("%s: %v, want a panic that says %q", name, v, want)
			}
		}()
		fn()
	}
	clock := aiotest.NewClock(time.Time{})
	panics("Release", "nobody holds", clock.Release)
	panics("Wait", "Hold it first", func() { clock.Wait(nil, time.Time{}) })
	clock.Advance(time.Hour) // and it works as before
	aiotest.Run(t, func(ctx context.Context) error {
		panics("Advance in a task", "aio.Sleep", func() { clock.Advance(1) })
		l, _ := aio.LoopOf(ctx)
		l.CallSoon(func() { panics("Advance in a callback", "aio.Sleep", func() { clock.Advance(1) }) })
		return aio.Yield(ctx)
	}, aio.WithClock(clock))
}
