package job

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// A schema tells the shape of the value that follows it in a message. It makes a message readable by
// itself, whatever came before on the same connection; the receiver compares it with what it would
// write, as bytes, and only if they differ (another build) looks into it. ADR 9 has the why.
//
// It is a tree in pre-order, with references back for a type that came before.
type schema struct {
	kind   byte
	n      int     // elements of an array
	key    *schema // of a map
	elem   *schema // of a slice, array, map or pointer
	fields []wireField
}

type wireField struct {
	name  string
	shape *schema
}

// The kinds of shapes. The letters are on the wire, each with how its value is written. A length is
// a uvarint; one of what may be nil is a more, and 0 for nil.
const (
	wireBool    = 'b' // 1 byte
	wireInt     = 'i' // varint
	wireUint    = 'u' // uvarint
	wireFloat32 = 'f' // 4 bytes, little-endian
	wireFloat64 = 'd' // 8 bytes
	wireComplex = 'c' // 16 bytes
	wireString  = 's' // length, bytes
	wireBytes   = 'y' // length or nil, bytes
	wireHash    = 'h' // array of bytes, not of none; n bytes
	wireSlice   = '[' // length or nil, elements
	wireArray   = 'a' // n elements; 1 byte if there are none
	wireMap     = 'm' // length or nil, keys and elements in turn
	wirePointer = '*' // 0 for nil, or 1 and the element
	wireStruct  = '{' // fields; 1 byte if there are none
	wireBinary  = 'B' // length or 0 for the zero value, what MarshalBinary made
	wireGob     = 'G' // length or 0, what GobEncode made
	wireText    = 'T' // length or 0, what MarshalText made
	wireError   = 'e' // 0 for nil, or 1 and a fault
	wireAny     = 'x' // 0 for nil, or how it goes on, see any.go
	wireBack    = '^' // no shape: the number of one that has parts, in the order they came
)

// kindNames are for people.
var kindNames = map[byte]string{
	wireBool: "a bool", wireInt: "an int", wireUint: "a uint", wireFloat32: "a float32", wireFloat64: "a float64",
	wireComplex: "a complex number", wireString: "a string", wireBytes: "a []byte", wireHash: "an array of bytes",
	wireSlice: "a slice", wireArray: "an array", wireMap: "a map", wirePointer: "a pointer", wireStruct: "a struct",
	wireBinary: "what its MarshalBinary made", wireGob: "what its GobEncode made", wireText: "what its MarshalText made",
	wireError: "an error", wireAny: "an interface",
}

// hasParts reports whether a shape of this kind can be referred back to.
func hasParts(kind byte) bool {
	switch kind {
	case wireSlice, wireArray, wireMap, wirePointer, wireStruct:
		return true
	}
	return false
}

// appendSchema writes s.
func appendSchema(b []byte, s *schema, seen map[*schema]int) []byte {
	if n, ok := seen[s]; ok {
		return binary.AppendUvarint(append(b, wireBack), uint64(n))
	}
	if hasParts(s.kind) {
		seen[s] = len(seen)
	}
	b = append(b, s.kind)
	switch s.kind {
	case wireHash:
		b = binary.AppendUvarint(b, uint64(s.n))
	case wireArray:
		b = appendSchema(binary.AppendUvarint(b, uint64(s.n)), s.elem, seen)
	case wireSlice, wirePointer:
		b = appendSchema(b, s.elem, seen)
	case wireMap:
		b = appendSchema(appendSchema(b, s.key, seen), s.elem, seen)
	case wireStruct:
		b = binary.AppendUvarint(b, uint64(len(s.fields)))
		for _, f := range s.fields {
			b = appendString(b, f.name)
			b = appendSchema(b, f.shape, seen)
		}
	}
	return b
}

func appendString[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// maxSchemaBytes bounds what a stranger's schema can cost.
const maxSchemaBytes = 1 << 20

var errBadSchema = errors.New("the message's schema is damaged")

// parseSchema reads all of b as a schema.
func parseSchema(b []byte) (*schema, error) {
	if len(b) > maxSchemaBytes {
		return nil, fmt.Errorf("the message's schema has %d bytes, more than %d", len(b), maxSchemaBytes)
	}
	p := schemaParser{reader: reader{b: b}}
	s := p.shape(0)
	if p.failed || len(p.b) > 0 {
		return nil, errBadSchema
	}
	return s, nil
}

type schemaParser struct {
	reader
	parts []*schema
}

func (p *schemaParser) shape(depth int) *schema {
	s := &schema{kind: p.byte()}
	if depth > maxDepth || kindNames[s.kind] == "" && s.kind != wireBack {
		p.fail()
	}
	if p.failed {
		return s
	}
	if hasParts(s.kind) {
		p.parts = append(p.parts, s)
	}
	switch s.kind {
	case wireBack:
		n := p.uvarint()
		if n >= uint64(len(p.parts)) {
			p.fail()
			return s
		}
		return p.parts[n]
	case wireHash:
		if s.n = p.count(); s.n == 0 {
			p.fail() // every value takes a byte at least, so that a length can be checked
		}
	case wireArray:
		s.n = p.count()
		s.elem = p.shape(depth + 1)
	case wireSlice, wirePointer:
		s.elem = p.shape(depth + 1)
	case wireMap:
		s.key = p.shape(depth + 1)
		s.elem = p.shape(depth + 1)
	case wireStruct:
		n := p.uvarint()
		for ; n > 0 && !p.failed; n-- {
			name := string(p.bytes())
			s.fields = append(s.fields, wireField{name, p.shape(depth + 1)})
		}
	}
	return s
}

// count is a number that need not be backed by as many bytes.
func (p *schemaParser) count() int {
	n := p.uvarint()
	if n > math.MaxInt32 {
		p.fail()
		return 0
	}
	return int(n)
}

// reader takes bytes apart. After a failure everything is zero.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) fail() { r.b, r.failed = nil, true }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		c := r.b[0]
		r.b = r.b[1:]
		return uint64(c)
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// take is the next n bytes, where they are.
func (r *reader) take(n int) []byte {
	if n > len(r.b) || n < 0 {
		r.fail()
		return nil
	}
	taken := r.b[:n:n]
	r.b = r.b[n:]
	return taken
}

// length is a number of things that take a byte at least.
func (r *reader) length() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) bytes() []byte { return r.take(r.length()) }
