package refire

import (
	"context"
	"fmt"
	"time"

	"github.com/seed8b1f0744/aio"
)

// gate stands before one place: how many requests may be under way there, and whether any may begin. // loop only
type gate struct {
	place   Origin
	ctx     context.Context         // ends: nothing is begun there any more
	give    context.CancelCauseFunc // up
	breaker Breaker
	limit   Limit
	ramp    int // how many the ramp allows; 0: no ramp, or it is over
	hush    time.Time
	alive   bool // it has given an answer that is no overload

	room  *aio.Semaphore
	size  int       // of room
	owed  int       // permits that are to be taken out of it when they come back
	probe aio.Event // set: none is under way
}

func newGate(ctx context.Context, place Origin, most, ramp int, breaker Breaker) *gate {
	g := &gate{place: place, breaker: breaker, limit: NewLimit(most), ramp: ramp, size: most, room: aio.NewSemaphore(most)}
	g.ctx, g.give = context.WithCancelCause(ctx)
	g.probe.Set()
	g.resize()
	return g
}

// enter waits for room, and until requests may begin.
func (g *gate) enter() error {
	if err := g.room.Acquire(g.ctx); err != nil {
		return err
	}
	if err := g.await(); err != nil {
		g.release()
		return err
	}
	return nil
}

// await waits while the place is to be left alone.
func (g *gate) await() error {
	for {
		wait, holds := g.holds(aio.Now(g.ctx))
		if !holds {
			return context.Cause(g.ctx)
		}
		var err error
		if wait > 0 {
			err = aio.Sleep(g.ctx, wait)
		} else {
			err = g.probe.Wait(g.ctx)
		}
		if err != nil {
			return err
		}
	}
}

// holds is as a Breaker's, and heeds Retry-After, too.
func (g *gate) holds(now time.Time) (wait time.Duration, holds bool) {
	wait, holds = g.breaker.Holds(now)
	if hush := g.hush.Sub(now); hush > wait {
		return hush, true
	}
	return wait, holds
}

// pass lets a request through that is not held.
func (g *gate) pass() (probe bool) {
	if probe = g.breaker.Pass(); probe {
		g.probe.Clear()
	}
	return probe
}

// leave takes in the answer of a request that had passed.
func (g *gate) leave(now time.Time, probe bool, answer *Answer) {
	trouble := answer.overload()
	g.alive = g.alive || !trouble
	_, wasOpen := g.breaker.OpenSince()
	g.breaker.Tell(now, probe, trouble)
	if _, isOpen := g.breaker.OpenSince(); isOpen && !wasOpen {
		g.limit.Reset()
	}
	g.limit.Tell(answer.Latency, trouble)
	if until := now.Add(answer.RetryAfter); answer.RetryAfter > 0 && until.After(g.hush) {
		g.hush = until
	}
	g.done(probe)
}

// abandon is told of a request that had passed, and says nothing about the place.
func (g *gate) abandon(probe bool) {
	g.breaker.Abandon(probe)
	g.done(probe)
}

func (g *gate) done(probe bool) {
	if probe {
		g.probe.Set()
	}
	g.resize()
	g.release()
}

func (g *gate) release() {
	if g.owed > 0 {
		g.owed--
		return
	}
	g.room.Release()
}

// resize makes the room as large as limit and ramp say.
func (g *gate) resize() {
	size := g.limit.N()
	if g.ramp > 0 {
		size = min(size, g.ramp)
	}
	for ; g.size < size; g.size++ {
		g.release()
	}
	for ; g.size > size; g.size-- {
		if !g.room.TryAcquire() {
			g.owed++
		}
	}
}

// Held is a place that nothing is fired at for now.
type Held struct {
	Place   Origin
	Breaker bool          // it has failed too often in a row; else it asked to be left alone (Retry-After)
	Wait    time.Duration // until something is fired there again; 0: a probe is under way
	GivesUp time.Duration // until the place is given up, if it goes on failing; 0: that is not known, or never
}

// String says it for people.
func (h Held) String() string {
	why := "asked to be left alone"
	if h.Breaker {
		why = "keeps failing"
	}
	if h.Wait == 0 {
		return fmt.Sprintf("%v %s: trying one request", h.Place, why)
	}
	return fmt.Sprintf("%v %s: waiting %v", h.Place, why, (h.Wait + time.Second - 1).Truncate(time.Second))
}

func (g *gate) held(now time.Time) (h Held, is bool) {
	wait, is := g.holds(now)
	_, open := g.breaker.OpenSince()
	return Held{Place: g.place, Breaker: open, Wait: wait}, is
}
