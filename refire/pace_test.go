package refire_test

import (
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// TestPace: over any stretch of time no more requests begin than the rate allows, give or take what may be caught up.
func TestPace(t *testing.T) {
	for _, rate := range []float64{0.5, 10, 100, 5_000, 200_000} {
		p := refire.Pace{PerSecond: rate}
		start := time.Unix(0, 0)
		now, n := start, 0
		for now.Sub(start) < 4*time.Second {
			now = now.Add(p.Next(now))
			n++
		}
		want := rate * 4
		if got := float64(n); got < want*0.98 || got > want*1.02+2 {
			t.Errorf("%g/s: %d in 4 s", rate, n)
		}
	}
}

func TestPaceAfterAPause(t *testing.T) {
	p := refire.Pace{PerSecond: 100}
	now := time.Unix(0, 0)
	p.Next(now)
	now = now.Add(time.Hour)
	free := 0
	for p.Next(now) == 0 {
		free++
	}
	if free > 2 {
		t.Errorf("a flood of %d after a pause", free)
	}
}

func TestPaceWithoutRate(t *testing.T) {
	var p refire.Pace
	for range 10 {
		if d := p.Next(time.Unix(0, 0)); d != 0 {
			t.Fatalf("waits %v", d)
		}
	}
}

func TestBackoff(t *testing.T) {
	var asked []int64
	b := refire.Backoff{Base: 100, Max: 1000, Random: func(n int64) int64 { asked = append(asked, n-1); return n - 1 }}
	for attempt, want := range map[int]time.Duration{1: 100, 2: 200, 3: 400, 4: 800, 5: 1000, 6: 1000, 1_000_000: 1000} {
		if got := b.After(attempt); got != want {
			t.Errorf("after %d attempts at most %d, want %d", attempt, got, want)
		}
	}
	if len(asked) != 7 {
		t.Errorf("asked for %v", asked)
	}
	var zero refire.Backoff
	for range 100 {
		if d := zero.After(1); d < 0 || d > refire.DefaultBackoffBase {
			t.Fatalf("after one attempt %v", d)
		}
	}
}

// TestPaceOfAlmostNothing: a rate far below one a year is a limit, too.
func TestPaceOfAlmostNothing(t *testing.T) {
	p := refire.Pace{PerSecond: 1e-12}
	now := time.Now()
	p.Next(now)
	if wait := p.Next(now); wait < 24*time.Hour {
		t.Errorf("waits %v", wait)
	}
}
