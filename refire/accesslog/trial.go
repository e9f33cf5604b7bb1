package accesslog

import (
	"fmt"
	"slices"
	"strings"
)

// trial finds out which formats the lines of a sample are of.
//
// A line is claimed by every format that can read it. If all of them find the same request, status and time in it, it counts for the first one. If they
// do not, one of the readings may be a client's work (where X-Forwarded-For is the first column, unquoted, a line begins as a client likes): such a line
// says nothing of its log, and is read as what the other lines say that the log is.
type trial struct {
	lists  [][]candidate // without a wrapper, then for each of wrappers
	outer  []unwrapper   // one for each of wrappers
	clock  clock
	claims []claim // of the lines that have some
	lines  int     // looked at, directives left out

	directives bool // there was one before any line of another format
	noW3C      bool // there was such a line, and a directive after it or in it: W3C's stand at the beginning of a log
}

// candidate is a format with its grammar.
type candidate struct {
	format  Format
	grammar grammar
}

// reading is what a candidate has made of a line, or that it is Ambiguous. It is valid until the next one.
type reading struct {
	format Format
	fields fields
	why    Reason
}

// claim is which formats can read a line, in the order in which they are tried.
type claim struct {
	formats []Format
	odd     bool     // they do not find the same in it
	lost    []Format // those of formats to which it is Ambiguous
	wrapped bool
	status  int // of the first
}

func newTrial() *trial {
	t := &trial{lists: make([][]candidate, 1+len(wrappers)), outer: make([]unwrapper, len(wrappers))}
	for i := range t.lists {
		t.lists[i] = candidates()
	}
	for i := range wrappers {
		t.outer[i] = wrappers[i].open()
	}
	return t
}

// candidates are the presets, the family as one of them, the last.
func candidates() (list []candidate) {
	for _, f := range presets {
		if !isFamilyFormat(f) {
			list = append(list, candidate{f, f.d.open()})
		}
	}
	return append(list, candidate{Extended, family{}})
}

// look returns what the formats make of a line, in the order in which they are tried: those with a name, in containers, the family, after a syslog header. A
// Reason other than 0 is for sure.
func (t *trial) look(line []byte) (readings []reading, directive bool, why Reason) {
	c := claim{}
	note := func(r reading) { readings = append(readings, r) }
	named := len(t.lists[0]) - 1
	directive = t.try(t.lists[0][:named], line, nil, nil, note)
	for i := range wrappers {
		w := &wrappers[i]
		if w.name == "syslog" {
			t.try(t.lists[0][named:], line, nil, nil, note)
		}
		inner, when, reason := t.outer[i].unwrap(line)
		if reason == Continued {
			why = Continued
		}
		if inner = trimCR(inner); reason != 0 || len(inner) == 0 {
			continue
		}
		list := t.lists[1+i]
		if w.name == "syslog" { // a line of the family is one after a syslog header, too
			list = list[:named]
		}
		directive = t.try(list, inner, when, w, note) || directive
	}
	switch {
	case why != 0:
		t.lines++
		return nil, false, why
	case directive && len(readings) == 0 && !t.others():
		t.directives = true
		return nil, true, 0
	case directive:
		t.noW3C = true
	}
	t.lines++
	if len(readings) == 0 {
		return nil, false, 0
	}
	for i := range readings {
		c.formats = append(c.formats, readings[i].format)
		c.wrapped = c.wrapped || readings[i].fields.wrapped
		if readings[i].why != 0 {
			c.lost = append(c.lost, readings[i].format)
		}
	}
	c.odd, c.status = !agree(readings, &t.clock), readings[0].fields.status
	t.claims = append(t.claims, c)
	return readings, false, 0
}

// try notes which of a list can read a line, inside w if that is not nil; of JSON, whose keys are the logger's, the first one only. It reports whether the
// line is a directive.
func (t *trial) try(list []candidate, line, when []byte, w *wrapper, note func(reading)) (directive bool) {
	json := false
	for _, c := range list {
		_, isJSON := c.grammar.(*jsonGrammar)
		if isJSON && json || t.noW3C && c.format == W3C {
			continue
		}
		r := reading{format: c.format}
		if r.why = c.grammar.read(line, &r.fields); r.why != 0 && r.why != Ambiguous {
			continue
		}
		if r.fields.directive {
			directive = true
			continue
		}
		json = json || isJSON
		if c.format == Extended && r.why == 0 {
			r.format = r.fields.format()
		}
		if w != nil {
			r.format = w.within(r.format)
			r.fields.written(when)
		}
		note(r)
	}
	return directive
}

// agree reports whether all find the same request, status and time.
func agree(readings []reading, clock *clock) bool {
	for i := range readings {
		if readings[i].why != 0 || i > 0 && !sameReading(&readings[0].fields, &readings[i].fields, clock) {
			return false
		}
	}
	return true
}

func sameReading(a, b *fields, clock *clock) bool {
	x, y := a.entry(clock), b.entry(clock)
	return x.Status == y.Status && x.NoRequest == y.NoRequest && x.Method == y.Method && x.Target == y.Target &&
		(x.Time.IsZero() || y.Time.IsZero() || x.Time.Equal(y.Time))
}

// others reports whether there was a line of another format than W3C's.
func (t *trial) others() bool {
	return slices.ContainsFunc(t.claims, func(c claim) bool {
		return slices.ContainsFunc(c.formats, func(f Format) bool { return !isW3C(f) })
	})
}

func isW3C(f Format) bool { return strings.HasSuffix(f.String(), W3C.String()) }

// group is what formats of one grammar have in common: the family is one, and so it is in each of the wrappers.
func group(f Format) Format {
	if isFamilyFormat(f) {
		return Extended
	}
	for i := range wrappers {
		for _, inside := range familyFormats {
			if f == containers[wrappers[i].name][inside] {
				return wrappers[i].within(Extended)
			}
		}
	}
	return f
}

// has reports whether the format, or one of its group, is among those that can read the line.
func (c *claim) has(f Format) bool {
	f = group(f)
	return slices.ContainsFunc(c.formats, func(g Format) bool { return group(g) == f && !slices.Contains(c.lost, g) })
}

// main returns the format of most lines, one that came first if there are several; of its group, the one of most lines. Auto: none.
func (t *trial) main() Format {
	var order []Format
	groups, seen := map[Format]int{}, map[Format]int{}
	for _, c := range t.claims {
		if f := c.formats[0]; !c.odd {
			if groups[group(f)]++; seen[f] == 0 {
				order = append(order, f)
			}
			seen[f]++
		}
	}
	main := Auto
	for _, f := range order {
		n, most := groups[group(f)], groups[group(main)]
		if main == Auto || n > most || group(f) == group(main) && seen[f] > seen[main] {
			main = f
		}
	}
	return main
}

// matched counts the lines that main can read.
func (t *trial) matched(main Format) (lines, wrapped int) {
	for _, c := range t.claims {
		if main != Auto && c.has(main) {
			lines++
			if c.wrapped {
				wrapped++
			}
		}
	}
	return lines, wrapped
}

// formats returns what to read the log with, the main format first; and in words which lines it has besides. Container formats are among them even if
// the main one can read all their lines: they know which lines are pieces of others. Without a main format, they are all that claim a line.
func (t *trial) formats(main Format) (list []Format, also string) {
	var order []Format
	seen, wanted := map[Format]int{}, map[Format]bool{}
	for _, c := range t.claims {
		for i, f := range c.formats {
			switch {
			case main == Auto:
				wanted[group(f)] = true
			case i > 0 || c.odd || group(f) == group(main):
			case !c.has(main):
				if seen[f]++; seen[f] == 1 {
					order = append(order, f)
				}
				wanted[group(f)] = true
			case isContainer(f):
				wanted[group(f)] = true
			}
		}
	}
	if main != Auto {
		list = append(list, main)
	}
	for _, f := range everything {
		if wanted[f] {
			list = append(list, f)
		}
	}
	var words []string
	for _, f := range order {
		words = append(words, fmt.Sprintf("%v (%d)", f, seen[f]))
	}
	return list, strings.Join(words, ", ")
}

func isContainer(f Format) bool {
	return strings.HasPrefix(f.String(), "docker:") || strings.HasPrefix(f.String(), "cri:")
}

// everything lists all groups that can be seen, in the order in which they are tried.
var everything = func() (list []Format) {
	named := slices.DeleteFunc(slices.Clone(presets), isFamilyFormat)
	list = slices.Clone(named)
	for i := range wrappers {
		if wrappers[i].name == "syslog" {
			list = append(list, Extended)
		}
		for _, f := range named {
			list = append(list, wrappers[i].within(f))
		}
		if wrappers[i].name != "syslog" {
			list = append(list, wrappers[i].within(Extended))
		}
	}
	return list
}()

var familyFormats = []Format{NginxIngress, VHostCombined, Common, Combined, Extended}

func isFamilyFormat(f Format) bool { return slices.Contains(familyFormats, f) }

// sample looks at the lines at the beginning of head, at most MaxDetectLines.
func (t *trial) sample(head []byte) {
	for len(head) > 0 && t.lines < MaxDetectLines {
		line, size, terminated := cutLine(head)
		head = head[size:]
		if len(line) > 0 && (terminated || t.lines == 0) {
			t.look(line)
		}
	}
}

// reader is what to read the log with.
func (t *trial) reader() reader {
	main := t.main()
	formats, _ := t.formats(main)
	switch {
	case len(formats) > 0:
		return reader{formats, main != Auto || len(formats) == 1}
	case t.directives:
		return reader{[]Format{W3C}, true}
	}
	return reader{[]Format{Auto}, true}
}

// pick returns the reading of a line that was looked at: that of the main format of its log, if there is one and it can read it.
func pick(readings []reading, main Format, clock *clock) (*fields, Reason) {
	if main != Auto {
		for i := range readings {
			if r := &readings[i]; group(r.format) == group(main) {
				return &r.fields, r.why
			}
		}
	}
	if !agree(readings, clock) {
		return nil, Ambiguous
	}
	return &readings[0].fields, 0
}

// open returns the grammars of formats, with the states that they have come to in the trial.
func (t *trial) open(r reader) *grammars {
	g := openGrammars(r)
	for i, f := range r.formats {
		if s, ok := g.list[i].(stateful); ok {
			s.restore(t.state(f))
		}
	}
	return g
}

// state returns the state of a format's grammar after the lines that were looked at.
func (t *trial) state(f Format) string {
	for i, list := range t.lists {
		for _, c := range list {
			inside, ok := c.grammar.(stateful)
			switch {
			case i == 0 && c.format == f && ok:
				return inside.state()
			case i > 0 && wrappers[i-1].within(c.format) == group(f):
				return (&wrapped{t.outer[i-1], c.grammar}).state()
			}
		}
	}
	return ""
}
