package accesslog

import (
	"bytes"
	"strings"
)

// slot says what a field of a format means to refire.
type slot uint8

const (
	unused      slot = iota
	requestSlot      // the request line
	methodSlot
	targetSlot // what stood in the request line: a path and perhaps a query
	urlSlot    // a URL that the server made up of scheme, host and target
	querySlot  // what follows a question mark
	protoSlot
	statusSlot
	timeSlot
	hostSlot
	schemeSlot
	slots
)

// element is a piece of a format: literal text, or a field.
type element struct {
	literal string // not empty: no field

	name   string // as the format writes it, for errors
	slot   slot
	may    *byteSet // which bytes its values may hold
	shape  string   // all values hold as many spaces and marks as this; empty: not known
	layout *layout  // of a time
	goTime string   // the same as package time writes layouts, where it is one
	dashed bool     // a target with a query, "-" instead of none
	port   bool     // a port, to be joined with the host before it

	decoded decoded // a target
}

// holds returns how many times each value of e holds b, if that is known. A quote that is escaped does not count.
func (e *element) holds(b byte) (n int, known bool) {
	switch {
	case !e.may.has(b):
		return 0, true
	case e.shape != "" && !alphanumeric(b) && b != '+' && b != '-': // a time zone has one of these two
		return strings.Count(e.shape, string(b)), true
	}
	return 0, false
}

func alphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) has(b byte) bool { return s[b>>6]&(1<<(b&63)) != 0 }

// bytesOf makes a set of single bytes and ranges ("a-z"; a "-" that is meant comes last).
func bytesOf(spec string) *byteSet {
	var s byteSet
	for i := 0; i < len(spec); i++ {
		last := spec[i]
		if i+2 < len(spec) && spec[i+1] == '-' {
			last = spec[i+2]
		}
		for b := int(spec[i]); b <= int(last); b++ {
			s[b>>6] |= 1 << (b & 63)
		}
		if last != spec[i] || i+2 < len(spec) && spec[i+1] == '-' {
			i += 2
		}
	}
	return &s
}

// What values are made of. Where the format does not say otherwise, a field is text: a client may have written it.
var (
	anyBytes     = bytesOf("\x00-\xff")
	escapedText  = bytesOf("\x20-!#-\x7e")     // Apache, nginx's default: quotes and controls are escaped
	jsonText     = bytesOf("\x20-!#-\xff")     // nginx's escape=json
	numberBytes  = bytesOf("0-9.+%-")          // "-" for none
	addressBytes = bytesOf("0-9A-Za-z.:_/%+-") // an address, a name of the server's own
	tokenBytes   = bytesOf("!#$%&'*+.^_`|~0-9A-Za-z-")
	protoBytes   = bytesOf("0-9A-Za-z./_-")
	listBytes    = bytesOf("0-9A-Za-z.:,/_ -") // nginx's $upstream_...
	timeBytes    = bytesOf("0-9A-Za-z:/.,+ -")
)

// pattern is the grammar of a format string: a program of steps, worked out once. Every step is linear, and the fields that refire needs are found
// whatever a client wrote into the others: see compile.
type pattern struct {
	lead  string // the literal at the beginning
	steps []step
	undo  func([]byte) string
	quote func(line []byte, from int) int // finds a quote that is not escaped
	apart bool
	need  int // after so many steps, a line that does not go on as it should is taken as cut off
}

// step finds one field, or several, of which at most one holds what stands between the others.
type step struct {
	mark  byte // the byte that ends the step, if it has an end
	skip  int  // as many of them are in the value
	after string
	at    int  // where in after the mark is
	eol   bool // the step ends at the end of the line, with after

	free  *element // what is left when right has been taken away
	right []fromRight

	// host is at the beginning of what cannot be told apart, and taken to end where it seems to: it is the client's choice anyway.
	host    *element
	hostEnd string
}

// fromRight finds a field before the end of a step: it follows the last mark but skip, of which before is made.
type fromRight struct {
	field  *element // nil: nothing is known of what is before it
	mark   byte
	skip   int
	before string
	at     int // where in before the mark is, its last
}

func (p *pattern) read(line []byte, f *fields) Reason {
	if len(line) < len(p.lead) || string(line[:len(p.lead)]) != p.lead {
		return Misfit
	}
	f.undo, f.apart = p.undo, p.apart
	pos := len(p.lead)
	for i := range p.steps {
		next, reason := p.steps[i].read(p, line, pos, f)
		if reason != 0 {
			if i >= p.need {
				break
			}
			return reason
		}
		pos = next
	}
	return 0
}

// read finds the step's fields in line[pos:] and returns where the next step begins.
func (s *step) read(p *pattern, line []byte, pos int, f *fields) (int, Reason) {
	end := len(line) - len(s.after)
	if !s.eol {
		end = s.find(p, line, pos)
	}
	if end < pos || end+len(s.after) > len(line) || string(line[end:end+len(s.after)]) != s.after {
		return 0, Misfit
	}
	next := end + len(s.after)
	for i := range s.right {
		r := &s.right[i]
		start := r.find(p, line, pos, end)
		if start < 0 {
			return 0, Misfit
		}
		if reason := r.field.store(line[start:end], f); reason != 0 {
			return 0, reason
		}
		end = start - len(r.before)
	}
	if s.host != nil {
		if host, _, found := bytes.Cut(line[pos:end], []byte(s.hostEnd)); found {
			f.host = host
		}
	}
	if s.free == nil {
		return next, 0
	}
	return next, s.free.store(line[pos:end], f)
}

// find returns where the step ends, or -1.
func (s *step) find(p *pattern, line []byte, pos int) int {
	for skip := s.skip; ; skip-- {
		i := -1
		if s.mark == '"' {
			i = p.quote(line, pos)
		} else if i = bytes.IndexByte(line[pos:], s.mark); i >= 0 {
			i += pos
		}
		if i < 0 {
			return -1
		}
		if skip == 0 {
			return i - s.at
		}
		pos = i + 1
	}
}

// find returns where the field begins, or -1.
func (r *fromRight) find(p *pattern, line []byte, from, end int) int {
	for skip, to := r.skip, end; ; skip-- {
		i := bytes.LastIndexByte(line[from:to], r.mark)
		for r.mark == '"' && i > 0 && p.escaped(line[from:], i) {
			i = bytes.LastIndexByte(line[from:from+i], r.mark)
		}
		if i < 0 {
			return -1
		}
		i += from
		if skip > 0 {
			to = i
			continue
		}
		begin := i - r.at
		if begin < from || begin+len(r.before) > end || string(line[begin:begin+len(r.before)]) != r.before {
			return -1
		}
		return begin + len(r.before)
	}
}

// escaped reports whether the quote at b[i] is.
func (p *pattern) escaped(b []byte, i int) bool {
	slash := i
	for slash > 0 && b[slash-1] == '\\' {
		slash--
	}
	return (i-slash)%2 == 1
}

// store puts a value where it belongs.
func (e *element) store(value []byte, f *fields) Reason {
	switch e.slot {
	case requestSlot:
		f.request = value
	case methodSlot:
		f.method = value
	case targetSlot:
		f.target, f.decoded = e.undashed(value), e.decoded
	case urlSlot:
		f.target, f.decoded, f.composed = e.undashed(value), e.decoded, true
	case querySlot:
		if query, marked := bytes.CutPrefix(value, []byte{'?'}); marked || !isNone(value) {
			f.query = query
		}
	case protoSlot:
		f.proto = value
	case statusSlot:
		var ok bool
		if f.status, ok = statusOf(value); !ok {
			return NoStatus
		}
	case timeSlot:
		f.time, f.layout = value, e.layout
	case hostSlot:
		f.host = value
	case schemeSlot:
		f.scheme = value
	}
	return 0
}

// undashed takes away what nginx writes for a query that is not there: after "?", or, with $is_args, after the path.
func (e *element) undashed(target []byte) []byte {
	if e.dashed && bytes.HasSuffix(target, []byte{'-'}) {
		switch i := bytes.IndexByte(target, '?'); i {
		case -1:
			return target[:len(target)-1]
		case len(target) - len("?-"):
			return target[:i]
		}
	}
	return target
}

// statusOf reads a status that is a field: three digits, or what servers write if there was none.
func statusOf(b []byte) (status int, ok bool) {
	switch {
	case len(b) == 3:
		n := number(b[0], b[1], b[2])
		return int(n), n < statuses
	case string(b) == "-", string(b) == "0", string(b) == "-1":
		return 0, true
	}
	return 0, false
}
