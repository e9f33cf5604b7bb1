package main

import (
	"io"
	"os"
	"strconv"
	"time"

	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/report"
	"golang.org/x/term"
)

// maxOnScreen is how many entries scan prints on a terminal: the counts behind them are what matters there. A file or a pipe gets all of them.
const maxOnScreen = 10

// isTerminal reports whether somebody reads w on a screen.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// maxMinutes bounds how many minutes are counted: two months of them.
const maxMinutes = 100_000

// outage is when entries failed, and where: those with a wanted status, whatever their method.
type outage struct {
	first, last time.Time     // zero: no time is known
	minutes     map[int64]int // of the epoch: how many; nil: there were too many minutes to be counted
	dated       int
	paths       *report.Paths // nil: they are counted elsewhere
}

func (o *outage) add(e *accesslog.Entry) {
	if o.paths != nil {
		o.paths.Add(e.Method, "", e.Target, strconv.Itoa(e.Status), "")
	}
	if e.Time.IsZero() {
		return
	}
	o.dated++
	if o.last.IsZero() {
		o.first, o.last, o.minutes = e.Time, e.Time, map[int64]int{}
	}
	if e.Time.Before(o.first) {
		o.first = e.Time
	}
	if e.Time.After(o.last) {
		o.last = e.Time
	}
	if o.minutes != nil {
		o.minutes[floorMinute(e.Time)]++
		if len(o.minutes) > maxMinutes {
			o.minutes = nil
		}
	}
}

// floorMinute is the minute of the epoch; a zone that is not whole minutes off is older than logs.
func floorMinute(t time.Time) int64 { return (t.Unix() - int64(t.Second())) / 60 }

// when says it in words, in the zone of the first one: empty, where no time is known.
func (o *outage) when() string {
	if o.last.IsZero() {
		return ""
	}
	const second, clock, day = "2006-01-02 15:04:05", "15:04", "2006-01-02"
	zone := o.first.Location()
	last := o.last.In(zone)
	if o.last.Equal(o.first) {
		return "at " + o.first.Format(second+" -0700")
	}
	until := last.Format(second)
	if last.Format(day) == o.first.Format(day) {
		until = last.Format("15:04:05")
	}
	text := "from " + o.first.Format(second) + " to " + until + o.first.Format(" -0700")
	if minute, most := o.busiest(); most > 1 {
		at := time.Unix(minute*60, 0).In(zone)
		if at.Format(day) == o.first.Format(day) {
			text += ", most at " + at.Format(clock)
		} else {
			text += ", most at " + at.Format(day+" "+clock)
		}
		text += " (" + number(most) + " in a minute)"
	}
	return text
}

// busiest is the minute with the most entries, the first of them; most 0: it is not known.
func (o *outage) busiest() (minute int64, most int) {
	for m, n := range o.minutes {
		if n > most || n == most && m < minute {
			minute, most = m, n
		}
	}
	return minute, most
}

// row says when. The count is of the entries whose time is known.
func (o *outage) row() row {
	return row{"when", o.dated, o.when(), "", false}
}
