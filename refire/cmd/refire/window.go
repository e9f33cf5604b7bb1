package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moment is a point in time as --since and --until take it. Without a zone it is wall-clock time, and is compared with what each line of the log says, whatever its zone.
type moment struct {
	time time.Time
	wall bool   // time is wall-clock time, kept as UTC
	text string // as it was given; empty: no moment
}

// wallLayouts have no zone, zonedLayouts have one. The last ones are those of the logs, so that a time can be copied from there.
var (
	wallLayouts  = []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02", "02/Jan/2006:15:04:05", "02/Jan/2006:15:04"}
	zonedLayouts = []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04 -0700",
		"02/Jan/2006:15:04:05 -0700",
	}
)

// maxAgo bounds how long ago a moment may be said to be.
const maxAgo = 100 * 365 * 24 * time.Hour

// parseMoment reads a time, or how long ago it is: 90m, 2h, 3d. That is the beginning of the second in which it was: most logs write whole seconds, so that what is
// logged in the rest of that second, after the moment, bears a time before it.
func parseMoment(text string, now time.Time) (moment, error) {
	m := moment{text: text}
	trimmed := strings.Trim(strings.TrimSpace(text), "[]")
	for _, layout := range zonedLayouts {
		if t, err := time.Parse(layout, trimmed); err == nil {
			m.time = t
			return m, nil
		}
	}
	for _, layout := range wallLayouts {
		if t, err := time.Parse(layout, trimmed); err == nil {
			m.time, m.wall = t, true
			return m, nil
		}
	}
	ago, err := parseAgo(strings.TrimSuffix(trimmed, "ago"))
	if err != nil {
		if _, err := strconv.ParseUint(trimmed, 10, 16); err == nil {
			return moment{}, fmt.Errorf("%q has no unit; write %sm (minutes ago), %sh or %sd", text, trimmed, trimmed, trimmed)
		}
		return moment{}, fmt.Errorf("%q is no time; write 2h (ago), '2026-11-20 14:00' (as the log has it) or 2026-11-20T14:00:00Z", text)
	}
	m.time = now.Add(-ago).Truncate(time.Second)
	return m, nil
}

// parseAgo reads a duration that may begin with days.
func parseAgo(text string) (ago time.Duration, err error) {
	rest := strings.TrimSpace(text)
	if days, after, found := strings.Cut(rest, "d"); found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, err
		}
		if ago = time.Duration(n) * 24 * time.Hour; after == "" {
			return ago, nil
		}
		rest = after
	}
	more, err := time.ParseDuration(rest)
	if err == nil && (more < 0 || more > maxAgo) {
		err = errors.New("out of range")
	}
	return ago + more, err
}

// String implements fmt.Stringer, for the help.
func (m moment) String() string { return m.text }

// reached reports whether t is m or later.
func (m moment) reached(t time.Time) bool {
	if m.wall {
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	}
	return !t.Before(m.time)
}

// window is the time from since on, and before until.
type window struct{ since, until moment }

// The reasons why an entry is outside a window.
const (
	tooEarly = "before --since"
	tooLate  = "not before --until"
	noTime   = "without a time that can be read (--since, --until)"
)

// outside says why an entry of that time is not in the window; empty: it is. Of an entry without a known time nobody knows, so it is left out.
func (w *window) outside(t time.Time) string {
	switch {
	case w.since.text == "" && w.until.text == "":
		return ""
	case t.IsZero():
		return noTime
	case w.since.text != "" && !w.since.reached(t):
		return tooEarly
	case w.until.text != "" && w.until.reached(t):
		return tooLate
	}
	return ""
}

// check refuses a window that nothing can be in.
func (w *window) check() error {
	s, u := w.since, w.until
	if s.text == "" || u.text == "" || s.wall != u.wall || s.time.Before(u.time) {
		return nil
	}
	return usage(fmt.Errorf("--since %s is not before --until %s", quoted(s.text), quoted(u.text)), "entries are taken from --since on and before --until")
}
