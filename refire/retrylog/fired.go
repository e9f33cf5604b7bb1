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
	"sync"
	"time"

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
		return nil, &FiredError{&NotOursError{1, errNotOurs}}
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

// firedLog is the file of announcements of one run.
type firedLog struct {
	create func() (file, error)
	remove func() error
	sync   bool
	limit  int64 // how long the file may be without anything pending in it

	mu      sync.Mutex
	f       file                      // guarded by mu; nil: not there yet
	pending map[accesslog.ID]struct{} // guarded by mu: announced, and neither settled nor withdrawn
	size    int64                     // guarded by mu
	enc     Encoder
	buf     []byte
}

func firedAt(path string) *firedLog {
	path = Beside(path, FiredSuffix)
	return &firedLog{
		create: func() (file, error) {
			f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
			if err != nil {
				return nil, err
			}
			syncFolder(path)
			return f, nil
		},
		remove: func() error {
			if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		},
		limit: 64 << 10,
	}
}

// announce writes a line for each request. A crash of the machine does not lose it either, once announce has returned: what is fired twice then cannot be
// undone, and there are as few of these waits as there are batches.
func (l *firedLog) announce(requests []refire.Request, round int, unsent bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		f, err := l.create()
		if err != nil {
			return &FiredError{err}
		}
		l.f, l.pending = f, map[accesslog.ID]struct{}{}
	}
	l.buf = l.buf[:0]
	for i := range requests {
		o := refire.Outcome{Request: requests[i], Error: refire.Unknown.String() + ": " + unknownDetail, Attempts: 1, Time: time.Now(), Round: round, Unsent: unsent}
		var err error
		if l.buf, err = l.enc.Append(l.buf, &o); err != nil {
			return err
		}
	}
	n, err := l.f.Write(l.buf)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, l.f.Truncate(l.size))
		}
		return &FiredError{err}
	}
	l.size += int64(n)
	if l.sync {
		if err := l.f.Sync(); err != nil {
			return &FiredError{syncError(err)}
		}
	}
	for i := range requests {
		if unsent {
			delete(l.pending, requests[i].ID)
		} else {
			l.pending[requests[i].ID] = struct{}{}
		}
	}
	return nil
}

// settle takes outcomes that are written.
func (l *firedLog) settle(outcomes []refire.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range outcomes {
		delete(l.pending, outcomes[i].ID)
	}
}

// isLong reports whether shorten would do something.
func (l *firedLog) isLong() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size > l.limit && len(l.pending) == 0
}

// shorten empties the file. All outcomes must have been synced.
func (l *firedLog) shorten() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) > 0 {
		return nil
	}
	if err := l.f.Truncate(0); err != nil {
		return &FiredError{err}
	}
	l.size = 0
	return nil
}

// close takes the file away if nothing in it is pending. All outcomes must have been synced.
func (l *firedLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	err := l.f.Close()
	if err == nil && len(l.pending) == 0 {
		err = l.remove()
	}
	return err
}
