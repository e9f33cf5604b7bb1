package refire

import (
	"net/http"
	"testing"
	"time"
)

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	date := now.Add(-time.Hour).Format(http.TimeFormat) // the server's clock is an hour behind
	for _, c := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"0", "", 0},
		{"7", "", 7 * time.Second},
		{" 7\t", date, 7 * time.Second},
		{"120", "", MaxRetryAfter},
		{"121", "", MaxRetryAfter},
		{"99999999999999999999999", "", MaxRetryAfter},
		{"-7", "", 0},
		{"7.5", "", 0},
		{"+7", "", 0},
		{"1e3", "", 0},
		{"soon", "", 0},
		{now.Add(9 * time.Second).Format(http.TimeFormat), "", 9 * time.Second},
		{now.Add(-9 * time.Second).Format(http.TimeFormat), "", 0},
		{now.Add(time.Hour).Format(http.TimeFormat), "", MaxRetryAfter},
		{now.Add(9*time.Second - time.Hour).Format(http.TimeFormat), date, 9 * time.Second},
		{now.Add(9 * time.Second).Format(http.TimeFormat), "garbage", 9 * time.Second},
		{now.Add(9 * time.Second).Format(time.RFC850), "", 9 * time.Second}, // recipients must take these two as well (RFC 9110, 5.6.7)
		{now.Add(9 * time.Second).Format(time.ANSIC), "", 9 * time.Second},
	} {
		if got := parseRetryAfter(c.value, c.date, now); got != c.want {
			t.Errorf("%q (%s): %v, want %v", c.value, c.date, got, c.want)
		}
	}
}
