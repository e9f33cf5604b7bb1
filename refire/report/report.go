package report

import (
	"net/http"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// Limits of a report. What goes beyond one is counted, and the page says so.
const (
	DefaultMaxEntries = 1000 // entries that are listed
	MaxPaths          = 20   // paths that did not recover
	MaxSlowest        = 10
	MaxColumns        = 6   // statuses in the log that have a column of their own
	MaxNames          = 8   // logs and places that are named
	MaxTextBytes      = 300 // of a stranger's text; the rest of it is cut off
	maxGroups         = 10_000
	maxBuckets        = 96 // of a timeline
)

// Fate is what became of an entry.
type Fate int

// The fates, as everywhere in refire.
const (
	Recovered   Fate = iota // a whole 2xx or 3xx
	Failing                 // another answer
	Unreachable             // no whole answer
	Unknown                 // under way when a run was stopped, and nobody knows
	fates
)

var fateNames = [fates]string{"recovered", "failing", "unreachable", "unknown"}

var fateWords = [fates]string{"recovered", "still failing", "unreachable", "outcome unknown"}

// Fates returns all of them.
func Fates() []Fate { return []Fate{Recovered, Failing, Unreachable, Unknown} }

// String is the fate's name: recovered, failing, unreachable or unknown.
func (f Fate) String() string { return fateNames[f] }

// Words says it for people.
func (f Fate) Words() string { return fateWords[f] }

// FateOf is what became of o's entry, if o is its last outcome.
func FateOf(o *refire.Outcome) Fate {
	switch v := o.Verdict(); {
	case v.Unknown():
		return Unknown
	case v.Recovered():
		return Recovered
	case v.StillFails():
		return Failing
	}
	return Unreachable
}

// Report is what a page says. It counts each entry by its last outcome.
type Report struct {
	Lines int64 // of the retry log
	Torn  bool  // its last line is cut short
	Fates [fates]int

	Redirected int // of those that recovered: a redirect came, which is not followed

	Matrix  Matrix
	Logged  Timeline // of the entries whose time is known, by that
	Undated int      // the others
	Fired   Timeline // by when the last attempt ended
	Rounds  int      // of --again

	Latency Latency // of whole answers and broken ones; who got none is not in it
	Slowest []Entry // of those, the slowest first
	Paths   []Path  // that did not recover, the worst first
	Elided  int     // entries that did not recover and whose path is not among Paths
	Entries []Entry // those that did not recover first, in the order of the retry log
	Zone    *time.Location

	Sources, Places names
}

// Total is how many entries there are.
func (r *Report) Total() int { return total(r.Fates) }

func total(counts [fates]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// unfinished is how many entries did not recover.
func (r *Report) unfinished() int { return r.Total() - r.Fates[Recovered] }

// MostlyRedirected reports whether half of what recovered were redirects: a login or a maintenance page may be all that answers.
func (r *Report) MostlyRedirected() bool { return MostlyRedirected(r.Redirected, r.Fates[Recovered]) }

// MostlyRedirected reports it of so many.
func MostlyRedirected(redirected, recovered int) bool {
	return redirected > 0 && 2*redirected >= recovered
}

// IsRedirect reports whether a status sends the client elsewhere.
func IsRedirect(status int) bool {
	return status >= 300 && status < 400 && status != http.StatusNotModified
}

// shown are the fates that a page tells apart: the last of them, which is seldom, only if there is any.
func (r *Report) shown() []Fate {
	if r.Fates[Unknown] == 0 {
		return Fates()[:Unknown]
	}
	return Fates()
}

// Entry is one of them, cut to what is shown.
type Entry struct {
	Fate      Fate
	Method    string
	URL       string // not marked
	OldStatus int
	Status    int // 0: no answer
	Error     string
	Attempts  int
	Latency   time.Duration
	Logged    time.Time // zero: not known
	Fired     time.Time
	Source    string
	Offset    int64
}

func newEntry(o *refire.Outcome) Entry {
	return Entry{
		Fate: FateOf(o), Method: cut(o.Method, 20), URL: cut(o.Origin.String()+o.Target, MaxTextBytes), OldStatus: o.OldStatus, Status: o.Status,
		Error: cut(o.Error, MaxTextBytes), Attempts: o.Attempts, Latency: o.Latency, Logged: o.Logged, Fired: o.Time, Source: cut(o.Source, MaxTextBytes), Offset: o.Offset,
	}
}

// cut returns at most most bytes of text, as a copy, so that the rest of it can be forgotten.
func cut(text string, most int) string {
	if len(text) <= most {
		return strings.Clone(text)
	}
	return strings.ToValidUTF8(text[:most], "") + "\u2026"
}

// names are some names, in the order in which they came, and how many others there may be.
type names struct {
	List   []string
	Others bool
}

func (n *names) add(name string) {
	if len(n.List) > 0 && n.List[len(n.List)-1] == name { // as a rule
		return
	}
	name = cut(name, MaxTextBytes)
	for _, known := range n.List {
		if known == name {
			return
		}
	}
	if len(n.List) >= MaxNames {
		n.Others = true
		return
	}
	n.List = append(n.List, name)
}
