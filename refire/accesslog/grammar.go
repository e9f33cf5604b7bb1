package accesslog

import (
	"bytes"
	"slices"
	"strings"
)

// A grammar reads the lines of one format. It belongs to one walker at a time, so it may hold scratch space, of which fields may be
// made: they are valid until the next line.
type grammar interface {
	// read takes a line (without its line end, not empty) to pieces. f is zero before, and anything if the Reason is not 0.
	// It never panics, whatever the line is.
	read(line []byte, f *fields) Reason
}

// A stateful grammar reads a line in the light of the lines before it. Its state is a short text, so that a file can be shared out
// to several workers: see fileScan.
type stateful interface {
	grammar
	state() string
	restore(state string)
}

// family is the grammar that the package comment defines; skim is its fast path.
type family struct{}

func (family) read(line []byte, f *fields) (reason Reason) {
	*f, reason = split(line)
	return reason
}

// grammars are what a walker reads with: the main format's first, whose are all lines that it can read; then others, for what that one rejects.
type grammars struct {
	list  []grammar
	sure  bool       // the first one is the main format's; else none is
	skims bool       // skim may pass over lines: the family is the main format, and nobody has to see all lines
	keeps []stateful // those of list
	start []string   // their states at the beginning of a stream

	ahead []attempt // of the others that have to see each line
	clock clock

	trial *trial // of a stream whose first lines are not all at hand at once: what reads them; nil when there were enough
	main  Format // what those at hand say, or Auto
}

// attempt is what one of the others has made of the line.
type attempt struct {
	fields fields
	why    Reason
	made   bool // before the main format was asked
}

func openGrammars(r reader) *grammars {
	g := &grammars{sure: r.sure, skims: r.sure}
	for i, f := range r.formats {
		one := f.definition().open()
		g.list = append(g.list, one)
		g.ahead = append(g.ahead, attempt{made: i > 0 && isContainer(f)})
		g.skims = g.skims && !g.ahead[i].made
		if s, ok := one.(stateful); ok {
			g.keeps = append(g.keeps, s)
			g.start = append(g.start, s.state())
		}
	}
	if len(g.list) > 0 {
		_, first := g.list[0].(family)
		g.skims = g.skims && first
	}
	return g
}

// learnGrammars is for a stream, of whose sample perhaps one line was at hand: as many lines as Detect looks at are read with all formats.
func learnGrammars(d *Detection, r reader) *grammars {
	if d.Lines >= MaxDetectLines {
		return openGrammars(r)
	}
	return &grammars{trial: newTrial(), main: d.Format}
}

// learn reads a line while the formats are not known yet.
func (g *grammars) learn(line []byte, f *fields) Reason {
	t, main := g.trial, g.main
	readings, directive, why := t.look(line)
	if main == Auto {
		main = t.main()
	}
	switch {
	case why != 0:
	case directive:
		*f = fields{directive: true}
	case len(readings) > 0:
		var found *fields
		if found, why = pick(readings, main, &t.clock); why == 0 {
			*f = *found
		}
	default:
		if why = main.definition().open().read(line, &fields{}); why == 0 {
			why = Misfit
		}
	}
	if t.lines >= MaxDetectLines {
		*g = *t.open(t.reader())
	}
	return why
}

// read returns the reason of the main format if none can read the line.
func (g *grammars) read(line []byte, f *fields) (reason Reason) {
	if g.trial != nil {
		return g.learn(line, f)
	}
	for i := range g.ahead {
		if a := &g.ahead[i]; a.made {
			a.fields = fields{}
			if a.why = g.list[i].read(line, &a.fields); a.why == Continued { // that is known for sure, and must not be read as anything else
				return Continued
			}
		}
	}
	others := g.list
	if g.sure {
		*f = fields{}
		if reason = others[0].read(line, f); reason == 0 || reason == Continued || reason == Ambiguous {
			return reason
		}
		others = others[1:]
	}
	if len(others) == 0 {
		return reason
	}
	if why := g.ask(line, f, len(g.list)-len(others)); why == 0 || why == Ambiguous || reason == 0 {
		return why
	}
	return reason
}

// ask reads a line that is not the main format's with the others, from the first of them on. They must agree.
func (g *grammars) ask(line []byte, f *fields, first int) Reason {
	reason, found, json := Reason(0), false, false
	for i := first; i < len(g.list); i++ {
		a := &g.ahead[i]
		_, isJSON := g.list[i].(*jsonGrammar)
		if isJSON && json {
			continue
		}
		if !a.made {
			a.fields = fields{}
			a.why = g.list[i].read(line, &a.fields)
		}
		switch {
		case a.why == Ambiguous, a.why == 0 && found && !sameReading(f, &a.fields, &g.clock):
			return Ambiguous
		case a.why == 0 && !found:
			*f, found = a.fields, true
			json = json || isJSON
		case reason == 0:
			reason = a.why
		}
	}
	if found {
		return 0
	}
	return reason
}

func (g *grammars) states() []string {
	if len(g.keeps) == 0 {
		return nil
	}
	states := make([]string, len(g.keeps))
	for i, s := range g.keeps {
		states[i] = s.state()
	}
	return states
}

func (g *grammars) restore(states []string) {
	for i, s := range g.keeps {
		s.restore(states[i])
	}
}

// after returns the states after the whole lines at the beginning of a stream.
func (g *grammars) after(head []byte) []string {
	g.restore(g.start)
	var f fields
	for {
		line, size, terminated := cutLine(head)
		if !terminated {
			return g.states()
		}
		if len(line) > 0 {
			g.read(line, &f)
		}
		head = head[size:]
	}
}

func sameStates(a, b []string) bool { return slices.Equal(a, b) }

// fields are the parts of a well-formed line, in the line's bytes or in its grammar's.
type fields struct {
	status int

	// The request: one field, or its parts. undo undoes the server's escaping of them; nil: unescape.
	request               []byte // method, target and protocol
	apart                 bool   // method, target, query and proto are set instead
	method, target, proto []byte
	query                 []byte // what stood behind the question mark, where the server logs that alone
	undo                  func([]byte) string

	// composed says that the server made the target up of what it knows: a URL with scheme and host, though the client had sent only what
	// follows them.
	composed bool

	decoded decoded // of the target

	host, scheme []byte // empty: unknown
	date, time   []byte // date: only where they are two fields
	layout       *layout

	directive bool // not a line about a request, but one about the lines after it

	// Of the family alone.
	wrapped bool
	before  []byte // the columns before the time
	after   []byte // what follows the status
}

// parts returns method, target and protocol, still escaped. It reports false if there is nothing to fire.
func (f *fields) parts() (method, target, proto []byte, ok bool) {
	if !f.apart {
		method, target, proto, ok = splitRequest(f.request)
		return method, target, proto, ok && !(f.composed && isNone(method))
	}
	method = trimSpaces(f.method)
	return method, f.target, f.proto, isToken(method) && !isNone(method) && len(f.target) > 0 && !isNone(f.target)
}

// isNone reports whether b is what servers write for a value that they have not.
func isNone(b []byte) bool { return len(b) == 1 && b[0] == '-' }

// entry makes an Entry, whose strings are copies, without what only the scan knows.
func (f *fields) entry(c *clock) Entry {
	e := Entry{Status: f.status, Time: c.read(f), Scheme: scheme(f.scheme)}
	if len(f.host) > 0 && !isNone(f.host) {
		e.Host = f.undone(f.host)
	} else if f.before != nil {
		e.Host = vhost(f.before)
	}
	method, target, proto, ok := f.parts()
	if !ok {
		e.NoRequest = true
		return e
	}
	e.Method, e.Target, e.Proto = f.word(method), f.undone(target), f.word(proto)
	if f.composed {
		e.decompose()
	}
	e.Target = f.decoded.encode(e.Target)
	if len(f.query) > 0 {
		e.Target += "?" + f.undone(f.query)
	}
	return e
}

// decoded says how much of a target the server has logged with its percent-encoding undone, so that what has a meaning in a target must be encoded
// again. The rest, spaces and bytes beyond ASCII, is encoded where the target is sent.
type decoded uint8

const (
	decodedBefore decoded = iota + 1 // before the first question mark
	decodedAll
)

func (d decoded) encode(target string) string {
	path, query, marked := target, "", false
	if d == decodedBefore {
		path, query, marked = strings.Cut(target, "?")
	}
	if d > 0 && strings.ContainsAny(path, "%#?") {
		path = pathEncoder.Replace(path)
	}
	if marked {
		return path + "?" + query
	}
	return path
}

var pathEncoder = strings.NewReplacer("%", "%25", "#", "%23", "?", "%3F")

func (f *fields) undone(b []byte) string {
	if f.undo != nil {
		return f.undo(b)
	}
	return unescape(b)
}

// plain undoes nothing.
func plain(b []byte) string { return string(b) }

// decompose takes apart a target that the server made up: scheme://host/path, or host/path.
func (e *Entry) decompose() {
	rest := e.Target
	if name, after, found := strings.Cut(rest, "://"); found && name != "" && !strings.ContainsAny(name, "/?#") {
		e.Scheme, rest = scheme([]byte(name)), after
	} else if rest[0] == '/' {
		return
	}
	path := strings.IndexAny(rest, "/?#")
	if path < 0 {
		path = len(rest)
	}
	if e.Host, e.Target = rest[:path], rest[path:]; e.Target == "" || e.Target[0] != '/' {
		e.Target = "/" + e.Target
	}
}

// scheme knows two; any other would not be fired over, and is taken as not known.
func scheme(b []byte) string {
	switch {
	case bytes.EqualFold(b, []byte("https")), bytes.EqualFold(b, []byte("h2")), bytes.EqualFold(b, []byte("wss")):
		return "https"
	case bytes.EqualFold(b, []byte("http")), bytes.EqualFold(b, []byte("ws")):
		return "http"
	}
	return ""
}
