package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/report"
)

// row is a line of the summary: a count, and what it is made of.
type row struct {
	name  string
	count int
	parts string
	code  string // colour of a count that is not zero
	zero  bool   // shown even if the count is 0
}

const (
	green = "32"
	red   = "31"
	brown = "33" // yellow, on most
)

// tallyRows are the rows about what was fired, ever.
func tallyRows(t refire.Tally) []row {
	recovered := green
	if report.MostlyRedirected(redirected(t), t.Recovered) {
		recovered = brown
	}
	return []row{
		{"recovered", t.Recovered, recoveredParts(t), recovered, true},
		{"still failing", t.Failing(), parts(t.ByStatus, strconv.Itoa), red, true},
		{"unreachable", t.Unreachable(), parts(t.ByTrouble, refire.Trouble.Words), red, true},
		{"unknown", t.Unknown, "fired when a run was stopped, and not again", red, false},
	}
}

// parts writes what a count is made of, the biggest part first.
func parts[K cmp.Ordered](counts map[K]int, name func(K) string) string {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var list []string
	for _, k := range keys {
		list = append(list, number(counts[k])+" "+name(k))
	}
	return strings.Join(list, ", ")
}

// writeRows writes a table, folded where it is wider than width; 0: as wide as it is.
func writeRows(w io.Writer, rows []row, paint func(code, text string) string, width int) {
	widest := 0
	for _, r := range rows {
		widest = max(widest, len(number(r.count)))
	}
	for _, r := range rows {
		if r.count == 0 && !r.zero {
			continue
		}
		line := fmt.Sprintf("  %-16s %*s", r.name, widest, number(r.count))
		counted := len(line)
		if r.parts != "" {
			line += "   " + safe(r.parts)
		}
		line = fold(line, width, min(counted+3, max(width/3, 4)))
		if first := strings.IndexByte(line+"\n", '\n'); r.count > 0 && r.code != "" && first >= counted {
			line = line[:counted-widest] + paint(r.code, line[counted-widest:counted]) + line[counted:]
		}
		fmt.Fprintln(w, line)
	}
}

func plain(_, text string) string { return text }
