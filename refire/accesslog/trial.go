package accesslog

import (
	"fmt"
	"slices"
	"strings"
)

// trial finds out which formats the lines of a sample are of.
type trial struct {
	named  []candidate // the presets but the family
	outer  []unwrapper // one for each of wrappers
	inside [][]candidate
	fields fields

	order      []Format // those seen, in the order of their first lines
	seen       map[Format]int
	directives bool
}

// candidate is a format with its grammar.
type candidate struct {
	format  Format
	grammar grammar
}

func newTrial() *trial {
	t := &trial{seen: map[Format]int{}, named: candidates(), outer: make([]unwrapper, len(wrappers)), inside: make([][]candidate, len(wrappers))}
	for i := range wrappers {
		t.outer[i] = wrappers[i].open()
	}
	return t
}

func candidates() (list []candidate) {
	for _, f := range presets {
		g := f.d.open()
		if _, of := g.(family); !of {
			list = append(list, candidate{f, g})
		}
	}
	return list
}

// read returns the format of a line.
func (t *trial) read(line []byte) (Format, bool) {
	if f, ok := t.try(t.named, line); ok {
		return f, true
	}
	for i := range wrappers {
		w := &wrappers[i]
		inner, _, why := t.outer[i].unwrap(line)
		if why == Continued {
			return Auto, false
		}
		if w.name == "syslog" { // the last
			if f, ok := t.family(line); ok {
				return f, true
			}
		}
		if inner = trimCR(inner); why != 0 || len(inner) == 0 {
			continue
		}
		if t.inside[i] == nil {
			t.inside[i] = candidates()
		}
		f, ok := t.try(t.inside[i], inner)
		if !ok && w.name != "syslog" {
			f, ok = t.family(inner)
		}
		if ok {
			return w.within(f), true
		}
	}
	return Auto, false
}

func (t *trial) try(list []candidate, line []byte) (Format, bool) {
	for _, c := range list {
		t.fields = fields{}
		if c.grammar.read(line, &t.fields) == 0 {
			t.directives = t.directives || t.fields.directive
			return c.format, true
		}
	}
	t.fields = fields{}
	return Auto, false
}

func (t *trial) family(line []byte) (Format, bool) {
	var reason Reason
	t.fields, reason = split(line)
	if reason != 0 {
		t.fields = fields{}
		return Auto, false
	}
	return t.fields.format(), true
}

// count counts a line.
func (t *trial) count(f Format) {
	if t.seen[f] == 0 {
		t.order = append(t.order, f)
	}
	t.seen[f]++
}

// main returns the format of most lines, and how many; of the family's, the one with most of its lines.
func (t *trial) main() (main Format, lines int) {
	for _, f := range t.order {
		if n := t.lines(f); n > lines || n == lines && isFamilyFormat(f) && isFamilyFormat(main) && t.seen[f] > t.seen[main] {
			main, lines = f, n
		}
	}
	return main, lines
}

// lines counts the family as one.
func (t *trial) lines(f Format) (n int) {
	if !isFamilyFormat(f) {
		return t.seen[f]
	}
	for _, f := range familyFormats {
		n += t.seen[f]
	}
	return n
}

func isFamilyFormat(f Format) bool { return slices.Contains(familyFormats, f) }

// formats returns what was seen in the order in which a scan shall try it. The formats of the family are one.
func (t *trial) formats(main Format) []Format {
	var first, rest []Format
	for _, f := range everything() {
		switch {
		case t.seen[f] == 0 || f == main:
		case isContainer(f) && !isContainer(main):
			first = append(first, f)
		case !isFamilyFormat(f) || !isFamilyFormat(main):
			rest = append(rest, f)
		}
	}
	return append(append(first, main), rest...)
}

func isContainer(f Format) bool {
	return strings.HasPrefix(f.String(), "docker:") || strings.HasPrefix(f.String(), "cri:")
}

// everything lists all formats that can be seen, in the order in which Detect tries them.
func everything() (list []Format) {
	for _, f := range presets {
		if _, of := f.d.open().(family); !of {
			list = append(list, f)
		}
	}
	for i := range wrappers {
		if wrappers[i].name == "syslog" {
			list = append(list, familyFormats...)
		}
		for _, f := range presets {
			list = append(list, wrappers[i].within(f))
		}
	}
	return list
}

var familyFormats = []Format{Traefik, NginxIngress, VHostCombined, Common, Combined, Extended}

// others says in words what was seen beside the main format.
func (t *trial) others(main Format) string {
	var words []string
	for _, f := range t.order {
		if f != main && !(isFamilyFormat(f) && isFamilyFormat(main)) {
			words = append(words, fmt.Sprintf("%v (%d)", f, t.seen[f]))
		}
	}
	return strings.Join(words, ", ")
}
