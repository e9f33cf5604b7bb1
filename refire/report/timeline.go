package report

import (
	"maps"
	"slices"
	"time"
)

// Timeline counts entries in buckets of time. It begins with narrow ones and makes them wider when there would be too many, so that it is of bounded size
// whatever times come in whatever order. The zero value is empty.
type Timeline struct {
	First, Last time.Time

	step    int   // index in widths
	shift   int64 // of the zone that the first time had, in ms: hours and days begin where they do on its clock
	buckets map[int64]*[fates]int
}

// widths are those of buckets; each is a multiple of the one before. The last are for logs whose times make no sense.
var widths = []time.Duration{
	100 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
	time.Hour, 3 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour, 364 * 24 * time.Hour, 3640 * 24 * time.Hour, 36400 * 24 * time.Hour,
}

// Width is how long a bucket is.
func (t *Timeline) Width() time.Duration { return widths[t.step] }

func (t *Timeline) add(at time.Time, fate Fate) {
	if t.buckets == nil {
		t.buckets = map[int64]*[fates]int{}
		t.First, t.Last = at, at
		_, offset := at.Zone()
		t.shift = int64(offset) * 1000
		for at.Nanosecond() == 0 && t.Width() < time.Second { // as most logs have it: narrower ones would stand empty between
			t.step++
		}
	}
	if at.Before(t.First) {
		t.First = at
	}
	if at.After(t.Last) {
		t.Last = at
	}
	for t.step < len(widths)-1 && t.index(t.Last)-t.index(t.First) >= maxBuckets {
		t.widen()
	}
	i := t.index(at)
	if t.buckets[i] == nil {
		t.buckets[i] = new([fates]int)
	}
	t.buckets[i][fate]++
}

// index is the number of at's bucket.
func (t *Timeline) index(at time.Time) int64 {
	ms := at.UnixMilli() + t.shift
	width := t.Width().Milliseconds()
	if ms < 0 {
		return (ms+1)/width - 1
	}
	return ms / width
}

func (t *Timeline) widen() {
	ratio := int64(widths[t.step+1] / widths[t.step])
	t.step++
	old := t.buckets
	t.buckets = make(map[int64]*[fates]int, len(old))
	for i, counts := range old {
		if i < 0 {
			i = (i+1)/ratio - 1
		} else {
			i /= ratio
		}
		to := t.buckets[i]
		if to == nil {
			to = new([fates]int)
			t.buckets[i] = to
		}
		for fate, n := range counts {
			to[fate] += n
		}
	}
}

// Bucket is one that is not empty.
type Bucket struct {
	At     int // its number from the first one
	Begin  time.Time
	Counts [fates]int
}

// Total is how many entries are in it.
func (b *Bucket) Total() int { return total(b.Counts) }

// Buckets returns those that are not empty, in order, their times in the zone, and how many there are, empty ones included.
func (t *Timeline) Buckets(zone *time.Location) (list []Bucket, all int) {
	if len(t.buckets) == 0 {
		return nil, 0
	}
	keys := slices.Sorted(maps.Keys(t.buckets))
	for _, i := range keys {
		begin := time.UnixMilli(i*t.Width().Milliseconds() - t.shift).In(zone)
		list = append(list, Bucket{int(i - keys[0]), begin, *t.buckets[i]})
	}
	return list, int(keys[len(keys)-1]-keys[0]) + 1
}
