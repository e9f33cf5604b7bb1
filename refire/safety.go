package refire

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Safety is what keeps a Firing from making things worse. The zero value takes the defaults that its fields name.
type Safety struct {
	PerHost int           // requests at a time at one place; 0: as many as Concurrency
	Ramp    time.Duration // over so long, concurrency rises from 1 and the rate from a tenth; 0: all at once
	Canary  int           // fire so many entries first, and nothing else unless more than half of them recover; 0: no canary
	Max     int           // admit so many entries; 0: all

	Deadline time.Duration // begin nothing after so long; 0: no limit

	RetryShare float64 // of entries fired: see Budget; below 0: no bound
	Breaker    Breaker // After below 0: never opens; 0: DefaultBreakerAfter

	// Patience is how long a place may fail to answer, with its breaker open, before it is given up; one that has not answered in this run at all gets
	// DefaultPatienceAtFirst, if that is less. 0: DefaultPatience; below 0: for ever.
	Patience time.Duration
}

// ErrDeadline is Run's error when Safety.Deadline came before all was fired.
var ErrDeadline = errors.New("refire: the deadline has come")

// CanaryError is Run's error when the first entries did not recover.
type CanaryError struct{ Fired, Recovered int }

// Error implements error.
func (e *CanaryError) Error() string {
	return fmt.Sprintf("refire: the canary failed: of the first %d entries, %d recovered, and more than half should; nothing else was fired", e.Fired, e.Recovered)
}

// AwayError is Run's error when a place did not come back. What was to go to others was fired.
type AwayError struct {
	Place Origin
	For   time.Duration
}

// Error implements error.
func (e *AwayError) Error() string {
	return fmt.Sprintf("refire: %v has done nothing but fail for %v", e.Place, e.For.Round(time.Second))
}

// errEnough ends the reading when Max entries are admitted.
var errEnough = errors.New("refire: enough entries")

// guard is the state of a Safety in a run. // loop only
type guard struct {
	Safety
	most   int // at a time
	budget Budget
	gates  map[Origin]*gate
	away   error // a place did not come back: an *AwayError
	begun  time.Time
	ramped int // how many are allowed by now; 0: there is no ramp, or it is over

	canaryFired     int
	canaryRecovered int
	canary          *aio.Promise[struct{}]
}

func newGuard(s Safety, most int, now time.Time) *guard {
	switch {
	case s.Breaker.After == 0:
		s.Breaker.After = DefaultBreakerAfter
	case s.Breaker.After < 0:
		s.Breaker.After = 0
	}
	if s.Patience == 0 {
		s.Patience = DefaultPatience
	}
	if s.RetryShare == 0 {
		s.RetryShare = DefaultBudgetShare
	}
	if s.PerHost <= 0 || s.PerHost > most {
		s.PerHost = most
	}
	g := &guard{Safety: s, most: most, budget: Budget{Share: s.RetryShare, Floor: max(DefaultBudgetFloor, most)}, gates: map[Origin]*gate{}, begun: now}
	if s.Ramp > 0 {
		g.ramped = 1
	}
	if s.Canary > 0 {
		g.canary = aio.NewPromise[struct{}]()
	}
	return g
}

// gate is the one before place; it begins nothing after ctx.
func (g *guard) gate(ctx context.Context, place Origin) *gate {
	at := g.gates[place]
	if at == nil {
		at = newGate(ctx, place, g.PerHost, g.ramped, g.Breaker)
		g.gates[place] = at
	}
	return at
}

// mayRetry takes a retry out of the budget.
func (g *guard) mayRetry() bool { return g.RetryShare < 0 || g.budget.Take() }

// patience is how long at may be away; ok: and not for ever.
func (g *guard) patience(at *gate) (d time.Duration, ok bool) {
	if !at.alive {
		return min(g.Patience, DefaultPatienceAtFirst), g.Patience >= 0
	}
	return g.Patience, g.Patience >= 0
}

// giveUp gives the place of at up if it has been away for too long; all: there is no other left. A place gets its last probe when its time is over.
func (g *guard) giveUp(now time.Time, at *gate) (all bool) {
	patience, ok := g.patience(at)
	since, open := at.breaker.OpenSince()
	if !open || !ok || at.ctx.Err() != nil {
		return false
	}
	if now.Sub(since) < patience {
		at.breaker.ProbeBy(since.Add(patience))
		return false
	}
	why := &AwayError{at.place, now.Sub(since)}
	g.away = why
	at.give(why)
	for _, other := range g.gates {
		if other.ctx.Err() == nil {
			return false
		}
	}
	return true
}

// Steps of a ramp: enough to be smooth, few enough to cost nothing.
const (
	rampSteps     = 100
	rampRateBegin = 0.1
)

// climb raises limits and pace until the ramp's end.
func (g *guard) climb(ctx context.Context, pace *Pace) error {
	if g.Ramp <= 0 {
		return nil
	}
	rate := pace.PerSecond
	for {
		part := min(1, float64(aio.Now(ctx).Sub(g.begun))/float64(g.Ramp))
		g.ramped = 1 + int(part*float64(g.most-1))
		if part == 1 {
			g.ramped = 0
		}
		pace.PerSecond = rate * max(part, rampRateBegin)
		for _, at := range g.gates {
			at.ramp = g.ramped
			at.resize()
		}
		if part == 1 {
			return nil
		}
		if err := aio.Sleep(ctx, max(g.Ramp/rampSteps, time.Millisecond)); err != nil {
			return nil // the run is over
		}
	}
}

// settled takes in how an entry ended.
func (g *guard) settled(o *Outcome) error {
	recovered := o.Verdict().Recovered()
	if recovered {
		g.budget.Refund(o.Attempts - 1)
	}
	if g.canary == nil || g.canaryFired == g.Canary {
		return nil
	}
	g.canaryFired++
	if recovered {
		g.canaryRecovered++
	}
	if g.canaryFired < g.Canary {
		return nil
	}
	if 2*g.canaryRecovered <= g.Canary {
		return &CanaryError{g.canaryFired, g.canaryRecovered}
	}
	g.canary.Resolve(struct{}{})
	return nil
}

// next waits until another entry may be admitted after so many.
func (g *guard) next(ctx context.Context, admitted int) error {
	if g.Max > 0 && admitted >= g.Max {
		return errEnough
	}
	if g.canary != nil && admitted >= g.Canary {
		_, err := g.canary.Await(ctx)
		return err
	}
	return nil
}

// asked lists the places that entries are for.
func (g *guard) asked() []Origin {
	return slices.SortedFunc(maps.Keys(g.gates), func(a, b Origin) int { return strings.Compare(a.String(), b.String()) })
}

// held lists the places that wait; all: there is no other.
func (g *guard) held(now time.Time) (list []Held, all bool) {
	open := 0
	for _, at := range g.gates {
		if at.ctx.Err() != nil {
			continue
		}
		open++
		if h, is := at.held(now); is {
			if patience, ok := g.patience(at); ok && h.Breaker {
				since, _ := at.breaker.OpenSince()
				h.GivesUp = max(since.Add(patience).Sub(now), h.Wait)
			}
			list = append(list, h)
		}
	}
	slices.SortFunc(list, func(a, b Held) int { return strings.Compare(a.Place.String(), b.Place.String()) })
	return list, len(list) > 0 && len(list) == open
}
