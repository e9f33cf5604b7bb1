package retrylog

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// FiredSuffix is added to the name of a retry log: the file in which requests are announced that must not be fired twice. It is there while a run is, and
// after one that was killed. Each line is the outcome that stands if there will be no other: nobody knows.
const FiredSuffix = ".fired"

const unknownDetail = "fired, and refire was stopped before the outcome was written"

// FiredError says that the announcements beside a retry log cannot be read.
type FiredError struct{ Err error }

// Error implements error.
func (e *FiredError) Error() string { return "announcements: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *FiredError) Unwrap() error { return e.Err }

// Fired is what was announced, without what turned out to have an outcome.
type Fired struct {
	there bool // the file
	left  map[accesslog.ID]refire.Outcome
}

// Settle takes an outcome that is in the retry log.
func (f *Fired) Settle(o *refire.Outcome) {
	if announced, ok := f.left[o.ID]; ok && o.Round >= announced.Round {
		delete(f.left, o.ID)
	}
}

// Len is how many are left.
func (f *Fired) Len() int { return len(f.left) }

// Outcomes are what is left: what an entry comes to whose outcome nobody knows, the oldest first.
func (f *Fired) Outcomes() []refire.Outcome {
	list := make([]refire.Outcome, 0, len(f.left))
	for _, o := range f.left {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b refire.Outcome) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Offset, b.Offset))
	})
	return list
}

// ReadFired reads what the run that writes the retry log at path has announced, or the last one that did. It changes nothing.
func ReadFired(path string) (*Fired, error) {
	f, err := os.Open(Beside(path, FiredSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return &Fired{}, nil
	}
	if err != nil {
		return nil, &FiredError{err}
	}
	defer f.Close()
	return readFired(f)
}

// readFired reads announcements. A torn line at the end is none, nor are zeros, which a crash of the machine may leave: a request is fired after its line
// is there.
func readFired(r io.Reader) (*Fired, error) {
	br := bufio.NewReader(r)
	if first, err := br.Peek(len(beginning)); len(first) > 0 && len(bytes.Trim(first, "\x00")) == 0 && (err == nil || errors.Is(err, io.EOF)) {
		if rest, err := io.ReadAll(br); err == nil && len(bytes.Trim(rest, "\x00")) == 0 {
			return &Fired{there: true}, nil
		}
		return nil, &FiredError{&NotOursError{1, errNotOurs, false}}
	}
	f := &Fired{there: true, left: map[accesslog.ID]refire.Outcome{}}
	_, err := Read(br, func(o *refire.Outcome) error {
		if o.Unsent { // withdrawn
			delete(f.left, o.ID)
		} else {
			f.left[o.ID] = *o
		}
		return nil
	})
	if err != nil {
		return nil, &FiredError{err}
	}
	return f, nil
}
