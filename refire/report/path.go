package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Path is what is counted at one path: requests that differ in their queries only, or in numbers and ids, too.
type Path struct {
	Method   string
	Place    string // scheme, host and port; empty: not told apart
	Path     string // without a query; a * stands for a number or an id where several paths are counted together
	Count    int
	Outcomes map[string]int // how they ended
	Error    string         // of the last one; empty: none

	paths int // that are counted together
}

// Joined reports whether it stands for several paths.
func (p *Path) Joined() bool { return p.paths > 1 }

// Paths counts requests by their paths. What it holds is bounded: when there are too many, new ones are counted by their shape, without numbers and ids, and
// when there are too many of those, not told apart at all.
type Paths struct {
	exact, shapes map[string]*Path
	total         int
	key           []byte // kept for its room
}

// Add counts a request and how it ended: a status, a trouble's words, and an error's text, if there is one. It returns where that is counted; nil: there was no
// room.
func (p *Paths) Add(method, place, target, outcome, err string) *Path {
	if p.exact == nil {
		p.exact, p.shapes = map[string]*Path{}, map[string]*Path{}
	}
	p.total++
	path, _, _ := strings.Cut(target, "?")
	g := p.group(p.exact, 1, method, place, path)
	if g == nil {
		g = p.group(p.shapes, 2, method, place, shape(path))
	}
	if g == nil {
		return nil
	}
	g.Count++
	g.Outcomes[outcome]++ // a few hundred at most
	if err != "" {
		g.Error = cut(err, MaxTextBytes)
	}
	return g
}

// Remove takes back what Add has counted at g.
func (p *Paths) Remove(g *Path, outcome string) {
	p.total--
	if g == nil {
		return
	}
	g.Count--
	if g.Outcomes[outcome]--; g.Outcomes[outcome] <= 0 {
		delete(g.Outcomes, outcome)
	}
}

// group finds or makes one; nil: there is no room.
func (p *Paths) group(groups map[string]*Path, paths int, method, place, path string) *Path {
	method, path = method[:min(len(method), 2*MaxTextBytes)], path[:min(len(path), 2*MaxTextBytes)]
	p.key = append(append(append(append(append(p.key[:0], method...), ' '), place...), ' '), path...)
	g := groups[string(p.key)]
	if g == nil && len(groups) < maxGroups {
		g = &Path{Method: cut(method, 20), Place: place, Path: cut(path, MaxTextBytes), Outcomes: map[string]int{}, paths: paths}
		groups[string(p.key)] = g
	}
	return g
}

// Total is how many were added.
func (p *Paths) Total() int { return p.total }

// Worst are the paths with the most entries, at most so many. Where there are more, those that differ in numbers and ids are counted together, but for those
// that have a twentieth of all: that one item of a thousand fails matters as much as that all of them do.
func (p *Paths) Worst(most int) []Path {
	shapes := map[string]*Path{}
	for key, g := range p.shapes {
		if g.Count == 0 {
			continue
		}
		of := *g
		of.Outcomes = maps.Clone(g.Outcomes)
		shapes[key] = &of
	}
	var list []Path
	few := len(shapes) == 0 && p.used() <= most
	for _, key := range slices.Sorted(maps.Keys(p.exact)) { // the last error is the same one every time
		g := p.exact[key]
		if g.Count == 0 {
			continue
		}
		joined := shape(g.Path)
		if few || joined == g.Path || g.Count >= fewAlone && 20*g.Count >= p.total {
			list = append(list, *g)
			continue
		}
		p.key = append(append(append(append(append(p.key[:0], g.Method...), ' '), g.Place...), ' '), joined...)
		if of := shapes[string(p.key)]; of != nil {
			of.join(g, joined)
			continue
		}
		of := *g
		of.Outcomes = maps.Clone(g.Outcomes)
		shapes[string(p.key)] = &of
	}
	for _, g := range shapes {
		list = append(list, *g)
	}
	slices.SortFunc(list, func(a, b Path) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Path, b.Path))
	})
	return list[:min(len(list), most)]
}

// fewAlone is how many entries a path has at least that is told apart from others of its kind, however few there are in all.
const fewAlone = 3

// used is how many paths have entries.
func (p *Paths) used() (n int) {
	for _, g := range p.exact {
		if g.Count > 0 {
			n++
		}
	}
	return n
}

// join counts another path in.
func (p *Path) join(other *Path, path string) {
	p.Path = path
	p.paths += other.paths
	p.Count += other.Count
	for outcome, n := range other.Outcomes {
		p.Outcomes[outcome] += n
	}
	if other.Error != "" {
		p.Error = other.Error
	}
}

// shape is a path without what tells one thing from another of its kind: segments that are numbers or ids are *.
func shape(path string) string {
	if !strings.ContainsAny(path, "0123456789") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		stem, end, dot := strings.Cut(s, ".")
		switch {
		case !isID(stem):
		case dot:
			segments[i] = "*." + end
		default:
			segments[i] = "*"
		}
	}
	return strings.Join(segments, "/")
}

// isID reports whether a segment is a number, a UUID or a hash.
func isID(s string) bool {
	const hash = 16 // as short as one may be: shorter ones are words, as "facade" is
	digits, letters := 0, 0
	for _, c := range []byte(s) {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F':
			letters++
		case c != '-':
			return false
		}
	}
	return digits > 0 && (letters == 0 || digits+letters >= hash)
}
