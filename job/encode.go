package job

import (
	"encoding"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"math"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed8b1f0744/aio"
)

// encoder writes one value. What is big is not written but noted, and copied once, into the message.
type encoder struct {
	buf   []byte
	apart []part
	bytes int // in apart
	depth int
	err   error
	path  string // of what err is about, from inside out
}

// part is what belongs into the message before buf[at].
type part struct {
	at int
	b  []byte
	s  string
}

// minApart is the size from which bytes are worth being noted.
const minApart = 1 << 10

type encodeFunc func(e *encoder, v reflect.Value)

var encoders = sync.Pool{New: func() any { return &encoder{buf: make([]byte, 0, 512)} }}

// encodeMessage makes a message of v, which is addressable. A panic of a type's own method is an
// error: it must not be taken for one of the goroutine that calls In.
func encodeMessage(p *plan, left time.Duration, v reflect.Value) (msg []byte, err error) {
	switch {
	case p.err != nil:
		return nil, p.err
	case p.raw == kindBytes && v.IsNil():
		return header(kindNil, left, 0), nil
	case p.raw == kindBytes:
		return append(header(kindBytes, left, v.Len()), v.Bytes()...), nil
	case p.raw == kindString:
		return append(header(kindString, left, v.Len()), v.String()...), nil
	}
	e := encoders.Get().(*encoder)
	defer func() {
		if r := recover(); r != nil {
			msg, err = nil, panicked(r)
		}
		e.reset()
	}()
	p.encode(e, v)
	if e.err != nil {
		return nil, fmt.Errorf("%s%s: %w", v.Type(), shortened(e.path), e.err)
	}
	msg = header(kindTyped, left, binary.MaxVarintLen32+len(p.schema)+len(e.buf)+e.bytes)
	return e.appendTo(appendString(msg, p.schema)), nil
}

// appendTo puts the value together.
func (e *encoder) appendTo(b []byte) []byte {
	from := 0
	for _, p := range e.apart {
		b = append(b, e.buf[from:p.at]...)
		b = append(append(b, p.b...), p.s...)
		from = p.at
	}
	return append(b, e.buf[from:]...)
}

func (e *encoder) reset() {
	if cap(e.buf) > 256<<10 {
		return
	}
	clear(e.apart)
	*e = encoder{buf: e.buf[:0], apart: e.apart[:0]}
	encoders.Put(e)
}

func (e *encoder) uvarint(v uint64) { e.buf = binary.AppendUvarint(e.buf, v) }

func (e *encoder) putBytes(b []byte) {
	if len(b) < minApart {
		e.buf = append(e.buf, b...)
		return
	}
	e.apart = append(e.apart, part{at: len(e.buf), b: b})
	e.bytes += len(b)
}

func (e *encoder) putString(s string) {
	e.uvarint(uint64(len(s)))
	if len(s) < minApart {
		e.buf = append(e.buf, s...)
		return
	}
	e.apart = append(e.apart, part{at: len(e.buf), s: s})
	e.bytes += len(s)
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// in notes where an error was, on the way out.
func (e *encoder) in(what string) { e.path = what + e.path }

// shortened is a path as it may stand in an error: what contains itself has one of 10,000 steps.
func shortened(path string) string {
	const most = 200
	if len(path) <= most {
		return path
	}
	return strings.ToValidUTF8(path[:most/2]+"..."+path[len(path)-most/2:], "")
}

// enter and leave are around whatever can contain itself.
func (e *encoder) enter() bool {
	if e.depth++; e.depth > maxDepth {
		e.fail(fmt.Errorf("nested deeper than %d: does it contain itself?", maxDepth))
		return false
	}
	return e.err == nil
}

func (e *encoder) leave() { e.depth-- }

func panicked(v any) error {
	return &aio.PanicError{Value: v, Stack: debug.Stack()}
}

// encoderMaker makes the functions for a type and its parts.
type encoderMaker struct {
	made map[reflect.Type]*encodeFunc // of what can contain itself
}

// make makes the function for t, whose shape is s.
func (m *encoderMaker) make(t reflect.Type, s *schema) encodeFunc {
	if !hasParts(s.kind) {
		return encodeSimple(t, s)
	}
	if p := m.made[t]; p != nil {
		if *p != nil {
			return *p
		}
		return func(e *encoder, v reflect.Value) { (*p)(e, v) }
	}
	p := new(encodeFunc)
	m.made[t] = p
	switch s.kind {
	case wirePointer:
		*p = encodePointer(m.make(t.Elem(), s.elem))
	case wireSlice:
		*p = encodeSlice(t, m.make(t.Elem(), s.elem))
	case wireArray:
		*p = encodeArray(t, m.make(t.Elem(), s.elem))
	case wireMap:
		*p = encodeMap(t, m.make(t.Key(), s.key), m.make(t.Elem(), s.elem))
	case wireStruct:
		*p = m.makeStruct(t, s)
	}
	return *p
}

func encodeSimple(t reflect.Type, s *schema) encodeFunc {
	switch s.kind {
	case wireBool:
		return func(e *encoder, v reflect.Value) { e.buf = append(e.buf, oneIf(v.Bool())) }
	case wireInt:
		return func(e *encoder, v reflect.Value) { e.buf = binary.AppendVarint(e.buf, v.Int()) }
	case wireUint:
		return func(e *encoder, v reflect.Value) { e.uvarint(v.Uint()) }
	case wireFloat32:
		return func(e *encoder, v reflect.Value) {
			e.buf = binary.LittleEndian.AppendUint32(e.buf, math.Float32bits(float32(v.Float())))
		}
	case wireFloat64:
		return func(e *encoder, v reflect.Value) {
			e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(v.Float()))
		}
	case wireComplex:
		return func(e *encoder, v reflect.Value) {
			c := v.Complex()
			e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(real(c)))
			e.buf = binary.LittleEndian.AppendUint64(e.buf, math.Float64bits(imag(c)))
		}
	case wireString:
		return func(e *encoder, v reflect.Value) { e.putString(v.String()) }
	case wireBytes:
		return func(e *encoder, v reflect.Value) {
			if !e.putLen(v) {
				return
			}
			e.putBytes(v.Bytes())
		}
	case wireHash:
		return func(e *encoder, v reflect.Value) { e.putBytes(addressable(v).Bytes()) }
	case wireError:
		return encodeErrorValue
	case wireAny:
		return encodeAny
	}
	return encodeMarshalled(t, s.kind)
}

func oneIf(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// addressable is v, or a copy of it that is addressable: map keys and elements are not.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// putLen writes the length of what may be nil, and reports whether it is not.
func (e *encoder) putLen(v reflect.Value) bool {
	if v.IsNil() {
		e.buf = append(e.buf, 0)
		return false
	}
	e.uvarint(uint64(v.Len()) + 1)
	return true
}

func encodeMarshalled(t reflect.Type, kind byte) encodeFunc {
	appends := kind == wireBinary && appendBinary.isOf(t)
	return func(e *encoder, v reflect.Value) {
		if v.IsZero() {
			e.buf = append(e.buf, 0)
			return
		}
		var b []byte
		var err error
		switch x := addressable(v).Addr().Interface(); {
		case appends:
			e.appended(x.(encoding.BinaryAppender))
			return
		case kind == wireBinary:
			b, err = x.(encoding.BinaryMarshaler).MarshalBinary()
		case kind == wireGob:
			b, err = x.(gob.GobEncoder).GobEncode()
		default:
			b, err = x.(encoding.TextMarshaler).MarshalText()
		}
		if err != nil {
			e.fail(err)
			return
		}
		e.uvarint(uint64(len(b)) + 1)
		e.putBytes(b)
	}
}

// appended writes what x appends, with its length before it: room is left for one byte, which mostly
// is enough.
func (e *encoder) appended(x encoding.BinaryAppender) {
	at := len(e.buf)
	buf, err := x.AppendBinary(append(e.buf, 0))
	if err != nil {
		e.fail(err)
		return
	}
	var length [binary.MaxVarintLen64]byte
	k := binary.PutUvarint(length[:], uint64(len(buf)-at))
	e.buf = slices.Replace(buf, at, at+1, length[:k]...)
}

func encodePointer(elem encodeFunc) encodeFunc {
	return func(e *encoder, v reflect.Value) {
		if v.IsNil() {
			e.buf = append(e.buf, 0)
			return
		}
		e.buf = append(e.buf, 1)
		if e.enter() {
			elem(e, v.Elem())
		}
		e.leave()
	}
}

func encodeSlice(t reflect.Type, elem encodeFunc) encodeFunc {
	if f := encodeNumbers(t); f != nil {
		return f
	}
	return func(e *encoder, v reflect.Value) {
		if !e.putLen(v) {
			return
		}
		if e.enter() {
			e.elements(v, elem)
		}
		e.leave()
	}
}

func (e *encoder) elements(v reflect.Value, elem encodeFunc) {
	for i := range v.Len() {
		if elem(e, v.Index(i)); e.err != nil {
			e.in("[" + strconv.Itoa(i) + "]")
			return
		}
	}
}

func encodeArray(t reflect.Type, elem encodeFunc) encodeFunc {
	return func(e *encoder, v reflect.Value) {
		if v.Len() == 0 {
			e.buf = append(e.buf, 0)
		}
		e.elements(v, elem)
	}
}

func encodeMap(t reflect.Type, key, elem encodeFunc) encodeFunc {
	fresh := max(t.Key().Size(), t.Elem().Size()) >= minApart // what was noted apart may be in k or x itself
	return func(e *encoder, v reflect.Value) {
		if !e.putLen(v) {
			return
		}
		if e.enter() {
			k, x := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			for it := v.MapRange(); it.Next() && e.err == nil; {
				if fresh {
					k, x = reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
				}
				k.SetIterKey(it)
				x.SetIterValue(it)
				if key(e, k); e.err == nil {
					elem(e, x)
				}
				if e.err != nil {
					e.in(fmt.Sprintf("[%.100v]", k))
				}
			}
		}
		e.leave()
	}
}

func (m *encoderMaker) makeStruct(t reflect.Type, s *schema) encodeFunc {
	type field struct {
		index  int
		encode encodeFunc
		name   string
	}
	var fields []field
	for i, f := range fieldsOf(t) {
		fields = append(fields, field{f.Index[0], m.make(f.Type, s.fields[i].shape), "." + f.Name})
	}
	return func(e *encoder, v reflect.Value) {
		if len(fields) == 0 {
			e.buf = append(e.buf, 0)
		}
		for i := range fields {
			f := &fields[i]
			if f.encode(e, v.Field(f.index)); e.err != nil {
				e.in(f.name)
				return
			}
		}
	}
}
