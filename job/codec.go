package job

import (
	"bytes"
	"context"
	"encoding/gob"
	"time"

	"github.com/seed8b1f0744/aio"
)

type codec[T any] struct{}

type box[T any] struct{ V T }

func (codec[T]) encode(left time.Duration, v *T) ([]byte, error) {
	b := bytes.NewBuffer(header(kindTyped, left))
	err := gob.NewEncoder(b).Encode(box[T]{*v})
	return b.Bytes(), err
}

func (codec[T]) decode(m message) (T, error) {
	var b box[T]
	err := gob.NewDecoder(bytes.NewReader(m.body)).Decode(&b)
	return b.V, err
}

func (j *Job[In, Out]) encodeCall(ctx context.Context, in *In) ([]byte, error) {
	b, err := j.in.encode(timeLeft(ctx), in)
	if err != nil {
		return nil, &EncodeError{j.entry.name, err}
	}
	return b, nil
}

func (j *Job[In, Out]) decodeOutcome(b []byte) (Out, error) {
	var none Out
	m, err := parseMessage(b)
	if err != nil {
		return none, &EncodeError{j.entry.name, err}
	}
	switch m.kind {
	case kindError:
		return none, &RemoteError{Text: string(m.body)}
	case kindPanic:
		return none, &aio.PanicError{Value: string(m.body)}
	case kindUnknown:
		return none, &UnknownError{Name: j.entry.name, near: string(m.body)}
	case kindEncode:
		return none, &EncodeError{j.entry.name, errText(string(m.body))}
	}
	return j.out.decode(m)
}

func encodeRefusal(err error) []byte         { return append(header(kindEncode, 0), err.Error()...) }
func encodeUnknown(name string) []byte       { return header(kindUnknown, 0) }
func encodePanic(err *aio.PanicError) []byte { return append(header(kindPanic, 0), err.Error()...) }
func encodeError(err error) []byte           { return append(header(kindError, 0), err.Error()...) }
