package accesslog

import (
	"fmt"
	"strconv"
	"strings"
)

// StatusSet is a set of statuses from 0 to 999. The zero value is the empty set. It is comparable and a
// flag value (encoding.TextUnmarshaler).
type StatusSet struct {
	bits [16]uint64
}

const statuses = 1000 // 000 to 999

// ParseStatusSet reads a list of statuses, ranges and classes, separated by commas: "5xx", "500,502-504", "4xx,503".
// Spaces around an item are allowed, an empty list is not.
func ParseStatusSet(text string) (StatusSet, error) {
	var set StatusSet
	for item := range strings.SplitSeq(text, ",") {
		first, last, err := statusItem(strings.TrimSpace(item))
		if err != nil {
			return StatusSet{}, fmt.Errorf("accesslog: status list %q: %w", text, err)
		}
		for s := first; s <= last; s++ {
			set.bits[s/64] |= 1 << (s % 64)
		}
	}
	return set, nil
}

// statusItem reads "5xx", "503" or "502-504".
func statusItem(item string) (first, last int, err error) {
	if item == "" {
		return 0, 0, fmt.Errorf(`an item is empty; write a status, a range or a class, for example "5xx" or "500,502-504"`)
	}
	if len(item) == 3 && '0' <= item[0] && item[0] <= '9' && strings.EqualFold(item[1:], "xx") {
		first = int(item[0]-'0') * 100
		return first, first + 99, nil
	}
	from, to, isRange := strings.Cut(item, "-")
	if first, err = statusNumber(strings.TrimSpace(from)); err != nil {
		return 0, 0, err
	}
	if !isRange {
		return first, first, nil
	}
	if last, err = statusNumber(strings.TrimSpace(to)); err != nil {
		return 0, 0, err
	}
	if last < first {
		return 0, 0, fmt.Errorf("the range %q runs backwards; write it as %03d-%03d", item, last, first)
	}
	return first, last, nil
}

func statusNumber(text string) (int, error) {
	if len(text) == 3 {
		if n, err := strconv.ParseUint(text, 10, 16); err == nil {
			return int(n), nil
		}
	}
	return 0, fmt.Errorf(`%q is no status; write three digits ("503"), a range ("502-504") or a class ("5xx")`, text)
}

// Contains reports whether the set holds status.
func (set StatusSet) Contains(status int) bool {
	return 0 <= status && status < statuses && set.bits[status/64]&(1<<(status%64)) != 0
}

// IsEmpty reports whether the set holds nothing.
func (set StatusSet) IsEmpty() bool { return set == StatusSet{} }

// String returns the set in the form that ParseStatusSet reads: whole classes as "5xx", runs within one class as ranges.
func (set StatusSet) String() string {
	var items []string
	for s := 0; s < statuses; {
		if !set.Contains(s) {
			s++
			continue
		}
		end := s
		for end+1 < statuses && set.Contains(end+1) {
			end++
		}
		items = appendRun(items, s, end)
		s = end + 1
	}
	return strings.Join(items, ",")
}

// appendRun writes the statuses from first to last, class by class.
func appendRun(items []string, first, last int) []string {
	for first <= last {
		end := min(last, first-first%100+99)
		switch end - first {
		case 99:
			items = append(items, fmt.Sprintf("%dxx", first/100))
		case 0:
			items = append(items, fmt.Sprintf("%03d", first))
		default:
			items = append(items, fmt.Sprintf("%03d-%03d", first, end))
		}
		first = end + 1
	}
	return items
}

// MarshalText returns what String returns.
func (set StatusSet) MarshalText() ([]byte, error) { return []byte(set.String()), nil }

// UnmarshalText reads what ParseStatusSet reads.
func (set *StatusSet) UnmarshalText(text []byte) error {
	parsed, err := ParseStatusSet(string(text))
	if err == nil {
		*set = parsed
	}
	return err
}

// serverErrors is the default selection.
var serverErrors = mustStatusSet("5xx")

func mustStatusSet(text string) StatusSet {
	set, err := ParseStatusSet(text)
	if err != nil {
		panic(err)
	}
	return set
}
