package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// Page is a report and what the page says beside it.
type Page struct {
	*Report
	Name  string    // of the retry log
	Made  time.Time // when
	Notes []Note    // of the last run that read logs: what was not fired
	By    string    // the program and its version

	Unfinished string    // why there may be more to fire than was, in words; empty: no reason is known
	Counted    time.Time // when Notes were
}

// onPaper is how many entries are printed: an incident's report is a few pages, and the list is for searching. page.css says so, too; a test compares.
const onPaper = 20

// OnPaper is for the template.
func (v *view) OnPaper() int { return onPaper }

// Note is a count and what it is of.
type Note struct {
	Name  string
	Count int
	Parts string
}

// WriteHTML writes the page. It refers to nothing outside of itself, and forbids the browser to ask anybody for anything. All text that is not this
// package's own is escaped, and the only script and style that may run are those whose hashes the page names.
func (p *Page) WriteHTML(w io.Writer) error { return page.Execute(w, newView(p)) }

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"number": number, "took": took, "at": at,
	"style":  func() template.CSS { return template.CSS(pageCSS) },
	"script": func() template.JS { return template.JS(pageJS) },
	"ended":  func(status int) string { return statusName(status) },
}).Parse(pageHTML))

// policy lets the browser load nothing, and run only our own.
func policy() string {
	return "default-src 'none'; style-src '" + hash(pageCSS) + "'; script-src '" + hash(pageJS) + "'; base-uri 'none'; form-action 'none'"
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// view is the page as the template reads it.
type view struct {
	*Page
	Policy         string
	Headline       string
	Sentence       string
	Shown          []Fate
	Outage         *chart
	Recovery       *chart
	Columns        []string
	Rows           []MatrixRow
	ColumnTotals   []int
	Bins           []binView
	P50, P90, P99  time.Duration
	PathViews      []pathView
	Joined         bool // some of them stand for several paths
	Left           int  // entries that are not listed
	LeftUnfinished int  // of those, the ones that did not recover
	ZoneName       string
}

type binView struct {
	Bin
	Share float64 // of the longest one, in percent
}

type pathView struct {
	Path
	Name  string
	Parts string
}

func newView(p *Page) *view {
	v := &view{Page: p, Policy: policy(), ZoneName: zoneName(p.Zone), Shown: p.shown()}
	v.Headline, v.Sentence = headline(p.Report), sentence(p.Report)
	if p.Unfinished != "" {
		v.Headline = "Not finished: " + strings.ToLower(v.Headline[:1]) + v.Headline[1:]
	}
	v.Outage, v.Recovery = newChart(&p.Logged, p.Zone, v.Shown), newChart(&p.Fired, p.Zone, v.Shown)
	v.Columns, v.Rows = p.Matrix.Table()
	v.ColumnTotals = make([]int, len(v.Columns))
	for _, row := range v.Rows {
		for i, n := range row.Counts {
			v.ColumnTotals[i] += n
		}
	}
	most := 0
	for _, b := range p.Latency.Bins() {
		most = max(most, b.Count)
	}
	for _, b := range p.Latency.Bins() {
		share := round(100 * float64(b.Count) / float64(most))
		if b.Count > 0 {
			share = max(share, 0.5)
		}
		v.Bins = append(v.Bins, binView{b, share})
	}
	v.P50, v.P90, v.P99 = p.Latency.Quantile(0.5), p.Latency.Quantile(0.9), p.Latency.Quantile(0.99)
	for _, path := range p.Paths {
		name := path.Method + " " + path.Path
		if len(p.Places.List) > 1 {
			name = path.Method + " " + path.Place + path.Path
		}
		v.PathViews = append(v.PathViews, pathView{path, name, pathParts(path.Outcomes)})
		v.Joined = v.Joined || path.Joined()
	}
	v.Left = p.Total() - len(p.Entries)
	listed := 0
	for i := range p.Entries {
		if p.Entries[i].Fate != Recovered {
			listed++
		}
	}
	v.LeftUnfinished = p.unfinished() - listed
	return v
}

// pathParts names what a path's entries ended with, the most frequent first.
func pathParts(counts map[string]int) string {
	const most = 4
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var parts []string
	for i, key := range keys {
		if i == most {
			return strings.Join(parts, "; ") + "; others"
		}
		parts = append(parts, number(counts[key])+" \u00d7 "+key)
	}
	return strings.Join(parts, "; ")
}

func statusName(status int) string {
	if status == 0 {
		return "none"
	}
	return strconv.Itoa(status)
}

// share is a part of the bar that they make together.
type share struct {
	Fate    Fate
	X, Wide int
}

// Shares are its parts.
func (v *view) Shares() (list []share) {
	x := 0
	for _, f := range v.Shown {
		list = append(list, share{f, x, v.Fates[f]})
		x += v.Fates[f]
	}
	return list
}
