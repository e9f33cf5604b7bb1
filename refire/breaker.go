package refire

import "time"

// Breaker keeps requests from a place that answers none of them. It is pure: the caller has the clock and does the waiting. The zero Breaker lets all pass.
//
// It is closed, and opens at After failures without a success between them. Not at a share of failures: what is fired failed before, and that some of it goes on
// failing says little of the place; that all of it does says much. Open, nothing passes for Pause; then one request does (half-open). If that one is answered, the
// breaker closes; else it is open again, for twice as long, up to MaxPause. How other requests end that were under way meanwhile changes nothing.
type Breaker struct {
	After           int           // failures in a row; 0: never
	Pause, MaxPause time.Duration // default DefaultBreakerPause, DefaultBreakerMaxPause

	failures int
	state    breakerState
	until    time.Time     // open: when a probe may pass
	pause    time.Duration // the last one
	since    time.Time     // not closed: since when
}

type breakerState uint8

const (
	closed breakerState = iota
	open
	halfOpen // a probe is under way
)

// Defaults of Breaker and Firing.
const (
	DefaultBreakerAfter    = 100 // above DefaultConcurrency: what is under way at one moment does not open it
	DefaultBreakerPause    = time.Second
	DefaultBreakerMaxPause = 30 * time.Second
	DefaultPatience        = 2 * time.Minute
	DefaultPatienceAtFirst = 10 * time.Second
)

// Holds reports whether requests must wait: for so long, or, if that is 0, until the probe has ended.
func (b *Breaker) Holds(now time.Time) (wait time.Duration, holds bool) {
	switch {
	case b.state == halfOpen:
		return 0, true
	case b.state == open && now.Before(b.until):
		return b.until.Sub(now), true
	}
	return 0, false
}

// Pass lets a request through that is not held. probe: the breaker waits for this one.
func (b *Breaker) Pass() (probe bool) {
	if b.state != open {
		return false
	}
	b.state = halfOpen
	return true
}

// Tell takes in how a request ended.
func (b *Breaker) Tell(now time.Time, probe, failed bool) {
	switch {
	case probe && !failed:
		*b = Breaker{After: b.After, Pause: b.Pause, MaxPause: b.MaxPause}
	case probe:
		b.openFor(now, min(2*b.pause, orDefault(b.MaxPause, DefaultBreakerMaxPause)))
	case b.state != closed:
	case !failed:
		b.failures = 0
	default:
		if b.failures++; b.After > 0 && b.failures >= b.After {
			b.since = now
			b.openFor(now, orDefault(b.Pause, DefaultBreakerPause))
		}
	}
}

// ProbeBy lets the next probe pass at t, if it were later than that.
func (b *Breaker) ProbeBy(t time.Time) {
	if b.state == open && b.until.After(t) {
		b.until = t
	}
}

// Abandon is told of a probe that said nothing: another one may pass.
func (b *Breaker) Abandon(probe bool) {
	if probe {
		b.state = open
	}
}

// OpenSince is when the breaker opened; ok: and has not closed again.
func (b *Breaker) OpenSince() (t time.Time, ok bool) { return b.since, b.state != closed }

func (b *Breaker) openFor(now time.Time, pause time.Duration) {
	b.state, b.pause, b.until = open, pause, now.Add(pause)
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
