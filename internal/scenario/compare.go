package scenario

import (
	"fmt"
	"strings"
)

// Same reports whether aio did what CPython did, as far as CPython's trace goes: it may end with
// "stop: ...".
func Same(cpython, ours []string) bool {
	return firstDifference(cpython, ours) < 0
}

// Stopped is why CPython's trace ends early, or "".
func Stopped(cpython []string) string {
	if n := len(cpython); n > 0 {
		if why, ok := strings.CutPrefix(cpython[n-1], "stop: "); ok {
			return why
		}
	}
	return ""
}

// firstDifference is the line in which the traces differ, -1 for none.
func firstDifference(cpython, ours []string) int {
	n := len(cpython)
	if Stopped(cpython) != "" {
		n--
		ours = ours[:min(n, len(ours))]
	}
	for i := range max(n, len(ours)) {
		if i >= n || i >= len(ours) || cpython[i] != ours[i] {
			return i
		}
	}
	return -1
}

// Compare shows both traces, as far as the first difference and somewhat further.
func Compare(cpython, ours []string) string {
	at := firstDifference(cpython, ours)
	if at < 0 {
		return "no difference"
	}
	var b strings.Builder
	for _, line := range cpython[:at] {
		fmt.Fprintf(&b, "          %s\n", line)
	}
	for _, side := range []struct {
		name  string
		lines []string
	}{{"CPython", cpython}, {"aio", ours}} {
		rest := side.lines[min(at, len(side.lines)):]
		if len(rest) == 0 {
			fmt.Fprintf(&b, "%-7s | nothing more\n", side.name)
		}
		for i, line := range rest {
			if i == 6 {
				fmt.Fprintf(&b, "%-7s | ... and %d more\n", side.name, len(rest)-i)
				break
			}
			fmt.Fprintf(&b, "%-7s | %s\n", side.name, line)
		}
	}
	return b.String()
}

// Record returns text, a file of scenarios, with new traces: CPython's, and, for differences, ours.
func Record(text string, traces, ours [][]string) string {
	parts := strings.Split("\n"+text, "\n== ")
	for i, trace := range traces {
		program, _, _ := strings.Cut(strings.TrimRight(parts[i+1], "\n"), "\n--")
		parts[i+1] = strings.TrimRight(program, "\n") + "\n--\n" + strings.Join(trace, "\n") + "\n"
		if ours != nil {
			parts[i+1] += "-- aio\n" + strings.Join(ours[i], "\n") + "\n"
		}
	}
	return strings.TrimPrefix(strings.Join(parts, "\n== "), "\n")
}
