package accesslog

import (
	"errors"
	"fmt"
	"strings"
)

// compile makes a pattern of a format's elements.
//
// A field ends where its value can be told from the text after it. That is so if this text has a byte which the value never holds (servers escape
// quotes and controls; a number holds no spaces) or holds a known number of times (a time). Of other fields, which clients may fill as they like
// (an unquoted user name), nothing is believed: the line is searched for the next text that none of the fields up to it can hold, and from there
// the fields are read backwards. So one such field between two such texts does no harm; if there are two, what stands between them cannot
// be known, and a format whose request or status stands there is refused.
func compile(elements []element, undo func([]byte) string, quote func([]byte, int) int) (*pattern, error) {
	elements, err := tidy(elements)
	if err != nil {
		return nil, err
	}
	if err := choose(elements); err != nil {
		return nil, err
	}
	p := &pattern{undo: undo, quote: quote, apart: true}
	if elements[0].literal != "" {
		p.lead, elements = elements[0].literal, elements[1:]
	}
	fields, texts := pairs(elements)
	needed := 0
	for i := range fields {
		switch fields[i].slot {
		case requestSlot:
			p.apart = false
			needed = i
		case methodSlot, targetSlot, urlSlot, statusSlot:
			needed = i
		}
	}
	for i := 0; i < len(fields); {
		s, last, err := makeStep(fields, texts, i)
		if err != nil {
			return nil, err
		}
		p.steps = append(p.steps, s)
		if i <= needed {
			p.need = len(p.steps)
		}
		i = last + 1
	}
	for len(p.steps) > p.need && !p.steps[len(p.steps)-1].tells() {
		p.steps = p.steps[:len(p.steps)-1]
	}
	return p, nil
}

// tells reports whether the step finds anything of use.
func (s *step) tells() bool {
	if s.free != nil && s.free.slot != unused || s.host != nil {
		return true
	}
	for i := range s.right {
		if s.right[i].field.slot != unused {
			return true
		}
	}
	return false
}

// pairs returns the fields, and the text after each.
func pairs(elements []element) (fields []*element, texts []string) {
	for i := range elements {
		if elements[i].literal == "" {
			fields, texts = append(fields, &elements[i]), append(texts, "")
		} else {
			texts[len(texts)-1] = elements[i].literal
		}
	}
	return fields, texts
}

// makeStep makes the step that begins with field i, and returns the last field that it finds.
func makeStep(fields []*element, texts []string, i int) (step, int, error) {
	if mark, at, skip, ok := ends(fields[i], texts[i]); ok {
		return step{mark: mark, at: at, skip: skip, after: texts[i], free: fields[i]}, i, nil
	}
	s := step{eol: true, after: texts[len(texts)-1]}
	last := len(fields) - 1
	for j := i; j < len(fields); j++ {
		if mark, at, ok := anchor(fields[i:j+1], texts[i:j+1]); ok {
			s = step{mark: mark, at: at, after: texts[j]}
			last = j
			break
		}
	}
	for k := last; k > i; k-- {
		mark, at, skip, ok := begins(fields[k], texts[k-1])
		if !ok {
			if fields[i].slot == hostSlot {
				s.host, s.hostEnd = fields[i], texts[i]
			}
			return s, last, s.give(fields[i : k+1])
		}
		s.right = append(s.right, fromRight{field: fields[k], mark: mark, at: at, skip: skip, before: texts[k-1]})
	}
	s.free = fields[i]
	return s, last, nil
}

// give gives up the fields whose place cannot be known.
func (s *step) give(lost []*element) error {
	for _, e := range lost {
		switch e.slot {
		case requestSlot, methodSlot, targetSlot, urlSlot, statusSlot:
			return fmt.Errorf("%s cannot be told from what stands beside it: %s and %s may hold anything that a client sends, the text between them included; log them in quotes",
				e.name, lost[0].name, lost[len(lost)-1].name)
		}
	}
	return nil
}

// ends finds a byte of text, which follows e, that says where e ends.
func ends(e *element, text string) (mark byte, at, skip int, ok bool) {
	for at := range len(text) {
		if n, known := e.holds(text[at]); known && strings.IndexByte(text, text[at]) == at {
			return text[at], at, n, true
		}
	}
	return 0, 0, 0, false
}

// begins finds a byte of text, which precedes e, that says where e begins.
func begins(e *element, text string) (mark byte, at, skip int, ok bool) {
	for at := len(text) - 1; at >= 0; at-- {
		if n, known := e.holds(text[at]); known && strings.LastIndexByte(text, text[at]) == at {
			return text[at], at, n, true
		}
	}
	return 0, 0, 0, false
}

// anchor finds a byte of the last text that nothing before it holds.
func anchor(fields []*element, texts []string) (mark byte, at int, ok bool) {
	text := texts[len(texts)-1]
search:
	for at := range len(text) {
		b := text[at]
		for i, e := range fields {
			if n, known := e.holds(b); !known || n > 0 || i < len(texts)-1 && strings.IndexByte(texts[i], b) >= 0 {
				continue search
			}
		}
		if strings.IndexByte(text, b) == at {
			return b, at, true
		}
	}
	return 0, 0, false
}

// tidy joins what belongs together: literals; the pieces of a URL, of a host with its port, of a time.
func tidy(elements []element) ([]element, error) {
	elements = join(elements, timePiece, joinTime)
	elements = join(elements, urlPiece, joinURL)
	var out []element
	for _, e := range elements {
		switch last := len(out) - 1; {
		case last >= 0 && e.literal != "" && out[last].literal != "":
			out[last].literal += e.literal
		case last >= 0 && e.literal == "" && out[last].literal == "":
			if e.slot != unused || out[last].slot != unused {
				return nil, fmt.Errorf("nothing stands between %s and %s, so that nobody can tell where one ends", out[last].name, e.name)
			}
			out[last] = element{name: out[last].name + e.name, may: union(e.may, out[last].may)}
		default:
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("it is empty")
	}
	return out, nil
}

// join replaces each stretch that begins and ends with a piece, and holds nothing but pieces and the text between them, by what make
// makes of it, if that is anything.
func join(elements []element, piece func(e *element, inside bool) bool, unite func([]element) (element, bool)) []element {
	var out []element
	for i := 0; i < len(elements); {
		end := i
		for k := i; k < len(elements) && piece(&elements[k], k > i); k++ {
			if elements[k].literal == "" {
				end = k + 1
			}
		}
		for ; end > i+1; end-- {
			if elements[end-1].literal != "" {
				continue
			}
			if one, ok := unite(elements[i:end]); ok {
				out = append(out, one)
				break
			}
		}
		if end <= i+1 {
			out = append(out, elements[i])
			end = i + 1
		}
		i = end
	}
	return out
}

// timePiece: what lies between times is short.
func timePiece(e *element, inside bool) bool {
	if e.literal != "" {
		return inside && len(e.literal) <= 2 && !strings.ContainsAny(e.literal, `"[]{}`)
	}
	return e.slot == timeSlot && e.goTime != ""
}

func joinTime(list []element) (element, bool) {
	one := element{slot: timeSlot, may: timeBytes}
	for _, e := range list {
		one.name += e.name + e.literal
		one.goTime += e.goTime + e.literal
		one.shape += e.shape + e.literal
	}
	one.layout = layouts(one.goTime)
	return one, true
}

// urlPiece: the text in a URL is one of a few.
func urlPiece(e *element, inside bool) bool {
	switch e.literal {
	case "":
		return e.slot == schemeSlot || e.slot == hostSlot || e.slot == targetSlot || e.slot == querySlot || e.slot == unused && e.port
	case "://", ":", "?":
		return inside
	}
	return false
}

// joinURL makes one field of $scheme://$host:$port$uri?$args, of its end, or of host and port.
func joinURL(list []element) (element, bool) {
	one := element{may: &byteSet{}}
	kinds := ""
	for _, e := range list {
		switch {
		case e.literal != "":
			kinds += e.literal
			one.may = union(one.may, bytesOf(":/?"))
			one.name += e.literal
			continue
		case e.slot == schemeSlot:
			kinds += "S"
		case e.slot == hostSlot:
			kinds += "H"
		case e.slot == targetSlot:
			kinds += "T"
		case e.slot == querySlot:
			kinds += "Q"
		default:
			kinds += "P"
		}
		one.may = union(one.may, e.may)
		one.name += e.name
		one.dashed = one.dashed || e.dashed
		one.decoded = max(one.decoded, e.decoded)
	}
	if one.decoded > 0 && strings.HasSuffix(kinds, "Q") {
		one.decoded = decodedBefore
	}
	target := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(kinds, "S://"), "H"), ":P")
	switch {
	case kinds == "H:P":
		one.slot = hostSlot
	case kinds == "TQ", kinds == "T?Q":
		one.slot = targetSlot
	case strings.HasPrefix(kinds, "S://H") && (target == "T" || target == "TQ" || target == "T?Q"):
		one.slot = urlSlot
	case strings.HasPrefix(kinds, "H") && (target == "T" || target == "TQ" || target == "T?Q"):
		one.slot = urlSlot
	default:
		return one, false
	}
	return one, true
}

func union(a, b *byteSet) *byteSet {
	var u byteSet
	for i := range u {
		u[i] = a[i] | b[i]
	}
	return &u
}

// choose leaves one field to each slot, and says what is missing.
func choose(elements []element) error {
	var has [slots]bool
	for i := range elements {
		e := &elements[i]
		if e.slot == unused {
			continue
		}
		if has[e.slot] {
			e.slot = unused
			continue
		}
		has[e.slot] = true
	}
	if has[requestSlot] {
		for i := range elements {
			switch elements[i].slot {
			case methodSlot, targetSlot, urlSlot, querySlot, protoSlot:
				elements[i].slot = unused
			}
		}
	}
	switch {
	case !has[statusSlot]:
		return errors.New("it has no status: nginx's $status, Apache's %>s")
	case has[requestSlot]:
	case !has[methodSlot] && !has[targetSlot] && !has[urlSlot]:
		return errors.New(`it has no request: nginx's "$request", or $request_method and $request_uri; Apache's "%r", or %m and %U%q`)
	case !has[methodSlot]:
		return errors.New("it has no method: nginx's $request_method, Apache's %m")
	case !has[targetSlot] && !has[urlSlot]:
		return errors.New("it has no target: nginx's $request_uri, Apache's %U%q")
	}
	return nil
}
