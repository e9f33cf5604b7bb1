package aiotest

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// TestClock checks that the clocks which newClock makes keep the promises of [aio.Clock], each with a
// clock of its own, and prints the promise where one does not. It suits clocks that jump and clocks
// that run by themselves. It runs subtests of t, each in a bubble of testing/synctest, where newClock
// is called, too: a clock that goes by the machine's time takes none there. A Wait that never
// returns fails its case, and then, as it cannot be stopped, the test binary. Called in a test's
// goroutine; it blocks that.
func TestClock(t *testing.T, newClock func() aio.Clock) {
	t.Helper()
	conform(t, clockPromises, func(testing.TB) aio.Clock { return newClock() })
}

var clockPromises = []promise[aio.Clock]{
	{"now never goes back", "Now never goes back, whoever asks: a goroutine that is told of a time by another reads none before it", nowNeverGoesBack},
	{"until", "Wait returns once the clock has come to until, and not before", waitReachesUntil},
	{"until has passed", "Wait returns at once if the clock has come to until already", waitForThePast},
	{"wake", "Wait returns once wake is closed, whether or not there is an until", waitIsWoken},
	{"wake was closed", "Wait returns at once if wake is closed already, and no time passes", waitWasWoken},
	{"hold", "while somebody holds the clock it does not jump", holdKeepsTime},
	{"holds are counted", "time stands still until every Hold has had its Release", holdsAreCounted},
	{"waiting is no hold", "who is in Wait does not hold the clock: when all wait, time passes", waitingIsNoHold},
	{"hold again after until", "who returns from Wait because of until holds the clock again, before anybody else sees the time go on", holdsAgainAfterUntil},
	{"hold again after wake", "who returns from Wait because of wake holds the clock again", holdsAgainAfterWake},
	{"on its way", "who was woken and has not returned from Wait yet has something to do: no jump before that", wokenKeepsTime},
	{"in order", "deadlines are kept in their order, not in that in which they were waited for", deadlinesInOrder},
	{"no wake is lost", "a wake that is closed while the clock comes to until, or while Wait begins, ends Wait", noWakeIsLost},
	{"a loop on it", "a loop goes by it: sleeps, timers, timeouts and calls", loopOnClock},
	{"loops share it", "loops that share it see the same time, and hand each other work without losing any", loopsOnClock},
}

// waiting is a participant in a Wait: it holds c before, and when it has returned.
func waiting(c aio.Clock, wake <-chan struct{}, d time.Duration) going {
	c.Hold()
	var until time.Time
	if d != 0 {
		until = c.Now().Add(d)
	}
	return inBackground(func() { c.Wait(wake, until) })
}

func nowNeverGoesBack(t testing.TB, c aio.Clock) {
	times := make(chan time.Time)
	var before, after time.Time
	reader := inBackground(func() {
		for last := range times {
			if now := c.Now(); now.Before(last) {
				before, after = last, now
			}
		}
	})
	c.Hold()
	for i := range 1000 {
		times <- c.Now()
		if i%100 == 0 {
			inBackground(func() { c.Wait(nil, c.Now().Add(time.Second)) }).wait(t, "Wait for a second did not return, and nobody else held the clock")
		}
	}
	c.Release()
	close(times)
	reader.wait(t, "Now did not return")
	if after.Before(before) {
		t.Errorf("one goroutine read %v, and another, after it, %v", before, after)
	}
}

func waitReachesUntil(t testing.TB, c aio.Clock) {
	c.Hold()
	defer c.Release()
	for _, d := range []time.Duration{1, time.Microsecond, time.Second, 100 * time.Hour} {
		until := c.Now().Add(d)
		inBackground(func() { c.Wait(nil, until) }).wait(t, "Wait did not return, and should have in %v", d)
		if now := c.Now(); now.Before(until) {
			t.Fatalf("Wait returned %v before its time", until.Sub(now))
		}
	}
}

func waitForThePast(t testing.TB, c aio.Clock) {
	for _, d := range []time.Duration{1, time.Hour} {
		c.Hold() // so that it can't jump, if it waits
		began := c.Now()
		w := waiting(c, nil, -d)
		if !w.over() {
			t.Fatalf("Wait did not return at once, and its until was %v ago", d)
		}
		c.Release()

		other := waiting(c, nil, time.Hour)
		c.Wait(nil, began)
		if passed := c.Now().Sub(began); passed >= time.Hour {
			t.Fatalf("the clock jumped %v in a Wait that had nothing to wait for", passed)
		}
		c.Release()
		other.wait(t, "Wait for an hour did not return, and nobody held the clock")
		c.Release()
	}
}

func waitIsWoken(t testing.TB, c aio.Clock) {
	c.Hold()
	defer c.Release()
	for _, d := range []time.Duration{0, time.Hour} {
		wake := make(chan struct{})
		w := waiting(c, wake, d)
		if w.over() {
			t.Fatal("Wait returned before its wake was closed, and before its time")
		}
		close(wake)
		if !w.over() {
			t.Fatalf("Wait did not return when its wake was closed; until was %v ahead (0: none)", d)
		}
		c.Release()
	}
}

func waitWasWoken(t testing.TB, c aio.Clock) {
	wake := make(chan struct{})
	close(wake)
	for _, d := range []time.Duration{0, time.Hour} {
		began := c.Now()
		w := waiting(c, wake, d)
		if !w.over() {
			t.Fatalf("Wait did not return although its wake was closed; until was %v ahead (0: none)", d)
		}
		if passed := c.Now().Sub(began); passed >= time.Hour {
			t.Fatalf("the clock jumped %v although a wake was closed", passed)
		}
		c.Release()
	}
}

func holdKeepsTime(t testing.TB, c aio.Clock) {
	c.Hold()
	began := c.Now()
	w := waiting(c, nil, time.Hour)
	if w.over() {
		t.Fatal("Wait returned by until while somebody else held the clock")
	}
	if passed := c.Now().Sub(began); passed >= time.Hour {
		t.Fatalf("the clock jumped %v while somebody held it", passed)
	}
	c.Release()
	w.wait(t, "Wait did not return when nobody held the clock any more")
	c.Release()
}

func holdsAreCounted(t testing.TB, c aio.Clock) {
	const n = 50
	for range n {
		inBackground(func() {
			for range n {
				c.Hold()
				c.Release()
			}
			c.Hold()
		}).wait(t, "Hold or Release did not return")
	}
	w := waiting(c, nil, time.Hour)
	for range n {
		if w.over() {
			t.Fatal("Wait returned by until although not every Hold had had its Release")
		}
		c.Release()
	}
	w.wait(t, "Wait did not return, and nobody held the clock any more")
	c.Release()
}

func waitingIsNoHold(t testing.TB, c aio.Clock) {
	c.Hold()
	var all []going
	for i := range 5 {
		all = append(all, waiting(c, nil, time.Duration(i+1)*time.Second))
	}
	never := make(chan struct{})
	idle := waiting(c, never, 0)
	c.Release()
	for i, w := range all {
		w.wait(t, "Wait for %d s did not return, although everybody else was in Wait", i+1)
		c.Release()
	}
	close(never)
	idle.wait(t, "Wait did not return when its wake was closed")
	c.Release()
}

func holdsAgainAfterUntil(t testing.TB, c aio.Clock) {
	c.Hold()
	first, second := waiting(c, nil, time.Second), waiting(c, nil, time.Hour)
	c.Release()
	first.wait(t, "Wait for a second did not return, and nobody held the clock")
	c.Hold()
	c.Release() // so that the clock thinks again
	if second.over() {
		t.Fatal("the clock jumped on before the first who returned from Wait had done anything")
	}
	c.Release()
	second.wait(t, "Wait for an hour did not return, and nobody held the clock")
	c.Release()
}

func holdsAgainAfterWake(t testing.TB, c aio.Clock) {
	c.Hold()
	wake := make(chan struct{})
	first, second := waiting(c, wake, 0), waiting(c, nil, time.Hour)
	first.over() // it is in Wait
	close(wake)
	first.wait(t, "Wait did not return when its wake was closed")
	c.Release() // so that the clock thinks again
	if second.over() {
		t.Fatal("the clock jumped although the one that was woken had not released it")
	}
	c.Release()
	second.wait(t, "Wait for an hour did not return, and nobody held the clock")
	c.Release()
}

func wokenKeepsTime(t testing.TB, c aio.Clock) {
	for range 200 {
		c.Hold()
		began := c.Now()
		wake := make(chan struct{})
		c.Hold()
		var seen time.Time
		woken := inBackground(func() {
			c.Wait(wake, time.Time{})
			seen = c.Now()
			c.Release()
		})
		woken.over() // it is in Wait
		close(wake)
		sleeper := inBackground(func() { c.Wait(nil, began.Add(time.Hour)) })
		woken.wait(t, "Wait did not return when its wake was closed")
		sleeper.wait(t, "Wait for an hour did not return, and nobody held the clock")
		c.Release()
		if passed := seen.Sub(began); passed >= time.Hour {
			t.Fatalf("somebody closed another's wake and went to Wait: the clock jumped %v before that one had returned", passed)
		}
	}
}

func deadlinesInOrder(t testing.TB, c aio.Clock) {
	c.Hold()
	began := c.Now()
	var mu sync.Mutex
	var order []int
	var all []going
	for _, i := range []int{3, 1, 4, 2} {
		c.Hold()
		all = append(all, inBackground(func() {
			c.Wait(nil, began.Add(time.Duration(i)*time.Hour))
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			c.Release()
		}))
		all[len(all)-1].over() // it is in Wait
	}
	c.Release()
	for _, w := range all {
		w.wait(t, "Wait did not return, although everybody else was in Wait")
	}
	for i, got := range order {
		if got != i+1 {
			t.Fatalf("those who waited for 3, 1, 4 and 2 hours returned in the order %v", order)
		}
	}
}

func noWakeIsLost(t testing.TB, c aio.Clock) {
	var all []going
	for i := range 500 {
		wake := make(chan struct{})
		c.Hold()
		all = append(all, inBackground(func() {
			defer c.Release()
			var until time.Time
			if i%2 == 0 {
				until = c.Now().Add(time.Duration(i%5) * time.Microsecond)
			}
			c.Wait(wake, until)
		}), inBackground(func() { close(wake) }))
	}
	for _, g := range all {
		g.wait(t, "a Wait did not return although its wake was closed")
	}
}

func loopOnClock(t testing.TB, c aio.Clock) {
	g := inBackground(func() {
		_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
			l, _ := aio.LoopOf(ctx)
			began := aio.Now(ctx)
			due := false
			l.CallLater(time.Hour, func() { due = true })
			if err := aio.Sleep(ctx, time.Hour); err != nil {
				return err
			}
			if passed := aio.Now(ctx).Sub(began); passed < time.Hour || !due {
				t.Errorf("an hour's sleep took %v; the callback that was due before has been called: %v", passed, due)
			}
			timeout, cancel := aio.WithTimeout(ctx, time.Hour)
			defer cancel()
			_, err := aio.Blocking(ctx, func(context.Context) (int, error) {
				synctest.Wait() // the loop is in Wait
				return 1, nil
			})
			if err != nil {
				return err
			}
			if deadline, _ := timeout.Deadline(); !aio.Now(ctx).Before(deadline) {
				t.Error("a call's result came, and was not seen before the next timer was due")
			}
			if err := aio.Sleep(timeout, 100*time.Hour); err == nil {
				t.Error("a sleep of 100 hours was over before the timeout of an hour")
			}
			return nil
		}), aio.WithClock(c))
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	g.wait(t, "a loop on the clock did not come to its end")
}

func loopsOnClock(t testing.TB, c aio.Clock) {
	g := inBackground(func() {
		c.Hold()
		other := aio.Start(aio.WithClock(c))
		_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
			c.Release()
			for range 100 {
				before := aio.Now(ctx)
				there, err := aio.Submit(ctx, other, func(ctx context.Context) (time.Time, error) {
					return aio.Now(ctx), aio.Sleep(ctx, time.Millisecond)
				}).Await(ctx)
				if err != nil {
					return err
				}
				if there.Before(before) || aio.Now(ctx).Sub(there) < time.Millisecond {
					t.Errorf("asked at %v, done there at %v and a millisecond, here again at %v", before, there, aio.Now(ctx))
				}
			}
			return nil
		}), aio.WithClock(c))
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := other.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	g.wait(t, "two loops on the clock did not come to their end")
}
