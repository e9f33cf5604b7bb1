package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// How often progress is told: on a terminal the line is updated, in a pipe a line is added.
const (
	terminalEvery = 200 * time.Millisecond
	pipeEvery     = 5 * time.Second
)

// watchProgress tells how far a run is, to people and to machines.
func watchProgress(f *runFlags, firing *refire.Firing, read *reading, c *console, e *events) {
	m := newMeter(f, read)
	m.c = c
	tell, every := m.tell, pipeEvery
	switch {
	case f.quiet || f.progress == "off":
		tell, every = nil, eventEvery
	case c.terminal:
		every = terminalEvery
	case f.progress == "on":
		every = time.Second
	}
	if tell == nil && e == nil && !f.follows() {
		return
	}
	var told time.Duration
	firing.Every = every
	if e != nil {
		firing.Every = min(every, eventEvery)
	}
	firing.Progress = func(p refire.Progress) {
		read.sayCircles(&p)
		e.progress(p)
		if tell != nil && p.Elapsed-told > every-firing.Every/2 {
			told = p.Elapsed
			tell(p)
		}
	}
}

// manyAlike is how many entries must be just like what refire has sent, and half of all, to be told of.
const manyAlike = 20

// sayCircles warns, once, of a run that may follow its own traces, in a log without the column that would tell.
func (r *reading) sayCircles(p *refire.Progress) {
	if r.circles || !r.flags.follows() || p.Alike < manyAlike || 2*p.Alike < p.Admitted {
		return
	}
	r.circles = true
	r.c.say("refire: %s are just like what this run has sent, in method, target, status and time: if it follows the log of the very server that it fires at, "+
		"what fails there is fired again and again, as the log has no User-Agent to tell by; --rate and --max bound that", plural(p.Alike, "entry"))
}

// meter tells progress. It keeps a smoothed rate, so that the ETA follows what happens now.
type meter struct {
	c      *console
	total  int64 // bytes of all logs, unpacked; 0: not known
	logs   int
	at     func() int32 // which of them is being read, from 1
	follow bool
	again  int     // entries of the retry log that are fired before those of the logs
	max    int     // --max; 0: none
	limit  float64 // --rate; 0: none

	last refire.Progress
	done float64 // entries within the last looks; older ones count less and less
	time float64 // the seconds in which they were done
	rate float64 // requests per second: the one by the other
}

func newMeter(f *runFlags, read *reading) *meter {
	return &meter{
		total: read.total(), logs: len(read.logs), at: read.at.Load, follow: f.follows(), again: read.toAgain, max: f.safety.max, limit: f.rate,
	}
}

func (m *meter) tell(p refire.Progress) {
	m.observe(p)
	if m.c.terminal {
		m.c.update(func(width int) string { return fit(m.parts(p), width) })
		return
	}
	m.c.say("refire: %s", m.line(p))
}

// observe takes in what was done since the last time. It looks back over about ten looks, and where that is little to go by (--rate 20/m), over ten entries.
// Time in which all places are left alone does not count.
func (m *meter) observe(p refire.Progress) {
	const keeps, fewest = 0.9, 10
	dt := (p.Elapsed - m.last.Elapsed).Seconds()
	if dt > 0 && !p.Waiting {
		if m.done > fewest {
			m.done, m.time = m.done*keeps, m.time*keeps
		}
		m.done += float64(p.Done - m.last.Done)
		m.time += dt
		m.rate = m.done / m.time
		if m.limit > 0 {
			m.rate = min(m.rate, m.limit) // the first one does not wait
		}
	}
	m.last = p
}

// part is something that progress says. Where there is no room for all, those with the highest number go first.
type part struct {
	text string
	drop int
}

func (m *meter) line(p refire.Progress) string { return fit(m.parts(p), 1<<10) }

// parts are what progress says, in order.
func (m *meter) parts(p refire.Progress) []part {
	done := "fired " + number(p.Done)
	all, known := m.all(p)
	switch {
	case known:
		done += " of " + number(all)
	case m.max > 0:
		done += " of at most " + number(m.max)
	}
	list := []part{{done, 0}}
	if !known {
		list = append(list, m.reading(p)...)
	}
	list = append(list, part{"recovered " + number(p.Recovered), 5})
	if n := p.Done - p.Recovered - p.Unreachable; n > 0 {
		list = append(list, part{"failing " + number(n), 1})
	}
	if p.Unreachable > 0 {
		list = append(list, part{"unreachable " + number(p.Unreachable), 3})
	}
	list = append(list, part{fmt.Sprintf("running %d", p.Running), 8})
	if !p.Waiting {
		list = append(list, part{speed(m.rate), 6})
	}
	if left, known := m.eta(p); known {
		list = append(list, part{"ETA " + about(left), 4})
	}
	return append(list, waits(p.Held)...)
}

// waits is why nothing is fired at a place, and for how long.
func waits(held []refire.Held) (list []part) {
	if len(held) == 0 {
		return nil
	}
	h := held[0]
	list = append(list, part{h.String(), 2})
	if h.GivesUp > 0 {
		list = append(list, part{"gives up in " + about(h.GivesUp), 1})
	}
	return list
}

// about is a time to come, as well as anybody can know it.
func about(d time.Duration) string {
	if d < time.Hour {
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}

// speed is a rate in the unit in which it is more than one.
func speed(perSecond float64) string {
	n, unit := perSecond, "/s"
	switch {
	case n > 0 && n < 1.0/60:
		n, unit = n*3600, "/h"
	case n > 0 && n < 0.95:
		n, unit = n*60, "/m"
	}
	if n < 9.95 {
		return strings.TrimSuffix(strconv.FormatFloat(n, 'f', 1, 64), ".0") + unit
	}
	return number(int(n+0.5)) + unit
}

// reading is how far the logs are read: over all of them.
func (m *meter) reading(p refire.Progress) (list []part) {
	if m.follow {
		return []part{{"following", 7}}
	}
	if m.logs > 1 {
		list = append(list, part{fmt.Sprintf("log %d of %d", max(m.at(), 1), m.logs), 7})
	}
	switch {
	case m.total > 0 && m.logs > 1:
		return append(list, part{fmt.Sprintf("%d%% of all read", min(100, 100*p.Read/m.total)), 6})
	case m.total > 0:
		return append(list, part{fmt.Sprintf("log read to %d%%", min(100, 100*p.Read/m.total)), 6})
	}
	return list
}

// fit joins as many parts as width has room for.
func fit(list []part, width int) string {
	for {
		text, worst := "", -1
		for i, p := range list {
			if i > 0 {
				text += ", "
			}
			text += p.text
			if p.drop > 0 && (worst < 0 || p.drop >= list[worst].drop) {
				worst = i
			}
		}
		if len(text) <= width || worst < 0 {
			return text[:min(len(text), max(width, 0))] // ASCII: ours
		}
		list = append(append([]part{}, list[:worst]...), list[worst+1:]...)
	}
}

// all is how many entries the run fires, if that is known: when all is read, or where there is nothing to read but the retry log.
func (m *meter) all(p refire.Progress) (n int, known bool) {
	switch {
	case p.ReadAll:
		return p.Admitted, true
	case m.logs > 0 || m.again == 0:
		return 0, false
	case m.max > 0:
		return min(m.again, m.max), true
	}
	return m.again, true
}

// left is how many entries are still to be fired. While logs are read it is guessed: the rest of them holds as many for its length as what was read. Those that
// an earlier run had fired count for that, because they come first.
func (m *meter) left(p refire.Progress) (n float64, known bool) {
	if all, known := m.all(p); known {
		return float64(all - p.Done), true
	}
	if m.total == 0 || p.Read == 0 {
		return 0, false
	}
	found := max(p.Admitted-m.again, 0) + p.Skipped[refire.AlreadyDone]
	n = float64(p.Admitted-p.Done) + float64(found)*float64(max(m.total-p.Read, 0))/float64(p.Read)
	if m.max > 0 {
		n = min(n, float64(m.max-p.Done))
	}
	return n, true
}

// eta is when all is fired if it goes on as it does.
func (m *meter) eta(p refire.Progress) (left time.Duration, known bool) {
	n, known := m.left(p)
	if !known || m.rate == 0 || p.Waiting {
		return 0, false
	}
	return time.Duration(min(max(n, 0)/m.rate, maxETA.Seconds()) * float64(time.Second)), true
}

// maxETA keeps an ETA within what a Duration can be.
const maxETA = 365 * 24 * time.Hour
