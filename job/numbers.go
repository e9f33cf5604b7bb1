package job

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
)

// Slices of numbers are what many jobs work on; these are written and read without a call of reflect
// for each element, in the form that any other slice has.

// numbers writes and reads a []T.
type numbers[T any] struct {
	put  func([]byte, []T) []byte
	take func(*reader, []T)
	min  int // bytes of an element, at least
}

func putVarints[T int | int32 | int64](b []byte, s []T) []byte {
	for _, v := range s {
		b = binary.AppendVarint(b, int64(v))
	}
	return b
}

func takeVarints[T int | int32 | int64](r *reader, s []T) {
	for i := range s {
		v := unzigzag(r.uvarint())
		if s[i] = T(v); int64(s[i]) != v {
			r.fail()
		}
	}
}

// unzigzag is what binary.Varint does with the number that it reads.
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

var (
	intNumbers     = numbers[int]{putVarints[int], takeVarints[int], 1}
	int32Numbers   = numbers[int32]{putVarints[int32], takeVarints[int32], 1}
	int64Numbers   = numbers[int64]{putVarints[int64], takeVarints[int64], 1}
	float64Numbers = numbers[float64]{
		func(b []byte, s []float64) []byte {
			for _, v := range s {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
			}
			return b
		},
		func(r *reader, s []float64) {
			if b := r.take(8 * len(s)); b != nil {
				for i := range s {
					s[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
				}
			}
		}, 8,
	}
	float32Numbers = numbers[float32]{
		func(b []byte, s []float32) []byte {
			for _, v := range s {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
			return b
		},
		func(r *reader, s []float32) {
			if b := r.take(4 * len(s)); b != nil {
				for i := range s {
					s[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
				}
			}
		}, 4,
	}
)

// encodeNumbers is the way of such a slice, nil for others.
func encodeNumbers(t reflect.Type) encodeFunc {
	switch t.Elem() {
	case reflect.TypeFor[int]():
		return intNumbers.encode
	case reflect.TypeFor[int32]():
		return int32Numbers.encode
	case reflect.TypeFor[int64]():
		return int64Numbers.encode
	case reflect.TypeFor[float32]():
		return float32Numbers.encode
	case reflect.TypeFor[float64]():
		return float64Numbers.encode
	}
	return nil
}

func decodeNumbers(t reflect.Type) decodeFunc {
	switch t.Elem() {
	case reflect.TypeFor[int]():
		return intNumbers.decode
	case reflect.TypeFor[int32]():
		return int32Numbers.decode
	case reflect.TypeFor[int64]():
		return int64Numbers.decode
	case reflect.TypeFor[float32]():
		return float32Numbers.decode
	case reflect.TypeFor[float64]():
		return float64Numbers.decode
	}
	return nil
}

// slice is where v, a slice of T whatever its name, is.
func slice[T any](v reflect.Value) *[]T {
	p := addressable(v).Addr()
	if s, ok := p.Interface().(*[]T); ok {
		return s
	}
	return p.Convert(reflect.TypeFor[*[]T]()).Interface().(*[]T)
}

func (n numbers[T]) encode(e *encoder, v reflect.Value) {
	if e.putLen(v) {
		e.buf = n.put(slices.Grow(e.buf, n.min*v.Len()), *slice[T](v))
	}
}

func (n numbers[T]) decode(d *decoder, v reflect.Value) {
	count, ok := d.nilOrLen()
	if !ok {
		return
	}
	if count > len(d.b)/n.min {
		d.fail()
		return
	}
	s := make([]T, count)
	n.take(&d.reader, s)
	*slice[T](v) = s
}
