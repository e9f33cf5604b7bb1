package report

import (
	"math/bits"
	"strconv"
	"time"
)

// Latency counts durations twice: in few bins for people, and in many for quantiles, which are at most 1/32 too high. The zero value is empty.
type Latency struct {
	Count int
	Max   time.Duration

	bins [len(binEdges) + 1]int
	fine [64 * fineSteps]int
}

const fineSteps = 32

// binEdges are the upper ends of the bins, which belong to the next one; above the last one everything is in one bin.
var binEdges = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
}

func (l *Latency) add(d time.Duration) {
	d = max(d, 0)
	l.Count++
	l.Max = max(l.Max, d)
	i := 0
	for i < len(binEdges) && d >= binEdges[i] {
		i++
	}
	l.bins[i]++
	l.fine[fineBin(d)]++
}

// fineBin: the position of the highest bit of the microseconds, and the five bits after it.
func fineBin(d time.Duration) int {
	us := uint64(d / time.Microsecond)
	if us < fineSteps {
		return int(us)
	}
	shift := bits.Len64(us) - 6
	return (shift+1)*fineSteps + int(us>>shift) - fineSteps
}

// fineEnd is the largest duration of a bin, in whole microseconds.
func fineEnd(bin int) time.Duration {
	if bin < fineSteps {
		return time.Duration(bin) * time.Microsecond
	}
	shift := bin/fineSteps - 1
	return time.Duration((uint64(bin%fineSteps)+fineSteps+1)<<shift-1) * time.Microsecond
}

// Quantile is the latency that the share q of all did not exceed; 0 if there are none.
func (l *Latency) Quantile(q float64) time.Duration {
	rank := int(q*float64(l.Count) + 0.999999)
	for bin, seen := 0, 0; bin < len(l.fine); bin++ {
		if seen += l.fine[bin]; seen >= max(rank, 1) {
			return min(fineEnd(bin), l.Max)
		}
	}
	return 0
}

// Bin is one of those for people.
type Bin struct {
	Name  string
	Count int
}

// Bins returns the bins from the first to the last one that is not empty.
func (l *Latency) Bins() (list []Bin) {
	first, last := -1, -1
	for i, n := range l.bins {
		if n > 0 {
			last = i
			if first < 0 {
				first = i
			}
		}
	}
	if first < 0 {
		return nil
	}
	for i := first; i <= last; i++ {
		list = append(list, Bin{binName(i), l.bins[i]})
	}
	return list
}

func binName(i int) string {
	switch {
	case i == 0:
		return "below " + edge(0)
	case i == len(binEdges):
		return edge(i-1) + " or more"
	}
	return edge(i-1) + " to " + edge(i)
}

func edge(i int) string {
	switch d := binEdges[i]; {
	case d < time.Second:
		return strconv.Itoa(int(d/time.Millisecond)) + " ms"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	}
	return "1 min"
}
