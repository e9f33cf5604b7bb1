package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/report"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// maxPathRows is how many paths a summary names: it is one screen.
const maxPathRows = 5

// maxAligned is how long a path may be for the others to stand aligned with it.
const maxAligned = 40

// pathRows are the rows that say where most of p is; of a page is what they say how it ended. width is the terminal's; 0: none.
func pathRows(p *report.Paths, width int) (rows []row) {
	worst := p.Worst(maxPathRows + 1)
	if len(worst) > maxPathRows && counted(worst) < p.Total() { // a last one stands where "others" would
		worst = worst[:maxPathRows]
	}
	places := map[string]struct{}{}
	for i := range worst {
		places[worst[i].Place] = struct{}{}
	}
	rest, widest := p.Total()-counted(worst), 0
	var names []string
	for i := range worst {
		at := &worst[i]
		name := at.Path
		if len(places) > 1 {
			name = at.Place + name
		}
		name = at.Method + " " + shortened(name, pathRoom(width, at.Method, outcomeWords(at.Outcomes)))
		names, widest = append(names, name), max(widest, len(name))
	}
	for i, name := range names {
		rows = append(rows, row{"", worst[i].Count, fmt.Sprintf("%-*s   %s", min(widest, maxAligned), name, outcomeWords(worst[i].Outcomes)), "", false})
	}
	if len(rows) > 0 {
		rows[0].name = "by path"
	}
	return append(rows, row{"", rest, "at other paths", "", false})
}

func counted(paths []report.Path) (n int) {
	for i := range paths {
		n += paths[i].Count
	}
	return n
}

// outcomeWords are how the entries of one path ended; where all did alike, their number is in the row.
func outcomeWords(counts map[string]int) string {
	if len(counts) == 1 {
		for outcome := range counts {
			return outcome
		}
	}
	return parts(counts, func(outcome string) string { return outcome })
}

// pathRoom is how long a path may be beside the rest of its row.
func pathRoom(width int, method, how string) int {
	const most, least, before, between = 100, 16, 28, 4
	if width == 0 {
		return most
	}
	return min(most, max(least, width-before-len(method)-between-len(how)))
}

// shortened is text with an end that says that there is more, if it is longer than most.
func shortened(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-3]) + "..."
}

// failures counts what does not recover by its path, each entry by its last outcome. It holds about 50 bytes for each of those. The zero one is ready.
type failures struct {
	paths report.Paths
	of    map[accesslog.ID]failed
	words []string // of outcomes
}

// failed is where an entry is counted.
type failed struct {
	at      *report.Path
	outcome uint16 // of words
}

// take takes in an outcome. nil: nobody wants to know.
func (f *failures) take(o *refire.Outcome) {
	if f == nil {
		return
	}
	if was, counted := f.of[o.ID]; counted {
		f.paths.Remove(was.at, f.words[was.outcome])
		delete(f.of, o.ID)
	}
	if fate := report.FateOf(o); fate != report.Failing && fate != report.Unreachable {
		return
	}
	if f.of == nil {
		f.of = map[accesslog.ID]failed{}
	}
	how := report.NewOutcome(o)
	i := slices.Index(f.words, how) // a thousand at most, and a few as a rule
	if i < 0 {
		i = len(f.words)
		f.words = append(f.words, how)
	}
	f.of[o.ID] = failed{f.paths.Add(o.Method, o.Origin.String(), o.Target, how, ""), uint16(i)}
}

// rows say where most of it is. There are none where nothing was answered at all: that is not about paths.
func (f *failures) rows(t refire.Tally, width int) []row {
	if f == nil || t.Failing() == 0 && (t.Unreachable() == 0 || t.Recovered == 0) {
		return nil
	}
	return pathRows(&f.paths, width)
}

// watchedJournal is a journal whose outcomes are counted by path.
type watchedJournal struct {
	*retrylog.Journal
	failing *failures
}

// Append implements refire.Sink.
func (w watchedJournal) Append(outcomes []refire.Outcome) (written int, err error) {
	written, err = w.Journal.Append(outcomes)
	for i := range outcomes[:written] {
		w.failing.take(&outcomes[i])
	}
	return written, err
}

var _ refire.Announcer = watchedJournal{}

// recoveredParts are the statuses of what recovered, unless all of them are 200.
func recoveredParts(t refire.Tally) string {
	if t.RecoveredBy[200] == t.Recovered {
		return ""
	}
	return parts(t.RecoveredBy, strconv.Itoa)
}

// redirected is how many of those that recovered were answered with a redirect.
func redirected(t refire.Tally) (n int) {
	for status, count := range t.RecoveredBy {
		if report.IsRedirect(status) {
			n += count
		}
	}
	return n
}

// sayRedirected warns where so many of them are redirects that a login or a maintenance page may be all that answers.
func sayRedirected(t refire.Tally, c *console) {
	if n := redirected(t); report.MostlyRedirected(n, t.Recovered) {
		c.say("refire: %s of the %s that recovered were answered with a redirect, which is not followed; a login or a maintenance page answers so, too",
			number(n), number(t.Recovered))
	}
}

// howFar says how much there was left when a run was ended; empty: that is not known.
func (e *ended) howFar() string {
	m := newMeter(e.flags, e.read)
	share := 100 * e.Read / cmp.Or(m.total, 1)
	if all, known := m.all(e.Progress); known && !e.Enough {
		if all == e.Done {
			return ""
		}
		return ", of " + number(all) + " to fire"
	}
	switch {
	case m.total == 0 || share >= 100:
		return ""
	case m.logs > 1:
		return fmt.Sprintf(", %d%% of the logs read", share)
	}
	return fmt.Sprintf(", %d%% of the log read", share)
}
