package main

import (
	"strconv"
	"strings"
	"time"
)

// safe returns s as one line without anything that a terminal might act on: controls, newlines included, are escaped as Go writes them.
func safe(s string) string {
	plain := true
	for _, r := range s {
		if !strconv.IsPrint(r) || r == '\uFFFD' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// maxShown is how much of a stranger's text is shown, in bytes.
const maxShown = 300

// quoted is a stranger's text in quotes, ASCII only, cut where it is long.
func quoted(s string) string {
	if len(s) > maxShown {
		return strconv.QuoteToASCII(s[:maxShown]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// number writes 1234567 as 1,234,567.
func number[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// plural is "1 line", "2 lines".
func plural[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	switch {
	case strings.HasSuffix(noun, "y"):
		noun = noun[:len(noun)-1] + "ies"
	default:
		noun += "s"
	}
	return number(n) + " " + noun
}

// span writes a duration as people read it: 340ms, 2.5s, 3m20s, 1h05m.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}
