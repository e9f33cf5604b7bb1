package job

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"runtime/debug"

	"github.com/seed8b1f0744/aio"
)

// An error on the wire is a fault: its text, the names of the sentinels that it is, and the panic
// that is in it, if there is one:
//
//	text | count, names | 0, or 1 and a panic: its value's fault | whether the value was an error, 1 byte | stack
//
// texts, names and the stack with their lengths.
type fault struct {
	text   string
	names  []string
	panics *faultPanic
}

type faultPanic struct {
	value   fault
	isError bool
	stack   []byte
}

// wellKnown are sentinels that need not be registered. Their names are on the wire.
var wellKnown = []struct {
	name string
	err  error
}{
	{"context.Canceled", context.Canceled},
	{"context.DeadlineExceeded", context.DeadlineExceeded},
	{"aio.ErrCancelled", aio.ErrCancelled},
	{"aio.ErrPending", aio.ErrPending},
	{"aio.ErrNoLoop", aio.ErrNoLoop},
	{"aio.ErrClosed", aio.ErrClosed},
	{"aio.ErrWouldDeadlock", aio.ErrWouldDeadlock},
	{"aio.ErrFull", aio.ErrFull},
	{"aio.ErrEmpty", aio.ErrEmpty},
	{"aio.ErrQueueClosed", aio.ErrQueueClosed},
	{"aio.ErrBroken", aio.ErrBroken},
	{"aio.ErrGoexit", aio.ErrGoexit},
	{"io.EOF", io.EOF},
	{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF},
	{"fs.ErrInvalid", fs.ErrInvalid},
	{"fs.ErrPermission", fs.ErrPermission},
	{"fs.ErrExist", fs.ErrExist},
	{"fs.ErrNotExist", fs.ErrNotExist},
	{"fs.ErrClosed", fs.ErrClosed},
	{"os.ErrDeadlineExceeded", os.ErrDeadlineExceeded},
	{"errors.ErrUnsupported", errors.ErrUnsupported},
}

func init() {
	for _, s := range wellKnown {
		sentinels.add("sentinel", entry{name: s.name, where: "package job", err: s.err})
	}
}

// maxFaultDepth bounds panics with errors with panics.
const maxFaultDepth = 16

// faultOf takes err apart.
func faultOf(err error, depth int) fault {
	f := fault{text: textOf(err)}
	if depth < maxFaultDepth {
		f.names, f.panics = marksOf(err, depth)
	}
	return f
}

// textOf is what a person would read; also if v's own method panics, which Sprint notes in the text.
func textOf(v any) string { return fmt.Sprint(v) }

// marksOf is what errors.Is and errors.As find in err. If one of its methods panics, that is only
// its text.
func marksOf(err error, depth int) (names []string, panics *faultPanic) {
	defer func() { _ = recover() }()
	sentinels.mu.RLock()
	order := sentinels.order[:len(sentinels.order):len(sentinels.order)]
	sentinels.mu.RUnlock()
	for _, name := range order {
		if s, _ := sentinels.find(name); errors.Is(err, s.err) {
			names = append(names, name)
		}
	}
	if p, ok := errors.AsType[*aio.PanicError](err); ok {
		panics = panicOf(p, depth+1)
	}
	return names, panics
}

func panicOf(p *aio.PanicError, depth int) *faultPanic {
	if err, ok := p.Value.(error); ok {
		return &faultPanic{faultOf(err, depth), true, p.Stack}
	}
	return &faultPanic{fault{text: textOf(p.Value)}, false, p.Stack}
}

func (f fault) appendTo(b []byte) []byte {
	b = appendString(b, f.text)
	b = binary.AppendUvarint(b, uint64(len(f.names)))
	for _, name := range f.names {
		b = appendString(b, name)
	}
	if f.panics == nil {
		return append(b, 0)
	}
	return f.panics.appendTo(append(b, 1))
}

func (p *faultPanic) appendTo(b []byte) []byte {
	b = append(p.value.appendTo(b), oneIf(p.isError))
	return appendString(b, p.stack)
}

func readFault(r *reader, depth int) fault {
	f := fault{text: string(r.bytes())}
	for n := r.length(); n > 0 && !r.failed; n-- {
		f.names = append(f.names, string(r.bytes()))
	}
	switch r.byte() {
	case 0:
	case 1:
		f.panics = readPanic(r, depth+1)
	default:
		r.fail()
	}
	return f
}

func readPanic(r *reader, depth int) *faultPanic {
	if depth > maxFaultDepth+1 {
		r.fail()
		return nil
	}
	p := &faultPanic{value: readFault(r, depth)}
	c := r.byte()
	if c > 1 {
		r.fail()
	}
	p.isError = c == 1
	p.stack = append([]byte(nil), r.bytes()...)
	return p
}

// error is the error that arrives.
func (f fault) error() *RemoteError {
	var is []error
	for _, name := range f.names {
		if s, ok := sentinels.find(name); ok { // one that only the other side has is in the text
			is = append(is, s.err)
		}
	}
	if f.panics != nil {
		is = append(is, f.panics.error())
	}
	e := &RemoteError{Text: f.text}
	if is != nil {
		e.is = &is
	}
	return e
}

func (p *faultPanic) error() *aio.PanicError {
	if p.isError {
		return &aio.PanicError{Value: p.value.error(), Stack: p.stack}
	}
	return &aio.PanicError{Value: p.value.text, Stack: p.stack}
}

// encodeError is the outcome of a job that returned err.
func encodeError(err error) []byte { return faultOf(err, 0).appendTo(header(kindError, 0, 256)) }

// encodeRefusal is the outcome of a call whose argument or result could not travel.
func encodeRefusal(err error) []byte { return faultOf(err, 0).appendTo(header(kindEncode, 0, 256)) }

// encodePanic is the outcome of a job that panicked.
func encodePanic(v any) []byte {
	p := panicOf(&aio.PanicError{Value: v, Stack: debug.Stack()}, 0)
	return p.appendTo(header(kindPanic, 0, len(p.stack)+256))
}

// encodeUnknown is the outcome of a call to a job that is not there.
func encodeUnknown(name string) []byte {
	near := jobs.near(name)
	return appendString(appendString(header(kindUnknown, 0, len(name)+len(near)+4), name), near)
}

// failure is the error of an outcome that is no value.
func (m message) failure(name string) error {
	r := reader{b: m.body}
	var err error
	switch m.kind {
	case kindError:
		err = readFault(&r, 0).error()
	case kindPanic:
		if p := readPanic(&r, 0); p != nil {
			err = p.error()
		}
	case kindUnknown:
		asked := string(r.bytes())
		err = &UnknownError{Name: asked, near: string(r.bytes())}
	case kindEncode:
		err = &EncodeError{name, readFault(&r, 0).error()}
	default:
		return nil
	}
	if r.failed || len(r.b) > 0 {
		return &EncodeError{name, errDamaged}
	}
	return err
}

// encodeErrorValue and decodeErrorValue are for errors in values.
func encodeErrorValue(e *encoder, v reflect.Value) {
	if v.IsNil() {
		e.buf = append(e.buf, 0)
		return
	}
	e.buf = faultOf(v.Interface().(error), 0).appendTo(append(e.buf, 1))
}

func decodeErrorValue(d *decoder, v reflect.Value) {
	switch d.byte() {
	case 0:
	case 1:
		if err := readFault(&d.reader, 0).error(); !d.failed {
			v.Set(reflect.ValueOf(err))
		}
	default:
		d.fail()
	}
}
