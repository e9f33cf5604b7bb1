package report

import (
	"strconv"
	"time"
)

// chart is a timeline as bars. It is drawn into a box of len by chartHeight units that is stretched to whatever width there is; words stand around it, in
// HTML, so that they are not stretched.
type chart struct {
	Width, Height int
	Bars          []bar
	Fates         []Fate // that are told apart
	Rows          []chartRow
	Max           int      // entries in the highest bucket
	Bucket        string   // how long one is
	Ticks         []string // along the width: its begin, middle and end
	About         string   // what there is to see, for those who do not see it
}

// bar is one colour of a bucket.
type bar struct {
	X, Y, W, H float64
	Fate       Fate
}

// chartRow is a bucket in words.
type chartRow struct {
	At     string
	Counts []int // of those
}

const (
	chartHeight = 100.0
	barStep     = 10.0
	barWidth    = 8.5
	minBars     = 12 // so that a short one is not a wall
)

func newChart(t *Timeline, zone *time.Location, shown []Fate) *chart {
	buckets, all := t.Buckets(zone)
	if all == 0 {
		return nil
	}
	c := &chart{Width: int(barStep) * max(all, minBars), Height: int(chartHeight), Bucket: spell(t.Width()), Fates: shown}
	for i := range buckets {
		c.Max = max(c.Max, buckets[i].Total())
	}
	begin, wide := buckets[0].Begin, t.Width()*time.Duration(max(all, minBars))
	layout := layoutOf(begin, begin.Add(wide), t.Width())
	for _, tick := range []time.Time{begin, begin.Add(wide / 2), begin.Add(wide)} {
		c.Ticks = append(c.Ticks, tick.Format(layout))
	}
	highest := 0
	for i, b := range buckets {
		y := chartHeight
		for fate, n := range b.Counts {
			if n == 0 {
				continue
			}
			h := max(chartHeight*float64(n)/float64(c.Max), 1) // one is to be seen beside a million
			y = max(y-h, 0)
			c.Bars = append(c.Bars, bar{round(float64(b.At) * barStep), round(y), barWidth, round(h), Fate(fate)})
		}
		c.Rows = append(c.Rows, chartRow{b.Begin.Format(layout), b.Counts[:len(shown)]})
		if b.Total() > buckets[highest].Total() {
			highest = i
		}
	}
	c.About = "From " + c.Ticks[0] + " to " + c.Ticks[2] + "; most, " + number(c.Max) + ", in " + c.Bucket + " from " + c.Rows[highest].At + "."
	return c
}

// round keeps one digit behind the point, which is enough for a page.
func round(x float64) float64 { return float64(int64(x*10+0.5)) / 10 }

// layoutOf says as much of a time as tells the buckets apart.
func layoutOf(first, last time.Time, width time.Duration) string {
	layout := "15:04:05"
	switch {
	case width < time.Second:
		layout = "15:04:05.0"
	case width >= 24*time.Hour:
		return "2006-01-02"
	case width >= time.Minute:
		layout = "15:04"
	}
	if first.Format("2006-01-02") != last.Format("2006-01-02") {
		layout = "2006-01-02 " + layout
	}
	return layout
}

// spell writes a width in words.
func spell(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d < unit.length {
			continue
		}
		return plural(int(d/unit.length), unit.name)
	}
	return strconv.Itoa(int(d/time.Millisecond)) + " ms"
}
