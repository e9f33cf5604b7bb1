package main

import (
	"slices"
	"testing"
)

func TestSlips(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"run", "run", 0}, {"rn", "run", 1}, {"runn", "run", 1}, {"scna", "scan", 1}, {"concurency", "concurrency", 1}, {"retires", "retries", 1},
		{"x", "run", 3}, {"", "run", 3}, {"export", "", 6}, {"reprot", "report", 1}, {"ab", "ba", 1}, {"abc", "ca", 3},
	} {
		if got := slips(test.a, test.b); got != test.want {
			t.Errorf("%s, %s: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestLikely(t *testing.T) {
	names := []string{"run", "scan", "report", "retries", "retry-budget", "max", "max-line"}
	for text, want := range map[string][]string{
		"scna": {"scan"}, "SCAN": {"scan"}, "rep": {"report"}, "retry": {"retry-budget"}, "retrys": {"retries"}, "fire": nil, "mx": {"max"}, "m": nil, "": nil,
		"maxline": {"max-line"}, "ran": {"run"},
	} {
		if got := likely(text, names); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
