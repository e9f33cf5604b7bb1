package retrylog

import (
	"fmt"
	"io"
	"slices"

	"github.com/seed8b1f0744/aio/refire"
)

// Format is what a Writer writes of an outcome.
type Format string

// The formats.
const (
	JSON Format = "json" // a retry log
	URLs Format = "urls" // the marked URL, one a line
)

// ParseFormat returns the format of that name.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains([]Format{JSON, URLs}, f) {
		return f, nil
	}
	return "", fmt.Errorf("%q is no format of outcomes; there are json and urls", name)
}

// Writer writes outcomes to a stream. It is no journal: nothing reads them back.
type Writer struct {
	w      io.Writer
	format Format
	enc    Encoder
	buf    []byte
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer, f Format) *Writer { return &Writer{w: w, format: f} }

// Append implements refire.Sink.
func (w *Writer) Append(outcomes []refire.Outcome) (written int, err error) {
	for i := range outcomes {
		w.buf = w.buf[:0]
		if w.format == URLs {
			w.buf = append(append(w.buf, outcomes[i].URL()...), '\n')
		} else if w.buf, err = w.enc.Append(w.buf, &outcomes[i]); err != nil {
			return i, err
		}
		if _, err := w.w.Write(w.buf); err != nil {
			return i, err
		}
	}
	return len(outcomes), nil
}
