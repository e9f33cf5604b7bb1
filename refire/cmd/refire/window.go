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
	time  time.Time
	wall  bool          // time is wall-clock time, kept as UTC
	daily daily         // what it is counted from is the day that it is where the log is; time is now
	clock time.Duration // of daily: after midnight
	text  string        // as it was given; empty: no moment
}

// daily says which day of the log's zone a moment is on.
type daily int

const (
	noDay     daily = iota
	today           // at midnight
	yesterday       // at midnight
	lastTime        // today at clock, or, where that lies ahead, yesterday
)

// clockLayouts are times of the day.
var clockLayouts = []string{"15:04", "15:04:05"}

// parseDaily reads what is counted from the day; ok is false if text is none of that.
func parseDaily(text string, now time.Time) (m moment, ok bool) {
	switch text {
	case "today":
		return moment{time: now, daily: today}, true
	case "yesterday":
		return moment{time: now, daily: yesterday}, true
	}
	for _, layout := range clockLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return moment{time: now, daily: lastTime, clock: t.Sub(midnight(t, 0))}, true
		}
	}
	return moment{}, false
}

// in is the point in time that a daily moment is in a zone.
func (m moment) in(zone *time.Location) time.Time {
	now := m.time.In(zone)
	ago := 0
	if m.daily == yesterday || m.daily == lastTime && midnight(now, 0).Add(m.clock).After(now) {
		ago = 1
	}
	return midnight(now, ago).Add(m.clock)
}

func midnight(t time.Time, daysAgo int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()-daysAgo, 0, 0, 0, 0, t.Location())
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
	if m, ok := parseDaily(trimmed, now); ok {
		m.text = text
		return m, nil
	}
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
		return moment{}, fmt.Errorf("%q is no time; write 2h (ago), 14:00, today, '2026-11-20 14:00' (as the log has it) or 2026-11-20T14:00:00Z", text)
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
	if m.daily != noDay {
		return !t.Before(m.in(t.Location()))
	}
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
	case w.until.text != "" && w.pastEnd(t):
		return tooLate
	}
	return ""
}

// pastEnd reports whether t is --until or later. From 22:00 until 02:00 is over midnight, and so is from today until an hour that lies ahead.
func (w *window) pastEnd(t time.Time) bool {
	if w.until.daily != lastTime || w.since.daily == noDay {
		return w.until.reached(t)
	}
	until := w.until.in(t.Location())
	if !until.After(w.since.in(t.Location())) {
		until = until.AddDate(0, 0, 1)
	}
	return !t.Before(until)
}

// untimed is the failure of a log whose entries all have no time that can be read, so that none of them could be in the window: that is no answer to when.
func (l *log) untimed(without, with int) *failure {
	if without == 0 || with > 0 {
		return nil
	}
	return cannotRun(fmt.Errorf("%s: %s with a wanted status, and not one has a time that can be read, which --since and --until need", spoken(l.name), plural(without, "entry")),
		"say where it is, --field time=KEY of JSON lines, else a --format string; or leave --since and --until out")
}

// check refuses a window that nothing can be in.
func (w *window) check() error {
	s, u := w.since, w.until
	switch {
	case s.text == "" || u.text == "":
		return nil
	case s.daily != noDay || u.daily != noDay: // the hours are those of each log's zone
		if u.daily == noDay || u.daily == lastTime || s.daily != today && s.daily != u.daily {
			return nil
		}
	case s.wall != u.wall || s.time.Before(u.time):
		return nil
	}
	return usage(fmt.Errorf("--since %s is not before --until %s", quoted(s.text), quoted(u.text)), "entries are taken from --since on and before --until")
}
