package job

import (
	"encoding"
	"encoding/gob"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// maxDepth is how deep values may be nested. What is deeper mostly contains itself.
const maxDepth = 10_000

// plan is how values of a type are written and read. It is made once for a type.
type plan struct {
	schema []byte
	encode encodeFunc
	decode decodeFunc // of what has the same schema
	err    error      // the type cannot travel
	raw    byte       // kindBytes or kindString: as the top of a message it is written without a schema
}

// plans are those made so far, by reflect.Type.
var plans sync.Map

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p, _ := plans.LoadOrStore(t, makePlan(t))
	return p.(*plan)
}

func makePlan(t reflect.Type) *plan {
	d := describer{seen: make(map[reflect.Type]*schema)}
	s := d.describe(t, t.String())
	if d.err != nil {
		return &plan{err: d.err}
	}
	p := &plan{schema: appendSchema(nil, s, make(map[*schema]int))}
	e := encoderMaker{made: make(map[reflect.Type]*encodeFunc)}
	p.encode = e.make(t, s)
	if p.decode, p.err = makeDecoder(s, t); p.err != nil {
		return p
	}
	switch s.kind {
	case wireBytes:
		p.raw = kindBytes
	case wireString:
		p.raw = kindString
	}
	return p
}

// describer finds the shape of a type, or the first part of it that cannot travel.
type describer struct {
	seen   map[reflect.Type]*schema
	fields int // that it is within: what there may be a tag on
	err    error
}

func (d *describer) fail(format string, args ...any) *schema {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
	return &schema{}
}

// describe finds the shape of t, which is found at path.
func (d *describer) describe(t reflect.Type, path string) *schema {
	if s := d.seen[t]; s != nil {
		return s
	}
	if kind := marshalled(t); kind != 0 {
		return &schema{kind: kind}
	}
	if !marshalsAsText(t) {
		return d.structural(t, path)
	}
	try := describer{seen: maps.Clone(d.seen), fields: d.fields}
	s := try.structural(t, path)
	if try.err != nil {
		s = &schema{kind: wireText}
		d.seen[t] = s
		return s
	}
	d.seen = try.seen
	return s
}

// structural is describe by what t is made of.
func (d *describer) structural(t reflect.Type, path string) *schema {
	s := &schema{kind: wireKind(t)}
	switch s.kind {
	case 0:
		return d.refuse(t, path)
	case wirePointer, wireSlice, wireArray, wireMap, wireStruct:
		d.seen[t] = s
	}
	switch s.kind {
	case wirePointer:
		s.elem = d.describe(t.Elem(), path)
	case wireSlice:
		s.elem = d.describe(t.Elem(), path+"[]")
		if s.elem.kind == wireUint && t.Elem().Kind() == reflect.Uint8 {
			s.kind, s.elem = wireBytes, nil
		}
	case wireArray:
		s.n, s.elem = t.Len(), d.describe(t.Elem(), path+"[]")
		if s.elem.kind == wireUint && t.Elem().Kind() == reflect.Uint8 && s.n > 0 {
			s.kind, s.elem = wireHash, nil
		}
	case wireMap:
		s.key = d.describe(t.Key(), path+"[key]")
		s.elem = d.describe(t.Elem(), path+"[]")
	case wireStruct:
		for _, f := range fieldsOf(t) {
			if !travels(f) {
				return d.fail("%s.%s is unexported and would be lost: export it, give %s MarshalBinary and UnmarshalBinary, or tag the field `job:\"-\"` to leave it behind; of a type that is not yours pass what it was made from",
					path, f.Name, t)
			}
			d.fields++
			s.fields = append(s.fields, wireField{f.Name, d.describe(f.Type, path+"."+f.Name)})
			d.fields--
		}
	}
	return s
}

func (d *describer) refuse(t reflect.Type, path string) *schema {
	why := "it means nothing in another process"
	switch t.Kind() {
	case reflect.Func:
		why = "a function cannot travel: make it a job of its own and pass its name, or what it would work on"
	case reflect.Chan:
		why = "a channel cannot travel: pass what would go through it, in a slice or in several calls"
	}
	if path != t.String() {
		path += " is a " + t.String()
	}
	if d.fields > 0 {
		why += " (or tag the field `job:\"-\"` to leave it behind)"
	}
	return d.fail("%s: %s", path, why)
}

// wireKind is the kind of t by what it is made of; 0 if it cannot travel.
func wireKind(t reflect.Type) byte {
	switch t.Kind() {
	case reflect.Bool:
		return wireBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return wireInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return wireUint
	case reflect.Float32:
		return wireFloat32
	case reflect.Float64:
		return wireFloat64
	case reflect.Complex64, reflect.Complex128:
		return wireComplex
	case reflect.String:
		return wireString
	case reflect.Slice:
		return wireSlice
	case reflect.Array:
		return wireArray
	case reflect.Map:
		return wireMap
	case reflect.Pointer:
		return wirePointer
	case reflect.Struct:
		return wireStruct
	case reflect.Interface:
		if t == errorType {
			return wireError
		}
		return wireAny
	}
	return 0
}

var errorType = reflect.TypeFor[error]()

// fieldsOf are the fields of a struct that are not left behind.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for i := range t.NumField() {
		if f := t.Field(i); f.Name != "_" && f.Tag.Get("job") != "-" {
			fields = append(fields, f)
		}
	}
	return fields
}

// travels reports whether a field can be read and set: it is exported, or an embedded struct, whose
// exported fields can.
func travels(f reflect.StructField) bool {
	return f.IsExported() ||
		f.Anonymous && f.Type.Kind() == reflect.Struct && marshalled(f.Type) == 0 && !marshalsAsText(f.Type)
}

// ownMethod is a method by which a type says itself how it travels.
type ownMethod struct {
	in reflect.Type // interface with that method
	of func(reflect.Type) (reflect.Method, bool)
}

// The names are constants where MethodByName is called: otherwise the linker keeps every exported
// method of the program.
var (
	marshalBinary = ownMethod{reflect.TypeFor[encoding.BinaryMarshaler](),
		func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("MarshalBinary") }}
	appendBinary = ownMethod{reflect.TypeFor[encoding.BinaryAppender](),
		func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("AppendBinary") }}
	unmarshalBinary = ownMethod{reflect.TypeFor[encoding.BinaryUnmarshaler](),
		func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("UnmarshalBinary") }}
	gobEncode = ownMethod{reflect.TypeFor[gob.GobEncoder](),
		func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("GobEncode") }}
	gobDecode = ownMethod{reflect.TypeFor[gob.GobDecoder](),
		func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("GobDecode") }}
	marshalText = ownMethod{reflect.TypeFor[encoding.TextMarshaler](),
		func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("MarshalText") }}
	unmarshalText = ownMethod{reflect.TypeFor[encoding.TextUnmarshaler](),
		func(t reflect.Type) (reflect.Method, bool) { return t.MethodByName("UnmarshalText") }}
)

// marshalled is how t says itself that it travels, 0 if it does not.
func marshalled(t reflect.Type) byte {
	switch {
	case marshalBinary.isOf(t) && unmarshalBinary.isOf(t):
		return wireBinary
	case gobEncode.isOf(t) && gobDecode.isOf(t):
		return wireGob
	}
	return 0
}

// marshalsAsText is for what cannot travel otherwise: a text often says less than the value.
func marshalsAsText(t reflect.Type) bool { return marshalText.isOf(t) && unmarshalText.isOf(t) }

// isOf reports whether t, or a pointer to it, has m as a method of its own. A struct that has it
// from a field it embeds does not: such a method knows that field only, and the others would be
// lost.
func (m *ownMethod) isOf(t reflect.Type) bool {
	if t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer || !reflect.PointerTo(t).Implements(m.in) {
		return false
	}
	if t.Kind() != reflect.Struct || len(fieldsOf(t)) < 2 {
		return true
	}
	embeds := slices.ContainsFunc(fieldsOf(t), func(f reflect.StructField) bool {
		return f.Anonymous && (f.Type.Implements(m.in) || reflect.PointerTo(f.Type).Implements(m.in))
	})
	return !embeds || !isGenerated(m.find(t))
}

func (m *ownMethod) find(t reflect.Type) reflect.Method {
	if method, ok := m.of(t); ok {
		return method
	}
	method, _ := m.of(reflect.PointerTo(t))
	return method
}

// isGenerated reports whether the compiler made the method, which passes the call on.
func isGenerated(m reflect.Method) bool {
	fn := runtime.FuncForPC(m.Func.Pointer())
	if fn == nil {
		return false
	}
	file, _ := fn.FileLine(fn.Entry())
	return strings.HasSuffix(file, "<autogenerated>")
}
