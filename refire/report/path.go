package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/seed8b1f0744/aio/refire"
)

// Path is what did not recover at one path: requests that differ in their queries only.
type Path struct {
	Method   string
	URL      string // without a query
	Count    int
	Outcomes map[string]int // by NewOutcome
	Error    string         // of the last one; empty: none
}

// group counts an outcome for its path. Once there are too many paths, new ones are not: finish counts them together.
func (g *gathering) group(o *refire.Outcome) {
	path, _, _ := strings.Cut(o.Target, "?")
	method, url := cut(o.Method, 20), cut(o.Origin.String()+path, MaxTextBytes)
	key := method + " " + url
	p := g.groups[key]
	if p == nil {
		if len(g.groups) >= maxGroups {
			return // finish counts what no path has
		}
		p = &Path{Method: method, URL: url, Outcomes: map[string]int{}}
		g.groups[key] = p
	}
	p.Count++
	p.Outcomes[NewOutcome(o)]++ // a few hundred at most
	if o.Error != "" {
		p.Error = cut(o.Error, MaxTextBytes)
	}
}

// worst are the paths with the most entries.
func worst(groups map[string]*Path) []Path {
	keys := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(cmp.Compare(groups[b].Count, groups[a].Count), cmp.Compare(a, b))
	})
	var list []Path
	for _, key := range keys[:min(len(keys), MaxPaths)] {
		list = append(list, *groups[key])
	}
	return list
}
