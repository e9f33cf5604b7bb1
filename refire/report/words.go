package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// headline is the report in a few words: about what was fired, for what had failed may be more.
func headline(r *Report) string {
	all, ok := r.Total(), r.Fates[Recovered]
	switch {
	case all == 0:
		return "Nothing was fired yet"
	case ok == all && all == 1:
		return "The one fired request has recovered"
	case ok == all:
		return "All " + number(all) + " fired requests have recovered"
	case ok == 0 && all == 1:
		return "The one fired request has not recovered"
	case ok == 0:
		return "None of " + number(all) + " fired requests has recovered"
	}
	return number(ok) + " of " + number(all) + " fired requests have recovered"
}

// sentence is the report in two sentences.
func sentence(r *Report) string {
	all := r.Total()
	if all == 0 {
		return "The retry log holds no outcome."
	}
	text := "The " + pick(all, "request", number(all)+" requests") + " in here had failed"
	if r.Undated < all {
		text += " " + between(r.Logged.First.In(r.Zone), r.Logged.Last.In(r.Zone))
	}
	text += ", as the access log has it. Fired again " + between(r.Fired.First.In(r.Zone), r.Fired.Last.In(r.Zone)) + ", "
	var parts []string
	if n := r.Fates[Recovered]; n > 0 {
		parts = append(parts, number(n)+" recovered ("+percent(n, all)+")")
	}
	if n := r.Fates[Failing]; n > 0 {
		parts = append(parts, number(n)+pick(n, " still fails", " still fail"))
	}
	if n := r.Fates[Unreachable]; n > 0 {
		parts = append(parts, number(n)+" got no whole answer")
	}
	if n := r.Fates[Unknown]; n > 0 {
		parts = append(parts, number(n)+pick(n, " was", " were")+" under way when refire was stopped, and nobody knows what became of "+pick(n, "it", "them"))
	}
	if last := len(parts) - 1; last > 0 {
		parts = append(parts[:last-1], parts[last-1]+" and "+parts[last])
	}
	return text + strings.Join(parts, ", ") + "."
}

func pick(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// percent does not say 100% of what is not all, or 0% of what is not nothing.
func percent(n, all int) string {
	p := float64(n) / float64(all) * 100
	switch {
	case n < all && p > 99.9:
		return "over 99.9%"
	case n > 0 && p < 0.1:
		return "below 0.1%"
	}
	return strings.TrimSuffix(strconv.FormatFloat(p, 'f', 1, 64), ".0") + "%"
}

func between(first, last time.Time) string {
	const day = "2 January 2006"
	switch {
	case first.Truncate(time.Second).Equal(last.Truncate(time.Second)):
		return "on " + first.Format(day) + " at " + first.Format("15:04:05")
	case first.Format(day) == last.Format(day):
		return "on " + first.Format(day) + " between " + first.Format("15:04:05") + " and " + last.Format("15:04:05")
	}
	return "between " + first.Format(day+" 15:04") + " and " + last.Format(day+" 15:04")
}

func zoneName(zone *time.Location) string {
	if _, offset := time.Unix(0, 0).In(zone).Zone(); offset == 0 {
		return "UTC"
	}
	return "UTC" + time.Unix(0, 0).In(zone).Format("-07:00")
}

// at writes a time in the report's zone; nothing where it is not known.
func at(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02 15:04:05")
}

// took writes a latency with about three digits.
func took(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.2f s", ms/1000)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}

// number writes 1234567 as 1,234,567.
func number(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func plural(n int, noun string) string { return number(n) + " " + noun + pick(n, "", "s") }
