package aiotest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// lookedAt calls fn with a loop whose main task waits for the event that ends the test, and which is watched by nobody
// but fn; logged is what it had logged.
func lookedAt(t *testing.T, fn func(ctx context.Context, s *stillness), opts ...aio.Option) (logged, stderr string) {
	rec := &recorder{TB: t}
	var err bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		clock := NewClock(time.Time{})
		s := newStillness(rec, clock)
		s.stderr = &err
		var door aio.Event
		main := inBackground(func() {
			_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
				l, _ := aio.LoopOf(ctx)
				s.watch(l)
				return door.Wait(ctx)
			}), append([]aio.Option{aio.WithClock(clock)}, opts...)...)
			if err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if s.timer != nil {
			t.Error("in a bubble it has a timer of its own")
		}
		fn(s.loop.Context(), s)
		door.Set()
		<-main.done
		s.over()
		s.look()
	})
	return rec.text, err.String()
}

func TestStillness(t *testing.T) {
	logged, stderr := lookedAt(t, func(ctx context.Context, s *stillness) {
		var q aio.Queue[int]
		aio.Go(ctx, q.Get, aio.Named("consumer"))
		synctest.Wait()
		s.look()
		s.look()
		s.look() // told once
	})
	if !strings.HasPrefix(logged, "aiotest: for a second") || !strings.HasSuffix(logged, "What waits:\n\ttask-1: event\n\tconsumer: queue get\n") || strings.Count(logged, "aiotest") != 1 {
		t.Errorf("it logged %q", logged)
	}
	if shown := strings.Contains(stderr, logged); shown == testing.Verbose() {
		t.Errorf("on the standard error it wrote %q", stderr)
	}
}

func TestStillness_many(t *testing.T) {
	logged, _ := lookedAt(t, func(ctx context.Context, s *stillness) {
		var door aio.Event
		for i := range 30 {
			aio.Go(ctx, aio.Do(door.Wait), aio.Named(fmt.Sprintf("t%d", i)))
		}
		synctest.Wait()
		s.look()
		s.look()
	})
	if !strings.HasSuffix(logged, "t18: event\n\tand 11 more tasks\n") {
		t.Errorf("it logged %q", logged)
	}
}

// Whatever happens or will between two looks is no stillness.
func TestStillness_none(t *testing.T) {
	for name, fn := range map[string]func(ctx context.Context, s *stillness){
		"looked at once": func(ctx context.Context, s *stillness) { s.look() },
		"steps in between": func(ctx context.Context, s *stillness) {
			for range 5 {
				s.look()
				_, _ = aio.Go(ctx, aio.Do(aio.Yield)).Await(context.Background())
				synctest.Wait()
			}
		},
		"the clock is held": func(ctx context.Context, s *stillness) {
			s.clock.Hold()
			defer s.clock.Release()
			s.look()
			s.look()
		},
		"a call is out": func(ctx context.Context, s *stillness) {
			release := make(chan struct{})
			call := aio.Go(ctx, func(ctx context.Context) (int, error) {
				return aio.Blocking(ctx, func(context.Context) (int, error) { <-release; return 0, nil })
			})
			synctest.Wait()
			s.look()
			s.look()
			close(release)
			_, _ = call.Await(context.Background())
		},
		"something is due": func(ctx context.Context, s *stillness) {
			s.clock.Hold()
			sleeper := aio.Go(ctx, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Hour) }))
			synctest.Wait()
			s.look()
			s.look()
			s.clock.Release()
			_, _ = sleeper.Await(context.Background())
		},
		"the test is over": func(ctx context.Context, s *stillness) { s.look(); s.over(); s.look() },
	} {
		if logged, stderr := lookedAt(t, fn); logged+stderr != "" {
			t.Errorf("%s: it told %q, %q", name, logged, stderr)
		}
	}
	logged, _ := lookedAt(t, func(ctx context.Context, s *stillness) { s.look(); s.look() }, aio.WithClock(NewClock(time.Time{})))
	if logged != "" {
		t.Errorf("of a clock that is not its own it told %q", logged)
	}
}

// Outside of bubbles Run looks by a timer, which ends with it.
func TestStillness_timer(t *testing.T) {
	s := newStillness(t, NewClock(time.Time{}))
	s.watch(new(aio.Loop))
	if s.timer == nil {
		t.Fatal("nobody looks")
	}
	s.over()
	if s.timer.Stop() {
		t.Error("its timer has not ended with the test")
	}
}
