package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// rememberEnd writes beside the retry log how the run has ended, for those who read it later: outcomes alone do not say that there was more to fire.
func (e *ended) rememberEnd(err error, c *console) {
	m := e.out.meta
	var changed *retrylog.ChangedError
	if m == nil || e.journalChanged(&changed) { // there may be another one by that name, with a Meta of its own
		return
	}
	how := retrylog.Ending{At: time.Now().UTC().Truncate(time.Second), Read: e.Read, Total: e.read.total()}
	var f *failure
	if errors.As(err, &f) {
		how.Code = f.code
		if f.err != nil {
			how.Why = strings.TrimPrefix(f.err.Error(), "refire: ")
		}
	}
	if how.Why == "" && e.Enough {
		how.Why = fmt.Sprintf("--max %d was fired", e.flags.safety.max)
	}
	m.End(how)
	if len(e.read.logs) > 0 {
		m.NotFired = &retrylog.NotFired{At: how.At, Counts: e.read.notFired(e.Skipped)}
	}
	for _, l := range e.read.logs {
		if e.err == nil && !e.Enough && l.trouble == nil {
			m.Finish(l.key, l.name)
		}
	}
	if err := m.Write(e.flags.out); err != nil {
		c.say("refire: cannot remember how this run has ended: %v; refire report takes it for one that was killed", err)
	}
}

// notFired counts what is in no retry log: not what was fired by an earlier run, or is there to be fired --again.
func (r *reading) notFired(skipped map[refire.Reason]int) (list []retrylog.Count) {
	skipped = maps.Clone(skipped)
	delete(skipped, refire.AlreadyDone)
	for _, row := range r.rowsOf(skipped, nil) {
		if row.count > 0 {
			list = append(list, retrylog.Count{Name: row.name, Count: row.count, Parts: row.parts})
		}
	}
	return list
}

// story is what is known beside a retry log: whether what is in it is all there was to fire.
type story struct {
	name string
	meta *retrylog.Meta // nil: nothing is known, as of a copy
}

// readStory reads what is beside a retry log. Read it first: a run may end meanwhile.
func readStory(name string, c *console) story {
	if name == "-" {
		return story{name: name}
	}
	m, err := retrylog.ReadMeta(name)
	if err != nil {
		c.say("refire: %s: %v; whether its last run came to an end is not known", name+retrylog.MetaSuffix, err)
	}
	return story{name, m}
}

// unfinished says what is known to be missing in the retry log; empty: nothing.
func (s story) unfinished() string {
	m := s.meta
	switch {
	case m == nil:
		return ""
	case m.Running:
		return s.running()
	case m.Ending != nil && m.Ending.Why != "":
		return safe(m.Ending.Why) + ", " + stamp(m.Ending.At) + s.howFar()
	case len(m.Open) > 0:
		return "a run did not come to the end of " + some(s.open())
	}
	return ""
}

// running is for a run that has not said how it ended.
func (s story) running() string {
	m := s.meta
	since := "the run that began " + stamp(m.Began)
	host, _ := os.Hostname()
	switch {
	case m.Host != host:
		return since + " on " + safe(m.Host) + " goes on, or was killed"
	case s.goesOn():
		return since + fmt.Sprintf(" goes on (process %d)", m.PID)
	}
	return since + " was killed"
}

// goesOn reports whether the last run has the retry log open: its lock says so, in any container; where there are none, its number does.
func (s story) goesOn() bool {
	if used, known := retrylog.InUse(s.name); known {
		return used
	}
	return s.meta.PID != os.Getpid() && isRunning(s.meta.PID)
}

// howFar says how much of its logs the last run had read, if it did not come to an end of them.
func (s story) howFar() string {
	e := s.meta.Ending
	if e.Total <= 0 || len(s.meta.Open) == 0 {
		return ""
	}
	of := "the logs"
	if names := s.open(); len(names) == 1 {
		of = names[0]
	}
	return fmt.Sprintf(", with %d%% of %s read", min(99, 100*e.Read/e.Total), of)
}

// open names the logs that no run came to the end of.
func (s story) open() []string {
	names := slices.Compact(slices.Sorted(maps.Values(s.meta.Open)))
	for i := range names {
		names[i] = safe(names[i])
	}
	return names
}

// hint is what to do about what is missing.
func (s story) hint() string {
	if s.meta.Running && s.goesOn() {
		return "" // wait for it
	}
	return "the command of that run, given again, goes on with what is not in " + s.name
}

// rows are those about what was not fired.
func (s story) rows() (list []row) {
	if s.meta == nil || s.meta.NotFired == nil {
		return nil
	}
	for _, n := range s.meta.NotFired.Counts {
		list = append(list, row{n.Name, n.Count, n.Parts, "", false})
	}
	return list
}

// stamp writes a time for people who may be in another zone than the program.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }
