package job

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// codec writes and reads the values of one type, whose plan it finds when it is first asked.
type codec[T any] struct {
	once sync.Once
	plan *plan // after once
}

func (c *codec[T]) ready() *plan {
	c.once.Do(func() { c.plan = planOf(reflect.TypeFor[T]()) })
	return c.plan
}

func (c *codec[T]) encode(left time.Duration, v *T) ([]byte, error) {
	return encodeMessage(c.ready(), left, reflect.ValueOf(v).Elem())
}

func (c *codec[T]) decode(m message) (v T, err error) {
	if err = decodeMessage(c.ready(), m, reflect.ValueOf(&v).Elem()); err != nil {
		v = *new(T)
	}
	return v, err
}

// encodeCall makes the payload of a call. A result that could never come back is told now.
func (j *Job[In, Out]) encodeCall(ctx context.Context, in *In) ([]byte, error) {
	payload, err := j.in.encode(timeLeft(ctx), in)
	if err != nil {
		return nil, &EncodeError{j.entry.name, fmt.Errorf("its argument cannot travel: %w", err)}
	}
	if err := j.out.ready().err; err != nil {
		return nil, &EncodeError{j.entry.name, fmt.Errorf("its result cannot travel: %w", err)}
	}
	return payload, nil
}

// decodeOutcome is what became of a call.
func (j *Job[In, Out]) decodeOutcome(outcome []byte) (Out, error) {
	var none Out
	m, err := parseMessage(outcome)
	if err != nil {
		return none, &EncodeError{j.entry.name, err}
	}
	if err := m.failure(j.entry.name); err != nil {
		return none, err
	}
	out, err := j.out.decode(m)
	if err != nil {
		return none, &EncodeError{j.entry.name, fmt.Errorf("its result cannot be read: %w", err)}
	}
	return out, nil
}

// foreign are the decoders of schemas that other builds sent: only so many are kept, because they
// may be anything.
var (
	foreign     sync.Map // foreignKey -> foreignDecoder
	foreignLeft atomic.Int64
)

func init() { foreignLeft.Store(1 << 10) }

type foreignKey struct {
	t      reflect.Type
	schema string
}

type foreignDecoder struct {
	decode decodeFunc
	err    error
}

// decoderFor is how a value of that schema is read into a t, whose plan p is.
func (p *plan) decoderFor(schema []byte, t reflect.Type) (decodeFunc, error) {
	if bytes.Equal(schema, p.schema) {
		return p.decode, nil
	}
	key := foreignKey{t, string(schema)}
	if d, ok := foreign.Load(key); ok {
		return d.(foreignDecoder).decode, d.(foreignDecoder).err
	}
	s, err := parseSchema(schema)
	if err != nil {
		return nil, err
	}
	var d foreignDecoder
	d.decode, d.err = makeDecoder(s, t)
	if foreignLeft.Add(-1) >= 0 {
		foreign.Store(key, d)
	}
	return d.decode, d.err
}
