package accesslog

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// jsonGrammar reads lines that are JSON objects (RFC 8259), by a map from keys to slots. Of several keys for one slot, the first one in the map counts. A line that has a
// wanted key twice, with two values, is Ambiguous: encoding/json takes the last one, others the first, and a logger that escapes nothing lets clients write one. Values that no slot wants are stepped over, whatever they hold.
//
// It is a walk of its own, because of a line only few values are wanted, and because servers write what is not quite JSON: nginx's \x22, bytes
// that are no UTF-8. Where a line is JSON, it agrees with encoding/json (FuzzJSON).
type jsonGrammar struct {
	keys   *jsonKeys
	values [slots]jsonValue
	texts  []byte // scratch: strings without their escapes
}

type jsonValue struct {
	rank  int // which of the slot's keys it is, from 1; 0: none
	text  []byte
	plain bool // not a string
	twice bool // the key is there twice, with two values
}

func (g *jsonGrammar) read(line []byte, f *fields) Reason {
	if why := g.parse(line); why != 0 {
		return why
	}
	return g.fill(f)
}

// parse finds the values that are wanted.
func (g *jsonGrammar) parse(line []byte) Reason {
	g.values = [slots]jsonValue{}
	g.texts = g.texts[:0]
	rest := skipSpace(bytes.TrimPrefix(line, byteOrderMark))
	if len(rest) == 0 || rest[0] != '{' {
		return Misfit
	}
	rest, ok := g.object(rest[1:], g.keys)
	if !ok || len(skipSpace(rest)) > 0 {
		return Misfit
	}
	for i := range g.values {
		if g.values[i].twice {
			return Ambiguous
		}
	}
	return 0
}

func (g *jsonGrammar) fill(f *fields) Reason {
	v := &g.values
	f.undo, f.apart = plain, true
	status := v[statusSlot]
	if status.rank == 0 {
		return NoStatus
	}
	var ok bool
	if f.status, ok = statusOf(status.text); !ok {
		return NoStatus
	}
	switch {
	case v[targetSlot].rank > 0 && v[methodSlot].rank > 0:
		f.method, f.target = v[methodSlot].text, v[targetSlot].text
		if q := v[querySlot].text; !isNone(q) && bytes.IndexByte(f.target, '?') < 0 {
			f.query = bytes.TrimPrefix(q, []byte{'?'})
		}
	case v[urlSlot].rank > 0 && v[methodSlot].rank > 0:
		f.method, f.target, f.composed = v[methodSlot].text, v[urlSlot].text, true
	case v[requestSlot].rank > 0:
		f.apart, f.request = false, v[requestSlot].text
	default:
		return NoRequestField
	}
	f.proto = v[protoSlot].text
	f.host, f.scheme = v[hostSlot].text, v[schemeSlot].text
	if t := v[timeSlot]; t.rank > 0 {
		if f.time = t.text; t.plain || isNumber(t.text) {
			f.layout = sizedLayout
		}
	}
	return 0
}

// isNumber: a number that was written as a string.
func isNumber(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' {
			return false
		}
	}
	return len(b) > 0
}

// byteOrderMark may stand at the beginning of what Windows wrote.
var byteOrderMark = []byte("\ufeff")

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// object reads what follows an opening brace, and its end. It calls itself no deeper than the tree of keys goes.
func (g *jsonGrammar) object(b []byte, keys *jsonKeys) (rest []byte, ok bool) {
	if b = skipSpace(b); len(b) > 0 && b[0] == '}' {
		return b[1:], true
	}
	for {
		var name []byte
		if name, b, ok = g.text(skipSpace(b)); !ok {
			return nil, false
		}
		if b = skipSpace(b); len(b) == 0 || b[0] != ':' {
			return nil, false
		}
		b = skipSpace(b[1:])
		switch key := keys.find(name); {
		case key == nil:
			b, ok = skipValue(b)
		case key.inside != nil && len(b) > 0 && b[0] == '{':
			b, ok = g.object(b[1:], key)
		default:
			b, ok = g.value(b, key)
		}
		if !ok {
			return nil, false
		}
		if b = skipSpace(b); len(b) == 0 {
			return nil, false
		}
		switch b[0] {
		case '}':
			return b[1:], true
		case ',':
			b = b[1:]
		default:
			return nil, false
		}
	}
}

// value reads a value that a slot wants: a string or a number. null, and what is neither, is as if it was not there.
func (g *jsonGrammar) value(b []byte, key *jsonKeys) (rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, false
	}
	var v jsonValue
	switch c := b[0]; {
	case c == '"':
		v.text, rest, ok = g.text(b)
	case c == '-' || '0' <= c && c <= '9':
		rest, ok = skipValue(b)
		v.text, v.plain = b[:len(b)-len(rest)], true
	default:
		return skipValue(b)
	}
	if ok && key.slot != unused {
		g.put(key, v)
	}
	return rest, ok
}

// put keeps the value of a key that is wanted.
func (g *jsonGrammar) put(key *jsonKeys, v jsonValue) {
	v.rank = key.rank
	if old := g.values[key.slot]; old.rank == 0 || v.rank <= old.rank {
		v.twice = v.rank == old.rank && (old.twice || !bytes.Equal(v.text, old.text))
		g.values[key.slot] = v
	}
}

// text reads a string, without its quotes and escapes.
func (g *jsonGrammar) text(b []byte) (text, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	end, plain := stringEnd(b, 1)
	if end < 0 {
		return nil, nil, false
	}
	text, rest = b[1:end], b[end+1:]
	if plain {
		return text, rest, true
	}
	begin := len(g.texts)
	g.texts = appendJSON(g.texts, text)
	return g.texts[begin:len(g.texts):len(g.texts)], rest, true
}

// stringEnd returns the index of the quote that ends the string whose text begins at from, or -1, and whether there is no escape in it. It looks at
// eight bytes at once for either: most strings are too short for calling anything quicker.
func stringEnd(b []byte, from int) (end int, plain bool) {
	i := from
	for ; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		if hits := zeroBytes(v^('"'*eachByte)) | zeroBytes(v^('\\'*eachByte)); hits != 0 {
			i += bits.TrailingZeros64(hits) / 8
			break
		}
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' {
		i++
	}
	switch {
	case i == len(b):
		return -1, false
	case b[i] == '"':
		return i, true
	}
	return findQuote(b, from), false
}

const eachByte = 0x0101010101010101

// zeroBytes returns v with the highest bit of its first byte that is zero, counted from the lowest, and of some after it.
func zeroBytes(v uint64) uint64 { return (v - eachByte) &^ v & (0x80 * eachByte) }

// skipValue steps over a value: objects and arrays by counting their brackets, outside of strings.
func skipValue(b []byte) (rest []byte, ok bool) {
	for depth, i := 0, 0; i < len(b); {
		switch b[i] {
		case '"':
			if i, _ = stringEnd(b, i+1); i < 0 {
				return nil, false
			}
			i++
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			if depth == 0 {
				return nil, false
			}
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return nil, false
			}
			i++
			continue
		default:
			end := i + 1
			for end < len(b) && !endsScalar[b[end]] {
				end++
			}
			if !isScalar(b[i:end]) {
				return nil, false
			}
			i = end
		}
		if depth == 0 {
			return b[i:], true
		}
	}
	return nil, false
}

// endsScalar has the bytes that end a number or a name.
var endsScalar = func() (set [256]bool) {
	for _, c := range []byte(",:{}[]\" \t\r\n") {
		set[c] = true
	}
	return set
}()

// isScalar reports whether b is a number, or a name that stands for a value.
func isScalar(b []byte) bool {
	switch string(b) {
	case "true", "false", "null":
		return true
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) == 0 || b[0] < '0' || b[0] > '9' {
		return false
	}
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != 'e' && c != 'E' && c != '+' && c != '-' {
			return false
		}
	}
	return true
}
