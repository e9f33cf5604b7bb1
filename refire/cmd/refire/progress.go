package main

import (
	"fmt"
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
	m := &meter{c: c, total: read.total(), logs: len(read.logs), at: read.at.Load, follow: f.follows()}
	tell, every := m.tell, pipeEvery
	switch {
	case f.quiet || f.progress == "off":
		tell, every = nil, eventEvery
	case c.terminal:
		every = terminalEvery
	case f.progress == "on":
		every = time.Second
	}
	if tell == nil && e == nil {
		return
	}
	var told time.Duration
	firing.Every = every
	if e != nil {
		firing.Every = min(every, eventEvery)
	}
	firing.Progress = func(p refire.Progress) {
		e.progress(p)
		if tell != nil && p.Elapsed-told > every-firing.Every/2 {
			told = p.Elapsed
			tell(p)
		}
	}
}

// meter tells progress. It keeps a smoothed rate, so that the ETA follows what happens now.
type meter struct {
	c      *console
	total  int64 // bytes of all logs, unpacked; 0: not known
	logs   int
	at     func() int32 // which of them is being read, from 1
	follow bool

	last refire.Progress
	rate float64 // requests per second
}

func (m *meter) tell(p refire.Progress) {
	m.observe(p)
	if m.c.terminal {
		m.c.update(func(width int) string { return fit(m.parts(p), width) })
		return
	}
	m.c.say("refire: %s", m.line(p))
}

// observe mixes the rate since the last time into the smoothed one; a look back of about ten looks.
func (m *meter) observe(p refire.Progress) {
	const weight = 0.2
	if dt := (p.Elapsed - m.last.Elapsed).Seconds(); dt > 0 {
		now := float64(p.Done-m.last.Done) / dt
		if m.last.Elapsed == 0 {
			m.rate = now
		}
		m.rate += weight * (now - m.rate)
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
	if p.ReadAll {
		done += " of " + number(p.Admitted)
	}
	list := []part{{done, 0}}
	if !p.ReadAll {
		list = append(list, m.reading(p)...)
	}
	list = append(list, part{"recovered " + number(p.Recovered), 2})
	if n := p.Done - p.Recovered - p.Unreachable; n > 0 {
		list = append(list, part{"failing " + number(n), 2})
	}
	if p.Unreachable > 0 {
		list = append(list, part{"unreachable " + number(p.Unreachable), 3})
	}
	list = append(list, part{fmt.Sprintf("running %d", p.Running), 6}, part{number(int(m.rate)) + "/s", 4})
	if left, known := m.eta(p); known {
		list = append(list, part{"ETA " + span(left.Round(time.Second)), 1})
	}
	if len(p.Held) > 0 {
		list = append(list, part{p.Held[0].String(), 1})
	}
	return list
}

// reading is how far the logs are read: over all of them.
func (m *meter) reading(p refire.Progress) (list []part) {
	if m.follow {
		return []part{{"following", 5}}
	}
	if m.logs > 1 {
		list = append(list, part{fmt.Sprintf("log %d of %d", max(m.at(), 1), m.logs), 5})
	}
	switch {
	case m.total > 0 && m.logs > 1:
		return append(list, part{fmt.Sprintf("%d%% of all read", min(100, 100*p.Read/m.total)), 4})
	case m.total > 0:
		return append(list, part{fmt.Sprintf("log read to %d%%", min(100, 100*p.Read/m.total)), 4})
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

// eta is by requests once they are all known, before that by bytes of the logs.
func (m *meter) eta(p refire.Progress) (left time.Duration, known bool) {
	switch {
	case p.ReadAll && m.rate > 0:
		return time.Duration(float64(p.Admitted-p.Done) / m.rate * float64(time.Second)), true
	case !p.ReadAll && m.total > 0 && p.Read > 0 && p.Done > 0:
		return time.Duration(float64(p.Elapsed) * float64(m.total-p.Read) / float64(p.Read)), true
	}
	return 0, false
}
