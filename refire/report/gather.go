package report

import (
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// Gather reads the retry log in r, which holds size bytes, twice. Beside what the report holds it remembers about 50 bytes for each entry. maxEntries
// bounds the entries that are listed; 0: DefaultMaxEntries. Errors are those of retrylog.Read; ext says how much was read.
func Gather(r io.ReaderAt, size int64, maxEntries int) (rep *Report, ext retrylog.Extent, err error) {
	if maxEntries <= 0 {
		maxEntries = DefaultMaxEntries
	}
	g := &gathering{max: maxEntries}
	g.Matrix.counts = map[[2]string]int{}
	ext, err = retrylog.Latest(r, size, func(o *refire.Outcome) error {
		g.add(o)
		return nil
	})
	if err != nil {
		return nil, ext, err
	}
	g.Lines, g.Torn = ext.Lines, ext.Torn > 0
	return g.finish(), ext, nil
}

// gathering is a report in the making.
type gathering struct {
	Report
	max       int
	open      []Entry // did not recover
	recovered []Entry
	paths     Paths // of those that did not recover
}

func (g *gathering) add(o *refire.Outcome) {
	fate := FateOf(o)
	g.Fates[fate]++
	if fate == Recovered && IsRedirect(o.Status) {
		g.Redirected++
	}
	g.Matrix.add(o.OldStatus, NewOutcome(o), fate)
	g.Rounds = max(g.Rounds, o.Round)
	g.Sources.add(o.Source)
	g.Places.add(o.Origin.String())
	if o.Logged.IsZero() {
		g.Undated++
	} else {
		if g.Zone == nil {
			_, offset := o.Logged.Zone()
			g.Zone = time.FixedZone("", offset)
		}
		g.Logged.add(o.Logged, fate)
	}
	g.Fired.add(o.Time, fate)
	if o.Status != 0 {
		g.Latency.add(o.Latency)
		g.slow(o)
	}
	if fate != Recovered {
		g.paths.Add(o.Method, o.Origin.String(), o.Target, NewOutcome(o), o.Error)
	}
	list := &g.open
	if fate == Recovered {
		list = &g.recovered
	}
	if len(*list) < g.max {
		*list = append(*list, newEntry(o))
	}
}

// slow keeps the slowest, of equally slow ones the first.
func (g *gathering) slow(o *refire.Outcome) {
	if n := len(g.Slowest); n == MaxSlowest && o.Latency <= g.Slowest[n-1].Latency {
		return
	}
	at, _ := slices.BinarySearchFunc(g.Slowest, o.Latency, func(e Entry, l time.Duration) int {
		if e.Latency >= l {
			return -1
		}
		return 1
	})
	g.Slowest = slices.Insert(g.Slowest, at, newEntry(o))
	g.Slowest = g.Slowest[:min(len(g.Slowest), MaxSlowest)]
}

func (g *gathering) finish() *Report {
	if g.Zone == nil {
		g.Zone = time.UTC
	}
	g.Paths = g.paths.Worst(MaxPaths)
	listed := 0
	for _, p := range g.Paths {
		listed += p.Count
	}
	g.Elided = g.unfinished() - listed
	g.Entries = append(g.open, g.recovered[:min(len(g.recovered), g.max-len(g.open))]...)
	return &g.Report
}

// NewOutcome names how an outcome ended: "200", "503", "no answer in time", "200, answer broke off".
func NewOutcome(o *refire.Outcome) string {
	v := o.Verdict()
	switch {
	case o.Status == 0:
		return v.Trouble.Words()
	case v.Trouble != refire.NoTrouble:
		return strconv.Itoa(o.Status) + ", " + v.Trouble.Words()
	}
	return strconv.Itoa(o.Status)
}
