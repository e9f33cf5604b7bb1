package refire

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter bounds what a server's Retry-After can make a run wait: who says more is asked again then.
const MaxRetryAfter = 2 * time.Minute

// parseRetryAfter reads a Retry-After (RFC 9110, 10.2.3): seconds, or a date, which is seen from date, the answer's own Date, so that a clock that is wrong on either
// side does not matter; without one, from now. 0: none, or one that is over.
func parseRetryAfter(value, date string, now time.Time) time.Duration {
	value = strings.Trim(value, " \t")
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 32)
		if err != nil { // more than fits
			return MaxRetryAfter
		}
		return min(time.Duration(seconds)*time.Second, MaxRetryAfter)
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if said, err := http.ParseTime(date); err == nil {
		now = said
	}
	return min(max(until.Sub(now), 0), MaxRetryAfter)
}

// retryAfter is what an answer's header says; only with 429 and 503: with others it means something else, or nothing.
func retryAfter(status int, h http.Header, now time.Time) time.Duration {
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
		return 0
	}
	return parseRetryAfter(h.Get("Retry-After"), h.Get("Date"), now)
}
