package job

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// What an interface holds begins with one byte: 0 for nil, 1 and more for a type of basicTypes,
// wireRegistered for one that both sides have told gob.Register. Such a type is named by a token,
// what gob makes of its zero value: that is all we want of gob here, which keeps its table of names
// to itself. A schema and the value follow.
const wireRegistered = 0xff

// basicTypes may be in an interface without being registered. Their order is on the wire.
var basicTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
	reflect.TypeFor[int](), reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
	reflect.TypeFor[uint](), reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[complex64](), reflect.TypeFor[complex128](),
	reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](),
	reflect.TypeFor[[]any](), reflect.TypeFor[map[string]any](), reflect.TypeFor[map[string]string](),
	reflect.TypeFor[[]string](), reflect.TypeFor[[]int](), reflect.TypeFor[[]float64](),
}

var basicIndex = func() map[reflect.Type]int {
	m := make(map[reflect.Type]int)
	for i, t := range basicTypes {
		m[t] = i
	}
	return m
}()

func encodeAny(e *encoder, v reflect.Value) {
	if v.IsNil() {
		e.buf = append(e.buf, 0)
		return
	}
	v = v.Elem()
	t := v.Type()
	p := planOf(t)
	if i, ok := basicIndex[t]; ok {
		e.buf = append(e.buf, byte(1+i))
	} else {
		token, err := tokenOf(t)
		switch {
		case p.err != nil:
			e.fail(p.err)
			return
		case err != nil:
			e.fail(err)
			return
		}
		e.buf = append(e.buf, wireRegistered)
		e.buf = appendString(appendString(e.buf, token), p.schema)
	}
	if e.enter() {
		p.encode(e, v)
	}
	e.leave()
}

func decodeAny(d *decoder, v reflect.Value) {
	var t reflect.Type
	var decode decodeFunc
	switch n := int(d.byte()); {
	case n == 0:
		return
	case n <= len(basicTypes):
		t = basicTypes[n-1]
		decode = planOf(t).decode
	case n == wireRegistered:
		var err error
		if t, err = typeOf(d.bytes()); err == nil {
			decode, err = planOf(t).decoderFor(d.bytes(), t)
		}
		if err != nil {
			d.failWith(err)
			return
		}
	default:
		d.fail()
		return
	}
	if !t.AssignableTo(v.Type()) {
		d.failWith(fmt.Errorf("a %s is not a %s on this side", t, v.Type()))
		return
	}
	if d.enter() {
		x := reflect.New(t).Elem()
		decode(d, x)
		v.Set(x)
	}
	d.leave()
}

type gobToken struct{ V any }

// tokens are those made so far, by reflect.Type; types is the way back, of strangers' tokens only so
// many, because they may be anything.
var (
	tokens    sync.Map
	types     sync.Map
	typesLeft atomic.Int64
)

func init() { typesLeft.Store(1 << 10) }

func tokenOf(t reflect.Type) ([]byte, error) {
	if b, ok := tokens.Load(t); ok {
		return b.([]byte), nil
	}
	v := reflect.Zero(t)
	if t.Kind() == reflect.Pointer {
		v = reflect.New(t.Elem())
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(gobToken{v.Interface()}); err != nil {
		if !strings.Contains(err.Error(), "not registered") {
			return nil, fmt.Errorf("it holds a %s, whose type is told to the other side by what gob makes of its zero value, and it makes nothing of that: hold something else, or have it cope with zero (%w)", t, err)
		}
		return nil, fmt.Errorf("it holds a %s, which the other side would not know: call gob.Register with one in an init of a package that both sides have (%w)", t, err)
	}
	// gob has one name for a type and pointers to it.
	switch there, err := typeNamed(b.Bytes()); {
	case err != nil:
		return nil, err
	case there != t:
		return nil, fmt.Errorf("it holds a %s, but what gob knows by that name is %s: hold that, or call gob.Register with the one that is held", t, there)
	}
	tokens.Store(t, b.Bytes())
	return b.Bytes(), nil
}

var errNoType = errors.New("an interface without a type")

func typeOf(token []byte) (reflect.Type, error) {
	if t, ok := types.Load(string(token)); ok {
		return t.(reflect.Type), nil
	}
	t, err := typeNamed(token)
	if err != nil {
		return nil, err
	}
	if p := planOf(t); p.err != nil {
		return nil, p.err
	}
	if typesLeft.Add(-1) >= 0 {
		types.Store(string(token), t)
	}
	return t, nil
}

// typeNamed is the type for which a token stands.
func typeNamed(token []byte) (reflect.Type, error) {
	var x gobToken
	if err := gob.NewDecoder(bytes.NewReader(token)).Decode(&x); err != nil {
		return nil, fmt.Errorf("it holds a type that is not known on this side: call gob.Register with one in an init of a package that both sides have (%w)", err)
	}
	if t := reflect.TypeOf(x.V); t != nil {
		return t, nil
	}
	return nil, errNoType
}
