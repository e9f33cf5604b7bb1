package accesslog

import (
	"bytes"
	"regexp"
)

// spacedEnd is what ends a request in a line.
var (
	spacedProto = regexp.MustCompile(`^HTTP/\d(?:\.\d)?$`)
	spacedEnd   = regexp.MustCompile(` HTTP/\d(?:\.\d)?" (?:\d{3}|-|0) `)
)

// cutSpaced reads a request in quotes that nobody escapes inside it: what tells where it ends is that none of its three parts holds a space. Where its end
// seems to be in the line twice, there was perhaps one after all, and the line is Ambiguous. It returns what follows the closing quote.
func cutSpaced(b []byte, f *fields) (rest []byte, why Reason) {
	if len(b) == 0 || b[0] != '"' {
		return nil, RequestUnclosed
	}
	var first, second bool
	f.apart = true
	if rest, ok := bytes.CutPrefix(b, []byte(`"-"`)); ok {
		return rest, 0
	}
	f.method, rest, first = bytes.Cut(b[1:], []byte{' '})
	f.target, rest, second = bytes.Cut(rest, []byte{' '})
	shut := bytes.IndexByte(rest, '"')
	if !first || !second || shut < 0 {
		return nil, unspaced(b)
	}
	f.proto = rest[:shut]
	ends := 0
	if bytes.Contains(rest[shut:], []byte(" HTTP/")) || !bytes.HasPrefix(f.proto, []byte("HTTP/")) {
		ends = len(spacedEnd.FindAllIndex(rest[shut:], 1))
	}
	switch {
	case ends > 0:
		return nil, Ambiguous
	case !isNone(f.proto) && !spacedProto.Match(f.proto):
		return nil, unspaced(b)
	}
	return rest[shut+1:], 0
}

// unspaced is for a request that is not as it should be: it must not be read as anything else, but where it is only cut off.
func unspaced(b []byte) Reason {
	if bytes.IndexByte(b[1:], '"') < 0 {
		return RequestUnclosed
	}
	return Ambiguous
}
