package refire

import "time"

// Pace spreads requests over time: PerSecond of them, evenly. It is pure: the caller has the clock and does the waiting. The zero Pace does not wait.
//
// Who comes late catches up at most catchUp, so that a rate above the timer's grain is reached, and a pause is not followed by a flood.
type Pace struct {
	PerSecond float64 // 0: no limit

	next time.Time // when the next request may begin
}

const catchUp = 10 * time.Millisecond

// Next takes the next place and returns how long to wait for it.
func (p *Pace) Next(now time.Time) time.Duration {
	if p.PerSecond <= 0 {
		return 0
	}
	earliest := now
	if p.gap() <= catchUp {
		earliest = now.Add(-catchUp)
	}
	if p.next.Before(earliest) {
		p.next = earliest
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(p.gap())
	return max(wait, 0)
}

func (p *Pace) gap() time.Duration {
	return time.Duration(min(float64(time.Second)/p.PerSecond, float64(maxGap))) // a float beyond the range of a Duration would turn negative
}

const maxGap = 365 * 24 * time.Hour
