package job

import (
	"encoding"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// decoder reads one value. After a failure it reads zeros, so that only loops need to look.
type decoder struct {
	reader
	total int // bytes of the message
	depth int
	err   error  // what failed, if it was more than damage
	path  string // of what failed, from inside out
}

// decodeFunc reads into v, which is zero and can be set.
type decodeFunc func(d *decoder, v reflect.Value)

var errDamaged = errors.New("the message is damaged")

// decodeMessage reads a message's value into v, which is zero and can be set. Big bytes are not
// copied. A panic of a type's own method is an error.
func decodeMessage(p *plan, m message, v reflect.Value) (err error) {
	switch {
	case p.err != nil:
		return p.err
	case p.raw == kindBytes && m.kind == kindNil:
		return nil
	case p.raw == kindBytes && m.kind == kindBytes:
		v.SetBytes(m.body[:len(m.body):len(m.body)])
		return nil
	case p.raw == kindString && m.kind == kindString:
		v.SetString(string(m.body))
		return nil
	case p.raw != 0 || m.kind != kindTyped:
		return fmt.Errorf("it was %s there and is a %s here: build both sides with the same types", messageKind(m), v.Type())
	}
	d := &decoder{reader: reader{b: m.body}, total: len(m.body)}
	defer func() {
		if r := recover(); r != nil {
			err = panicked(r)
		}
	}()
	decode, err := p.decoderFor(d.bytes(), v.Type())
	switch {
	case d.failed:
		return errDamaged
	case err != nil:
		return err
	}
	decode(d, v)
	return d.result(v.Type())
}

// result is the error of a decoder that should have read all.
func (d *decoder) result(t reflect.Type) error {
	switch {
	case d.err != nil:
		return fmt.Errorf("%s%s: %w", t, shortened(d.path), d.err)
	case d.failed && d.path != "":
		return fmt.Errorf("%s%s: %w", t, shortened(d.path), errDamaged)
	case d.failed || len(d.b) > 0:
		return errDamaged
	}
	return nil
}

// messageKind is for people.
func messageKind(m message) string {
	switch m.kind {
	case kindBytes, kindNil:
		return kindNames[wireBytes]
	case kindString:
		return kindNames[wireString]
	}
	r := reader{b: m.body}
	if s, err := parseSchema(r.bytes()); err == nil {
		return kindNames[s.kind]
	}
	return "something else"
}

func (d *decoder) failWith(err error) {
	if !d.failed {
		d.err = err
	}
	d.fail()
}

func (d *decoder) in(what string) { d.path = what + d.path }

func (d *decoder) enter() bool {
	if d.depth++; d.depth > maxDepth {
		d.failWith(fmt.Errorf("nested deeper than %d", maxDepth))
	}
	return !d.failed
}

func (d *decoder) leave() { d.depth-- }

// nilOrLen reads the length of what may be nil. It reports false for nil, and if the rest is too
// short for so many.
func (d *decoder) nilOrLen() (int, bool) {
	n := d.uvarint()
	if n > uint64(len(d.b))+1 {
		d.fail()
	}
	return int(n) - 1, n > 0 && !d.failed
}

// decoderMaker makes the functions that read the values of a schema into a type.
type decoderMaker struct {
	made map[decoderKey]*decodeFunc // of what can contain itself
	err  error
}

type decoderKey struct {
	s *schema
	t reflect.Type
}

func makeDecoder(s *schema, t reflect.Type) (decodeFunc, error) {
	m := decoderMaker{made: make(map[decoderKey]*decodeFunc)}
	f := m.make(s, t, t.String())
	return f, m.err
}

func (m *decoderMaker) fail(format string, args ...any) decodeFunc {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
	return nil
}

// kindHere is the kind of shape that t has.
func kindHere(t reflect.Type) byte {
	if kind := marshalled(t); kind != 0 {
		return kind
	}
	kind := wireKind(t)
	if (kind == wireSlice || kind == wireArray) && t.Elem().Kind() == reflect.Uint8 && marshalled(t.Elem()) == 0 {
		if kind == wireSlice {
			return wireBytes
		}
		if t.Len() > 0 {
			return wireHash
		}
	}
	return kind
}

// make makes the function for values of the shape s that are read into a t, at path.
func (m *decoderMaker) make(s *schema, t reflect.Type, path string) decodeFunc {
	if m.err != nil {
		return nil
	}
	here := kindHere(t)
	if s.kind == wireText && marshalsAsText(t) {
		here = wireText
	}
	if here != s.kind || (here == wireArray || here == wireHash) && t.Len() != s.n {
		return m.fail("%s is a %s here and was %s there: build both sides with the same types", path, t, kindNames[s.kind])
	}
	if !hasParts(s.kind) {
		return decodeSimple(s)
	}
	key := decoderKey{s, t}
	if p := m.made[key]; p != nil {
		if *p != nil {
			return *p
		}
		return func(d *decoder, v reflect.Value) { (*p)(d, v) }
	}
	p := new(decodeFunc)
	m.made[key] = p
	switch s.kind {
	case wirePointer:
		*p = decodePointer(t.Elem(), m.make(s.elem, t.Elem(), path))
	case wireSlice:
		*p = decodeSlice(t, m.make(s.elem, t.Elem(), path+"[]"))
	case wireArray:
		*p = decodeArray(m.make(s.elem, t.Elem(), path+"[]"))
	case wireMap:
		*p = decodeMap(t, m.make(s.key, t.Key(), path+"[key]"), m.make(s.elem, t.Elem(), path+"[]"))
	case wireStruct:
		*p = m.makeStruct(s, t, path)
	}
	return *p
}

func decodeSimple(s *schema) decodeFunc {
	switch s.kind {
	case wireBool:
		return func(d *decoder, v reflect.Value) {
			c := d.byte()
			if c > 1 {
				d.fail()
			}
			v.SetBool(c == 1)
		}
	case wireInt:
		return func(d *decoder, v reflect.Value) {
			n := unzigzag(d.uvarint())
			if v.OverflowInt(n) {
				d.failWith(fmt.Errorf("%d does not fit into a %s", n, v.Type()))
				return
			}
			v.SetInt(n)
		}
	case wireUint:
		return func(d *decoder, v reflect.Value) {
			n := d.uvarint()
			if v.OverflowUint(n) {
				d.failWith(fmt.Errorf("%d does not fit into a %s", n, v.Type()))
				return
			}
			v.SetUint(n)
		}
	case wireFloat32:
		return func(d *decoder, v reflect.Value) {
			if b := d.take(4); b != nil {
				v.SetFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
			}
		}
	case wireFloat64:
		return func(d *decoder, v reflect.Value) { v.SetFloat(d.float64()) }
	case wireComplex:
		return func(d *decoder, v reflect.Value) {
			re := d.float64()
			v.SetComplex(complex(re, d.float64()))
		}
	case wireString:
		return func(d *decoder, v reflect.Value) { v.SetString(string(d.bytes())) }
	case wireBytes:
		return decodeBytes
	case wireHash:
		return func(d *decoder, v reflect.Value) { copy(v.Bytes(), d.take(v.Len())) }
	case wireError:
		return decodeErrorValue
	case wireAny:
		return decodeAny
	}
	return decodeMarshalled(s.kind)
}

func (d *decoder) float64() float64 {
	b := d.take(8)
	if b == nil {
		return 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// decodeBytes takes bytes that are most of the message as they are, and copies others: a few bytes
// must not keep a big message.
func decodeBytes(d *decoder, v reflect.Value) {
	n, ok := d.nilOrLen()
	if !ok {
		return
	}
	b := d.take(n)
	if d.failed {
		return
	}
	if n < d.total/2 {
		b = append(make([]byte, 0, n), b...)
	}
	v.SetBytes(b)
}

func decodeMarshalled(kind byte) decodeFunc {
	return func(d *decoder, v reflect.Value) {
		n, ok := d.nilOrLen()
		if !ok {
			return
		}
		b := d.take(n)
		if d.failed {
			return
		}
		var err error
		switch x := v.Addr().Interface(); kind {
		case wireBinary:
			err = x.(encoding.BinaryUnmarshaler).UnmarshalBinary(b)
		case wireGob:
			err = x.(gob.GobDecoder).GobDecode(b)
		case wireText:
			err = x.(encoding.TextUnmarshaler).UnmarshalText(b)
		}
		if err != nil {
			d.failWith(err)
		}
	}
}

func decodePointer(elem reflect.Type, decode decodeFunc) decodeFunc {
	return func(d *decoder, v reflect.Value) {
		switch d.byte() {
		case 0:
			return
		case 1:
		default:
			d.fail()
			return
		}
		if d.enter() {
			p := reflect.New(elem)
			decode(d, p.Elem())
			v.Set(p)
		}
		d.leave()
	}
}

// maxAhead is how many bytes of memory are taken for elements before they are seen: a damaged length
// must not cost more than the message it is in.
const maxAhead = 64 << 10

func decodeSlice(t reflect.Type, decode decodeFunc) decodeFunc {
	if f := decodeNumbers(t); f != nil {
		return f
	}
	ahead := maxAhead / (1 + int(t.Elem().Size()))
	return func(d *decoder, v reflect.Value) {
		n, ok := d.nilOrLen()
		if !ok {
			return
		}
		if d.enter() {
			v.Set(reflect.MakeSlice(t, 0, min(n, 1+ahead)))
			for i := 0; i < n && !d.failed; i++ {
				if i == v.Cap() {
					v.Grow(min(n-i, i))
				}
				v.SetLen(i + 1)
				d.element(v, i, decode)
			}
		}
		d.leave()
	}
}

func (d *decoder) element(v reflect.Value, i int, decode decodeFunc) {
	if decode(d, v.Index(i)); d.failed {
		d.in("[" + strconv.Itoa(i) + "]")
	}
}

func decodeArray(decode decodeFunc) decodeFunc {
	return func(d *decoder, v reflect.Value) {
		if v.Len() == 0 && d.byte() != 0 {
			d.fail()
		}
		for i := 0; i < v.Len() && !d.failed; i++ {
			d.element(v, i, decode)
		}
	}
}

func decodeMap(t reflect.Type, key, elem decodeFunc) decodeFunc {
	ahead := maxAhead / (1 + int(t.Key().Size()+t.Elem().Size()))
	return func(d *decoder, v reflect.Value) {
		n, ok := d.nilOrLen()
		if !ok {
			return
		}
		if d.enter() {
			v.Set(reflect.MakeMapWithSize(t, min(n, ahead)))
			k, x := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			for ; n > 0 && !d.failed; n-- {
				k.SetZero()
				x.SetZero()
				key(d, k)
				elem(d, x)
				if d.failed {
					d.in(fmt.Sprintf("[%.100v]", k))
					break
				}
				v.SetMapIndex(k, x)
			}
		}
		d.leave()
	}
}

func (m *decoderMaker) makeStruct(s *schema, t reflect.Type, path string) decodeFunc {
	type field struct {
		index  int // -1: this side does not have it
		decode decodeFunc
		shape  *schema
		name   string
	}
	here := make(map[string]reflect.StructField)
	for _, f := range fieldsOf(t) {
		if travels(f) {
			here[f.Name] = f
		}
	}
	var fields []field
	for _, w := range s.fields {
		f, ok := here[w.name]
		delete(here, w.name) // a second one of that name would be damage
		if !ok {
			fields = append(fields, field{-1, nil, w.shape, w.name})
			continue
		}
		fields = append(fields, field{f.Index[0], m.make(w.shape, f.Type, path+"."+w.name), nil, w.name})
	}
	return func(d *decoder, v reflect.Value) {
		if len(fields) == 0 && d.byte() != 0 {
			d.fail()
		}
		for i := range fields {
			f := &fields[i]
			if f.index >= 0 {
				f.decode(d, v.Field(f.index))
			} else if !d.skip(f.shape) && !d.failed {
				d.failWith(fmt.Errorf("the field %s, which is not zero, is not known on this side and would be lost: build both sides with the same types", f.name))
			}
			if d.failed {
				if f.index >= 0 {
					d.in("." + f.name)
				}
				return
			}
		}
	}
}
