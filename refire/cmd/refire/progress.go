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
		m.c.update(m.line(p))
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

func (m *meter) line(p refire.Progress) string {
	text := "fired " + number(p.Done)
	if p.ReadAll {
		text += " of " + number(p.Admitted)
	} else {
		text += m.reading(p)
	}
	text += fmt.Sprintf(", recovered %s, running %d, %s/s", number(p.Recovered), p.Running, number(int(m.rate)))
	if left, known := m.eta(p); known {
		text += ", ETA " + span(left.Round(time.Second))
	}
	return text
}

// reading is how far the logs are read: over all of them.
func (m *meter) reading(p refire.Progress) (text string) {
	if m.follow {
		return ", following"
	}
	if m.logs > 1 {
		text = fmt.Sprintf(", log %d of %d", max(m.at(), 1), m.logs)
	}
	switch {
	case m.total > 0 && m.logs > 1:
		return text + fmt.Sprintf(", %d%% of all read", min(100, 100*p.Read/m.total))
	case m.total > 0:
		return fmt.Sprintf(", log read to %d%%", min(100, 100*p.Read/m.total))
	}
	return text
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
