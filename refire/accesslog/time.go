package accesslog

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// layout says how a format writes its times. They are compared by address.
type layout struct {
	parse func(text string) (time.Time, bool)
}

// anyLayout is where a format does not say: of the usual ones, whichever fits. time.Parse takes a fraction after the seconds by itself.
var anyLayout = layouts(
	"02/Jan/2006:15:04:05 -0700",
	time.RFC3339,
	"2006-01-02 15:04:05",
	"2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04:05-0700",
	"02/Jan/2006 15:04:05", // Werkzeug's
)

// clfLayout is the common log format's.
const clfLayout = "02/Jan/2006:15:04:05 -0700"

// The common log format's time, alone and in its brackets.
var (
	clfTimes     = layouts(clfLayout)
	bracketTimes = layouts("[" + clfLayout + "]")
)

// layouts tries layouts of package time in turn.
func layouts(list ...string) *layout {
	return &layout{func(text string) (time.Time, bool) {
		for _, l := range list {
			if t, err := time.Parse(l, text); err == nil {
				return t, true
			}
		}
		return time.Time{}, false
	}}
}

// Times as numbers since 1970, by how many of them make a second. A fraction is taken.
var (
	secondsLayout = numbers(1)
	millisLayout  = numbers(1e3)
	microsLayout  = numbers(1e6)
)

func numbers(perSecond int64) *layout {
	return &layout{func(text string) (time.Time, bool) { return unixTime(text, perSecond) }}
}

// sizedLayout takes a number's size as its unit: seconds until the year 5138, then milliseconds, and so on.
var sizedLayout = &layout{func(text string) (time.Time, bool) {
	whole, err := strconv.ParseFloat(text, 64)
	switch whole = math.Abs(whole); {
	case err != nil:
		return time.Time{}, false
	case whole < 1e11:
		return unixTime(text, 1)
	case whole < 1e14:
		return unixTime(text, 1e3)
	case whole < 1e17:
		return unixTime(text, 1e6)
	}
	return unixTime(text, 1e9)
}}

// unixTime reads a decimal number of 1/perSecond seconds since 1970, without the rounding of a float64 where it has no exponent.
func unixTime(text string, perSecond int64) (time.Time, bool) {
	whole, fraction := text, ""
	for i := range len(text) {
		switch text[i] {
		case '.':
			whole, fraction = text[:i], text[i+1:]
		case 'e', 'E':
			return floatTime(text, perSecond)
		}
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(whole) == 0 {
		return time.Time{}, false
	}
	nanosPer := int64(1e9) / perSecond
	var nanos int64
	for i, unit := 0, nanosPer/10; i < len(fraction); i, unit = i+1, unit/10 {
		digit := fraction[i] - '0'
		if digit > 9 {
			return time.Time{}, false
		}
		nanos += int64(digit) * unit
	}
	if whole[0] == '-' {
		nanos = -nanos
	}
	return inRange(n/perSecond, n%perSecond*nanosPer+nanos)
}

func floatTime(text string, perSecond int64) (time.Time, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) > 1e18 {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(f / float64(perSecond))
	return inRange(int64(whole), int64(fraction*1e9))
}

// inRange refuses years that RFC 3339 has not.
func inRange(seconds, nanos int64) (time.Time, bool) {
	const year10000 = 253402300800
	if seconds < 0 || seconds >= year10000 {
		return time.Time{}, false
	}
	return time.Unix(seconds, nanos).UTC(), true
}

// clock parses times and keeps the last one: in the outage that somebody looks for, most lines share their second with the next.
type clock struct {
	layout *layout
	text   []byte
	last   time.Time
	joined []byte // scratch
}

// read returns the time of a line; zero if it has none that is understood.
func (c *clock) read(f *fields) time.Time {
	text := f.time
	if len(f.date) > 0 {
		c.joined = append(append(append(c.joined[:0], f.date...), ' '), f.time...)
		text = c.joined
	}
	if len(text) == 0 {
		return time.Time{}
	}
	layout := f.layout
	if layout == nil {
		layout = anyLayout
	}
	if layout != c.layout || !bytes.Equal(text, c.text) {
		c.layout, c.text = layout, append(c.text[:0], text...)
		var ok bool
		if c.last, ok = layout.parse(string(text)); !ok {
			c.last = time.Time{}
		}
	}
	return c.last
}
