package refire

import (
	"math/rand/v2"
	"time"
)

// Backoff is how long to wait before a further attempt: a random time up to Base doubled with every attempt, at most Max ("full jitter": clients that failed
// together do not come back together). The zero value takes DefaultBackoffBase and DefaultBackoffMax.
type Backoff struct {
	Base, Max time.Duration
	Random    func(n int64) int64 // in [0, n); nil: math/rand/v2
}

// Defaults of Backoff.
const (
	DefaultBackoffBase = 500 * time.Millisecond
	DefaultBackoffMax  = 30 * time.Second
)

// After returns how long to wait after so many attempts, at least one.
func (b Backoff) After(attempts int) time.Duration {
	base, limit, random := b.Base, b.Max, b.Random
	if base <= 0 {
		base = DefaultBackoffBase
	}
	if limit <= 0 {
		limit = DefaultBackoffMax
	}
	if random == nil {
		random = rand.Int64N
	}
	ceiling := base
	for range attempts - 1 {
		if ceiling >= limit {
			break
		}
		ceiling *= 2
	}
	return time.Duration(random(int64(min(ceiling, limit)) + 1))
}
