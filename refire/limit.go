package refire

import "time"

// Limit finds how many requests a place can take at a time, between Min and Max. It is pure. It begins with Max, adds one after a window of good answers, and
// halves after one that shows strain: additive increase and multiplicative decrease, which finds its share of what others use, too (Chiu and Jain, 1989; TCP does
// it once a round trip, RFC 5681, 3.1, and so does this: a window is as many answers as may be under way, at least minWindow).
//
// Strain is: at least half of a window's answers were overload (see Answer), or a good deal more than in the windows before; or the good ones took more than twice
// as long as they did over the long run, and noticeably so (the gradient of Netflix's concurrency-limits, with its tolerance of 2).
type Limit struct {
	Min, Max int

	limit     float64 // 0: nothing was told yet
	n         int     // answers in this window
	troubles  int     // of those
	good      int
	latency   time.Duration // of the good ones, together
	usual     float64       // share of troubles; below 0: not known
	usualTime time.Duration // mean latency over the long run; 0: not known
}

const (
	minWindow      = 8
	strainShare    = 0.5                    // of a window's answers
	strainRise     = 0.25                   // beyond the usual share
	latencyRise    = 2                      // times the usual
	latencyGrain   = 100 * time.Millisecond // and at least so much beyond it
	usualShareLag  = 4                      // windows
	usualTimeLag   = 32                     // windows
	limitsLastPart = 8                      // the least limit is this part of the greatest
)

// NewLimit returns a limit up to most, which goes down to an eighth of it: what fails at an eighth is the Breaker's business.
func NewLimit(most int) Limit { return Limit{Min: max(1, most/limitsLastPart), Max: most} }

// N is the limit now.
func (l *Limit) N() int {
	if l.limit == 0 {
		return l.Max
	}
	return int(l.limit)
}

// Tell takes in an answer.
func (l *Limit) Tell(latency time.Duration, trouble bool) {
	l.begin()
	l.n++
	if trouble {
		l.troubles++
	} else {
		l.good++
		l.latency += latency
	}
	if l.n < max(l.N(), minWindow) {
		return
	}
	if l.strained() {
		l.limit = max(l.limit/2, float64(l.Min))
	} else {
		l.limit = min(l.limit+1, float64(l.Max))
	}
	l.n, l.troubles, l.good, l.latency = 0, 0, 0, 0
}

func (l *Limit) begin() {
	if l.limit == 0 {
		l.limit, l.usual = float64(l.Max), -1
	}
}

// strained judges a whole window, and remembers it.
func (l *Limit) strained() bool {
	share := float64(l.troubles) / float64(l.n)
	strained := share >= strainShare || l.usual >= 0 && share >= l.usual+strainRise
	if l.usual < 0 {
		l.usual = share
	}
	l.usual += (share - l.usual) / usualShareLag
	if l.good == 0 {
		return strained
	}
	mean := l.latency / time.Duration(l.good)
	if l.usualTime == 0 {
		l.usualTime = mean
	}
	slow := mean > latencyRise*l.usualTime && mean-l.usualTime > latencyGrain
	l.usualTime += (mean - l.usualTime) / usualTimeLag
	return strained || slow
}

// Reset goes down to the least: the place was away, and comes back to all who waited for it.
func (l *Limit) Reset() {
	l.begin()
	*l = Limit{Min: l.Min, Max: l.Max, limit: float64(l.Min), usual: l.usual, usualTime: l.usualTime}
}
