package retrylog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/seed8b1f0744/aio/refire"
)

// A log's line of n bytes becomes one of less than 8n and some room: the target twice, each of its bytes written in three, some of these with an escape.
const (
	MaxLogLineBytes = 8 << 20                   // the longest line of an access log whose outcome can be read back
	maxLineBytes    = 8*MaxLogLineBytes + 1<<20 // a longer one is not ours
)

// NotOursError says that a file is no retry log, or a damaged one.
type NotOursError struct {
	Line    int64 // from 1
	Err     error
	Damaged bool // other lines are outcomes
}

func (e *NotOursError) Error() string { return fmt.Sprintf("line %d is %v", e.Line, e.Err) }
func (e *NotOursError) Unwrap() error { return e.Err }

// Extent says how much of a file are whole lines.
type Extent struct {
	Lines  int64
	Bytes  int64 // up to the end of the last whole line
	Torn   int64 // bytes after that: a line that was being written when the run was killed; 0: none
	Unends bool  // the last whole line lacks only its newline, which Bytes does not count
}

// Read calls visit for every outcome in r, in order. A last line that is torn is not an error; any other line that refire did not write is a *NotOursError,
// and errors of r and of visit are returned as they are.
func Read(r io.Reader, visit func(*refire.Outcome) error) (Extent, error) {
	var ext Extent
	br := bufio.NewReaderSize(r, 256<<10)
	if mark, _ := br.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		n, _ := br.Discard(len(mark))
		ext.Bytes += int64(n)
	}
	var long []byte
	for {
		text, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			if long = append(long, text...); len(long) > maxLineBytes || !bytes.HasPrefix(long, []byte(beginning)) {
				return ext, &NotOursError{ext.Lines + 1, errNotOurs, ext.Lines > 0 || holdsOutcome(br, true)}
			}
			continue
		}
		if len(long) > 0 {
			long = append(long, text...)
			text = long
		}
		if errors.Is(err, io.EOF) {
			return ext.end(text, visit)
		}
		if err != nil {
			return ext, err
		}
		o, err := Decode(text)
		if err != nil {
			return ext, &NotOursError{ext.Lines + 1, err, ext.Lines > 0 || holdsOutcome(br, false)}
		}
		ext.Lines++
		ext.Bytes += int64(len(text))
		if err := visit(&o); err != nil {
			return ext, err
		}
		long = long[:0]
	}
}

// byteOrderMark is what some editors put before a text that they save.
const byteOrderMark = "\uFEFF"

// holdsOutcome reports whether one of the next lines is an outcome. within: the first of them is the rest of a line.
func holdsOutcome(br *bufio.Reader, within bool) bool {
	const most = 1000 // lines, or pieces of long ones
	for range most {
		text, err := br.ReadSlice('\n')
		if _, bad := Decode(text); bad == nil && !within {
			return true
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return false
		}
		within = err != nil
	}
	return false
}

// end judges what follows the last newline.
func (ext Extent) end(tail []byte, visit func(*refire.Outcome) error) (Extent, error) {
	if len(tail) == 0 {
		return ext, nil
	}
	if o, err := Decode(tail); err == nil {
		ext.Lines++
		ext.Bytes += int64(len(tail))
		ext.Unends = true
		return ext, visit(&o)
	}
	if !torn(tail) || ext.Lines == 0 && !begun(tail) {
		return ext, &NotOursError{ext.Lines + 1, errNotOurs, ext.Lines > 0}
	}
	ext.Torn = int64(len(tail))
	return ext, nil
}

// torn reports whether tail can be the beginning of a line of ours, with or without the zeros that a file system may leave behind it after a power cut.
// Whole JSON that is no outcome is not: it is somebody else's.
func torn(tail []byte) bool {
	tail = bytes.TrimRight(tail, "\x00")
	if json.Valid(tail) {
		_, err := Decode(tail)
		return err == nil
	}
	if len(tail) < len(beginning) {
		return strings.HasPrefix(beginning, string(tail))
	}
	return bytes.HasPrefix(tail, []byte(beginning)) && !bytes.ContainsRune(tail, 0)
}

// begun is for a tail that no line of ours stands before: it must be one, and not only nothing against it. What comes after the URL tells somebody else's
// object, and zeros alone are nobody's.
func begun(tail []byte) bool {
	tail = bytes.TrimRight(tail, "\x00")
	for i := len(beginning); i < len(tail); i++ {
		switch tail[i] {
		case '\\':
			i++
		case '"':
			const next = `,"method":`
			after := tail[i+1:]
			return string(after[:min(len(after), len(next))]) == next[:min(len(after), len(next))]
		}
	}
	return len(tail) > 0
}

// Failed is a source of the requests in r, a retry log, that had failed. Some of them succeeded in a later line: the ledger knows which.
func Failed(r io.Reader) refire.Source {
	return func(_ context.Context, emit func(refire.Request, int64) error) error {
		_, err := Read(r, func(o *refire.Outcome) error {
			if o.Verdict().Recovered() {
				return nil
			}
			again := o.Request
			again.Again = true
			return emit(again, 0)
		})
		return err
	}
}
