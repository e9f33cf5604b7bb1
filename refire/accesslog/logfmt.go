package accesslog

import (
	"bytes"
	"regexp"
)

// logfmt is the grammar of lines of key=value pairs (Brandur Leach, "logfmt"; the grammar in the documentation of github.com/kr/logfmt), with the keys of a
// jsonGrammar. Written by Heroku's router, lograge, and loggers of Go (go-kit, logrus, slog's TextHandler):
//
//	[prefix] key=value key="va\"lue" ...
//
// It asks for more than that grammar does, for what stands in such a line besides may be what a client wrote: pairs only, single spaces or more between them, and
// quotes nowhere but around a whole value. In quotes the escapes are JSON's (Go's strconv.Quote has the same, and \xHH). The prefix is what Ruby's Logger writes,
// with a tag or several in brackets behind it ("I, [...]  INFO -- : [id] "), or none; a syslog header has its own format (syslog:logfmt).
//
// A line that has a wanted key twice, with two values, is Ambiguous, and so is one that says under several keys what was requested (request, url, path; method,
// verb), or with which status: a logger that quotes nothing lets clients write such pairs. --field says which key counts, and then only that one does. protocol=https is a scheme.
type logfmt struct {
	jsonGrammar
	clash bool // two keys for the same part of the request, or for the status, with two values
}

var rubyPrefix = regexp.MustCompile(`^[DIWEFA], \[\d{4}-\d\d-\d\dT[\d:.]+ #\d+\] +[A-Z]+ -- [^:= "]*: (?:\[[^]"= ]*\] )*`)

func (g *logfmt) read(line []byte, f *fields) Reason {
	g.values = [slots]jsonValue{}
	g.texts, g.clash = g.texts[:0], false
	if !isKeyByte(line[0]) {
		return Misfit
	}
	if bytes.HasPrefix(line[1:], []byte(", [")) {
		line = line[len(rubyPrefix.Find(line)):]
	}
	for line = bytes.TrimRight(line, " "); len(line) > 0; line = bytes.TrimLeft(line, " ") {
		var ok bool
		if line, ok = g.pair(line); !ok {
			return g.broken()
		}
	}
	return g.judge(f)
}

// broken is for a line that does not go on with pairs: its own, if there was one that matters, and not to be read as anything else.
func (g *logfmt) broken() Reason {
	for _, s := range []slot{requestSlot, methodSlot, targetSlot, urlSlot, statusSlot} {
		if g.values[s].rank > 0 {
			return Ambiguous
		}
	}
	return Misfit
}

// pair reads a pair, and returns what follows it.
func (g *logfmt) pair(b []byte) (rest []byte, ok bool) {
	n := 0
	for n < len(b) && isKeyByte(b[n]) {
		n++
	}
	if n == 0 || n == len(b) || b[n] != '=' {
		return nil, false
	}
	name, b := b[:n], b[n+1:]
	var v jsonValue
	if len(b) > 0 && b[0] == '"' {
		if v.text, rest, ok = g.text(b); !ok || len(rest) > 0 && rest[0] != ' ' {
			return nil, false
		}
	} else {
		v.text, rest = b, nil
		if end := bytes.IndexByte(b, ' '); end >= 0 {
			v.text, rest = b[:end], b[end:]
		}
		if bytes.IndexByte(v.text, '"') >= 0 {
			return nil, false
		}
	}
	if key := g.keys.find(name); key != nil && key.slot != unused && len(v.text) > 0 && !isNone(v.text) {
		g.clash = g.clash || g.clashes(key, v.text)
		g.put(key, v)
	}
	return rest, true
}

func (g *logfmt) clashes(key *jsonKeys, text []byte) bool {
	old := &g.values[key.slot]
	if old.rank == 0 || old.rank == key.rank || bytes.Equal(text, old.text) {
		return false
	}
	switch key.slot {
	case requestSlot, methodSlot, targetSlot, urlSlot:
		return true
	case statusSlot: // Heroku has a code=H12 beside it
		_, one := statusOf(text)
		_, other := statusOf(old.text)
		return one && other
	}
	return false
}

// isKeyByte: what keys are made of.
func isKeyByte(c byte) bool {
	return alphanumeric(c) || c == '_' || c == '.' || c == '-' || c == '@' || c == '/'
}

// judge makes fields of the values, if it is sure which count.
func (g *logfmt) judge(f *fields) Reason {
	if proto := &g.values[protoSlot]; g.values[schemeSlot].rank == 0 && scheme(proto.text) != "" {
		g.values[schemeSlot], *proto = *proto, jsonValue{}
	}
	for i := range g.values {
		if g.values[i].twice {
			return Ambiguous
		}
	}
	says := 0
	for _, s := range []slot{requestSlot, targetSlot, urlSlot} {
		if g.values[s].rank > 0 {
			says++
		}
	}
	why := g.fill(f)
	if why == 0 && (says > 1 || g.clash) {
		return Ambiguous
	}
	return why
}
