package report

import (
	"cmp"
	"slices"
	"strconv"
)

// Matrix counts entries by their status in the access log and by how they ended.
type Matrix struct {
	counts map[[2]string]int // old status, new outcome
	fate   map[string]Fate
}

func (m *Matrix) add(old int, ended string, fate Fate) {
	if m.fate == nil {
		m.fate = map[string]Fate{}
	}
	m.fate[ended] = fate
	name := "none"
	if 0 < old && old < 1000 {
		name = strconv.Itoa(old)
	}
	m.counts[[2]string{name, ended}]++
}

// MatrixRow is one way to end.
type MatrixRow struct {
	Name   string
	Fate   Fate
	Counts []int // by column
	Total  int
}

// Table returns the statuses that were logged, the most frequent ones, and a row for each way to end: by fate, then by count. Statuses for which there is no
// column are counted in a last one, "others".
func (m *Matrix) Table() (columns []string, rows []MatrixRow) {
	byOld := map[string]int{}
	byNew := map[string]*MatrixRow{}
	for key, n := range m.counts {
		byOld[key[0]] += n
		row := byNew[key[1]]
		if row == nil {
			row = &MatrixRow{Name: key[1], Fate: m.fate[key[1]]}
			byNew[key[1]] = row
		}
		row.Total += n
	}
	for old := range byOld {
		columns = append(columns, old)
	}
	slices.SortFunc(columns, func(a, b string) int { return cmp.Or(cmp.Compare(byOld[b], byOld[a]), cmp.Compare(a, b)) })
	if len(columns) > MaxColumns {
		columns = append(columns[:MaxColumns-1], "others")
	}
	slices.SortFunc(columns, func(a, b string) int { // "others" sorts behind digits
		return cmp.Compare(a, b)
	})
	for key, n := range m.counts {
		row := byNew[key[1]]
		if row.Counts == nil {
			row.Counts = make([]int, len(columns))
		}
		at := slices.Index(columns, key[0])
		if at < 0 {
			at = len(columns) - 1
		}
		row.Counts[at] += n
	}
	for _, row := range byNew {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b MatrixRow) int {
		return cmp.Or(cmp.Compare(a.Fate, b.Fate), cmp.Compare(b.Total, a.Total), cmp.Compare(a.Name, b.Name))
	})
	return columns, shorten(rows)
}

// MaxRows is how many ways to end a page tells apart.
const MaxRows = 30

// shorten adds up the rows for which there is no room, by fate.
func shorten(rows []MatrixRow) []MatrixRow {
	if len(rows) <= MaxRows {
		return rows
	}
	kept := rows[:MaxRows-int(fates)]
	var rest [fates]MatrixRow
	for _, row := range rows[len(kept):] {
		r := &rest[row.Fate]
		r.Name, r.Fate = "others, "+row.Fate.Words(), row.Fate
		r.Total += row.Total
		if r.Counts == nil {
			r.Counts = make([]int, len(row.Counts))
		}
		for i, n := range row.Counts {
			r.Counts[i] += n
		}
	}
	for _, r := range rest {
		if r.Total > 0 {
			kept = append(kept, r)
		}
	}
	return kept
}
