package refire_test

import (
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// TestBreaker walks through its states.
func TestBreaker(t *testing.T) {
	now := time.Unix(0, 0)
	b := refire.Breaker{After: 3, Pause: time.Second, MaxPause: 3 * time.Second}
	held := func(want time.Duration, wantHolds bool) {
		t.Helper()
		if wait, holds := b.Holds(now); wait != want || holds != wantHolds {
			t.Fatalf("holds %v for %v, want %v for %v", holds, wait, wantHolds, want)
		}
	}
	for _, failed := range []bool{true, true, false, true, true} { // a success between them
		b.Tell(now, b.Pass(), failed)
		held(0, false)
	}
	b.Tell(now, false, true)
	for _, pause := range []time.Duration{1, 2, 3, 3} {
		held(pause*time.Second, true)
		b.Tell(now, false, false) // had been under way
		held(pause*time.Second, true)
		now = now.Add(pause * time.Second)
		held(0, false)
		if !b.Pass() {
			t.Fatal("no probe")
		}
		held(0, true)
		b.Abandon(true) // it said nothing
		held(0, false)
		if !b.Pass() {
			t.Fatal("no second probe")
		}
		b.Tell(now, true, true)
	}
	if since, is := b.OpenSince(); !is || now.Sub(since) != 9*time.Second {
		t.Errorf("open since %v, %v", since, is)
	}
	now = now.Add(time.Minute)
	b.Tell(now, b.Pass(), false)
	if _, is := b.OpenSince(); is || b.Pass() {
		t.Error("not closed after a good probe")
	}
	b.Tell(now, false, true)
	b.Tell(now, false, true)
	held(0, false) // counts from the beginning
	b.Tell(now, false, true)
	held(time.Second, true)
}

// TestBreakerDefaults: pauses begin with a second, double, and stay at half a minute.
func TestBreakerDefaults(t *testing.T) {
	now := time.Unix(0, 0)
	b := refire.Breaker{After: 1}
	b.Tell(now, b.Pass(), true)
	for i, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		if wait, holds := b.Holds(now); !holds || wait != pause*time.Second {
			t.Fatalf("pause %d is %v, want %d s", i, wait, pause)
		}
		now = now.Add(pause * time.Second)
		b.Tell(now, b.Pass(), true)
	}
}

func TestBreakerOff(t *testing.T) {
	var b refire.Breaker
	for range 1000 {
		b.Tell(time.Unix(0, 0), false, true)
	}
	if _, holds := b.Holds(time.Unix(0, 0)); holds {
		t.Error("the zero Breaker opens")
	}
}

// TestBreaker_ProbeBy: a probe comes no later than that; what is not waiting for one stays as it is.
func TestBreaker_ProbeBy(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	b := refire.Breaker{After: 1}
	b.ProbeBy(now)
	if _, holds := b.Holds(now); holds {
		t.Error("a closed one holds")
	}
	b.Tell(now, false, true)
	b.ProbeBy(now.Add(time.Hour))
	if wait, _ := b.Holds(now); wait != refire.DefaultBreakerPause {
		t.Errorf("waits %v: a later time delays no probe", wait)
	}
	b.ProbeBy(now.Add(time.Millisecond))
	if wait, _ := b.Holds(now); wait != time.Millisecond {
		t.Errorf("waits %v", wait)
	}
}

func TestLimit(t *testing.T) {
	tell := func(l *refire.Limit, n int, latency time.Duration, bad int) {
		for i := range n {
			l.Tell(latency, i%100 < bad)
		}
	}
	const usual = 50 * time.Millisecond
	l := refire.NewLimit(64)
	check := func(what string, least, most int) {
		t.Helper()
		if n := l.N(); n < least || n > most {
			t.Fatalf("%s: %d, want %d to %d", what, n, least, most)
		}
	}
	check("at first", 64, 64)
	tell(&l, 1000, usual, 0)
	check("all is well", 64, 64)
	tell(&l, 1000, usual, 10)
	check("some pages fail, as they had", 64, 64)
	tell(&l, 400, usual, 100)
	check("all fail", 8, 8)
	tell(&l, 5000, usual, 0)
	check("well again", 64, 64)
	tell(&l, 300, 3*usual, 0)
	check("slower, by what nobody notices", 64, 64)
	tell(&l, 400, 10*usual, 0)
	check("slow", 8, 32)
	tell(&l, 20_000, 10*usual, 0)
	check("that is how it is now", 64, 64)
	l.Reset()
	check("back from nothing", 8, 8)
	one := refire.NewLimit(1)
	tell(&one, 1000, usual, 100)
	if one.N() != 1 {
		t.Errorf("a limit of 1 goes down to %d", one.N())
	}
}

// TestLimit_share: what counts is the share of troubles in a window, against what it was of late.
func TestLimit_share(t *testing.T) {
	l := refire.NewLimit(64)
	tell := func(windows, bad, want int) { // of ten
		t.Helper()
		for range windows {
			for i := range max(l.N(), 8) {
				l.Tell(time.Millisecond, i%10 < bad)
			}
		}
		if l.N() != want {
			t.Fatalf("%d of ten fail: %d at a time, want %d", bad, l.N(), want)
		}
	}
	tell(10, 0, 64)
	tell(1, 4, 32)  // far more than before
	tell(40, 0, 64) // well again
	tell(30, 2, 64) // somewhat more, for long
	tell(30, 4, 64) // and that again
	tell(1, 5, 32)  // half

	few := refire.NewLimit(2)
	for i := range 80 {
		if few.Tell(time.Millisecond, i%8 == 0); few.N() != 2 {
			t.Fatalf("one of eight fails: %d at a time, want 2", few.N())
		}
	}
	anew := refire.NewLimit(64)
	anew.Reset()
	for i := range 8 {
		anew.Tell(time.Millisecond, i < 3)
	}
	if anew.N() != 9 {
		t.Errorf("after a first window without strain %d at a time, want 9", anew.N())
	}
}

func TestBudget(t *testing.T) {
	b := refire.Budget{Share: 0.1, Floor: 2}
	take := func(want int) {
		t.Helper()
		n := 0
		for b.Take() {
			n++
		}
		if n != want {
			t.Fatalf("%d retries, want %d", n, want)
		}
	}
	take(2)
	for range 30 {
		b.Fired()
	}
	take(3)
	b.Refund(4)
	take(4)
	if b.Short() != 3 {
		t.Errorf("short %d times", b.Short())
	}
	var zero refire.Budget
	if zero.Take() {
		t.Error("the zero Budget allows one")
	}
}
