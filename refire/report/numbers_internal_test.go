package report

import (
	"fmt"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed8b1f0744/aio/refire"
)

// TestLatency_edges: an edge belongs to the bin above it, and no quantile is above the greatest or, of few, below its rank.
func TestLatency_edges(t *testing.T) {
	for i, edge := range binEdges {
		for d, want := range map[time.Duration]int{edge - 1: i, edge: i + 1} {
			var l Latency
			if l.add(d); l.bins[want] != 1 {
				t.Errorf("%v is not in bin %q", d, binName(want))
			}
		}
	}
	var l Latency
	for _, ms := range []int{1, 2, 3} {
		l.add(time.Duration(ms) * time.Millisecond)
	}
	for q, least := range map[float64]time.Duration{0: 1, 0.33: 1, 0.34: 2, 0.5: 2, 0.67: 3, 0.99: 3, 1: 3} {
		if got := l.Quantile(q); got < least*time.Millisecond || got > least*time.Millisecond*33/32 || got > l.Max {
			t.Errorf("quantile %g is %v, want %d ms", q, got, least)
		}
	}
	var back Latency // the clock was put back
	if back.add(-time.Second); back.Max != 0 || back.Quantile(1) != 0 {
		t.Errorf("%v, %v", back.Max, back.Quantile(1))
	}
}

// TestMatrix_others: what has no column or row of its own is counted where "others" stands, and nothing is lost.
func TestMatrix_others(t *testing.T) {
	m := Matrix{counts: map[[2]string]int{}}
	all := 0
	for old := range MaxColumns + 3 {
		for range old + 1 {
			m.add(500+old, "200", Recovered)
			all++
		}
	}
	m.add(0, "200", Recovered)
	m.add(-1, "200", Recovered)
	columns, rows := m.Table()
	if want := []string{"504", "505", "506", "507", "508", "others"}; !slices.Equal(columns, want) {
		t.Fatalf("columns %v", columns)
	}
	if want := []int{5, 6, 7, 8, 9, 1 + 2 + 3 + 4 + 2}; len(rows) != 1 || !slices.Equal(rows[0].Counts, want) || rows[0].Total != all+2 {
		t.Errorf("%+v", rows)
	}

	many := Matrix{counts: map[[2]string]int{}}
	for i := range 2 * MaxRows {
		many.add(500, fmt.Sprint("way ", i), Failing)
		many.add(502, fmt.Sprint("way ", i), Failing)
	}
	_, rows = many.Table()
	sums := []int{0, 0}
	for _, row := range rows {
		if row.Total != row.Counts[0]+row.Counts[1] {
			t.Errorf("%+v", row)
		}
		for i, n := range row.Counts {
			sums[i] += n
		}
	}
	if len(rows) > MaxRows || !slices.Equal(sums, []int{2 * MaxRows, 2 * MaxRows}) {
		t.Errorf("%d rows with %v", len(rows), sums)
	}
}

// TestTimeline_days begin where they do on the log's clock, also before 1970, and times without sense take no more room.
func TestTimeline_days(t *testing.T) {
	zone := time.FixedZone("", 5*3600+1800)
	for _, year := range []int{2026, 1950} {
		var line Timeline
		for day := range 80 {
			line.add(time.Date(year, 3, 1+day, 0, 0, 0, 0, zone), Failing)
			line.add(time.Date(year, 3, 1+day, 23, 59, 59, 0, zone), Failing)
		}
		buckets, all := line.Buckets(zone)
		if line.Width() != 24*time.Hour || all != 80 || len(buckets) != 80 {
			t.Fatalf("%d: %v, %d of %d", year, line.Width(), len(buckets), all)
		}
		for _, b := range buckets {
			if b.Total() != 2 || b.Begin.Hour() != 0 || b.Begin.Minute() != 0 {
				t.Errorf("%v: %d", b.Begin, b.Total())
			}
		}
	}
	var odd Timeline
	for _, at := range []time.Time{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		odd.add(at, Failing)
	}
	if _, all := odd.Buckets(time.UTC); all > maxBuckets+10 {
		t.Errorf("%d buckets", all)
	}
	var full Timeline
	for i := range maxBuckets + 1 {
		full.add(time.Unix(int64(i), 0), Failing)
	}
	if _, all := full.Buckets(time.UTC); all > maxBuckets {
		t.Errorf("%d buckets", all)
	}
}

// TestPercent does not round to all or to nothing.
func TestPercent(t *testing.T) {
	for want, c := range map[string][2]int{
		"100%": {5, 5}, "0%": {0, 5}, "over 99.9%": {999_999, 1_000_000}, "below 0.1%": {1, 1_000_000}, "99.9%": {999, 1000}, "0.1%": {1, 1000}, "50%": {1, 2}, "33.3%": {1, 3},
	} {
		if got := percent(c[0], c[1]); got != want {
			t.Errorf("%v is %s, want %s", c, got, want)
		}
	}
}

// TestCut_betweenLetters: a stranger's text stays well-formed.
func TestCut_betweenLetters(t *testing.T) {
	if got := cut("a\u00e4\u00e4", 4); got != "a\u00e4\u2026" || !utf8.ValidString(got) {
		t.Errorf("%q", got)
	}
}

// TestGathering_slowest: the first of equally slow ones, and the highest round of all.
func TestGathering_slowest(t *testing.T) {
	g := &gathering{max: 100}
	g.Matrix.counts = map[[2]string]int{}
	for i := range 2 * MaxSlowest {
		g.add(&refire.Outcome{Request: refire.Request{Method: "GET", Target: fmt.Sprint("/", i)}, Status: 500, Latency: time.Second, Round: 2*MaxSlowest - i, Time: time.Unix(1, 0)})
	}
	g.add(&refire.Outcome{Request: refire.Request{Method: "GET", Target: "/slowest"}, Status: 500, Latency: 2 * time.Second, Time: time.Unix(1, 0)})
	var got []string
	for _, e := range g.Slowest {
		got = append(got, e.URL)
	}
	if want := []string{"/slowest", "/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if g.Rounds != 2*MaxSlowest {
		t.Errorf("%d rounds", g.Rounds)
	}
}
