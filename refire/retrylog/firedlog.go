package retrylog

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// firedLog is the file of announcements of one run.
type firedLog struct {
	create  func() (file, error)
	replace func(text []byte) (file, error) // a new file that holds text, in the place of the old one, as a whole or not at all
	remove  func() error
	check   func(f file, size int64) error // whether f is what it was; nil: nobody else can reach it
	sync    bool
	limit   int64 // how long the file may be, beside what is pending

	mu      sync.Mutex
	f       file                    // guarded by mu; nil: not there yet
	pending map[accesslog.ID]string // guarded by mu: the lines of what is announced, and neither settled nor withdrawn
	needed  int64                   // guarded by mu: bytes of those
	size    int64                   // guarded by mu
	stale   bool                    // guarded by mu: it names what was withdrawn
	enc     Encoder
	buf     []byte
}

// firedLimit keeps what the next run reads, and holds in memory, bounded, however long a run is. What is thrown away is synced before, so it is not too small.
const firedLimit = 1 << 20

func firedAt(path string) *firedLog {
	path = Beside(path, FiredSuffix)
	return &firedLog{
		create: func() (file, error) {
			f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
			if err != nil {
				return nil, err
			}
			syncFolder(path)
			return f, nil
		},
		replace: func(text []byte) (file, error) { return replaceFile(path, text) },
		remove: func() error {
			if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		},
		check: func(f file, size int64) error {
			if real, ok := f.(*os.File); ok {
				if changed := whatBecame(real, path, path, size); changed != nil {
					return changed
				}
			}
			return nil
		},
		limit: firedLimit,
	}
}

// replaceFile puts a new file in the place of the one at path.
func replaceFile(path string, text []byte) (_ *os.File, err error) {
	part := path + ".part"
	f, err := createNew(part, os.O_RDWR|os.O_APPEND)
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		f.Close()
		_ = os.Remove(part)
		return nil, err
	}
	syncFolder(path)
	return f, nil
}

// createNew makes a file that nobody else has made: what has its name, left by a run that was killed or put there by a stranger (a link to another file), is
// taken away, and not written to.
func createNew(name string, flags int) (*os.File, error) {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(name, flags|os.O_CREATE|os.O_EXCL, 0o600)
}

// lines writes a line for each request, and returns them one by one, too.
func (l *firedLog) lines(requests []refire.Request, round int, unsent bool) ([]string, error) {
	l.buf = l.buf[:0]
	list := make([]string, len(requests))
	for i := range requests {
		o := refire.Outcome{Request: requests[i], Error: refire.Unknown.String() + ": " + unknownDetail, Attempts: 1, Time: time.Now(), Round: round, Unsent: unsent}
		from := len(l.buf)
		var err error
		if l.buf, err = l.enc.Append(l.buf, &o); err != nil {
			return nil, err
		}
		list[i] = string(l.buf[from:])
	}
	return list, nil
}

// announce writes a line for each request. A crash of the machine does not lose it either, once announce has returned: what is fired twice then cannot be
// undone, and there are as few of these waits as there are batches. room is asked for so many bytes that the outcomes of all that is announced may need.
func (l *firedLog) announce(requests []refire.Request, round int, room func(bytes int64) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		f, err := l.create()
		if err != nil {
			return &FiredError{err}
		}
		l.f, l.pending = f, map[accesslog.ID]string{}
	}
	lines, err := l.lines(requests, round, false)
	if err != nil {
		return err
	}
	need := l.needed
	for _, line := range lines {
		need += outcomeRoom(line)
	}
	if err := room(need); err != nil {
		return err
	}
	if err := l.write(); err != nil {
		return err
	}
	for i := range requests {
		l.settled(requests[i].ID) // of an earlier round
		l.pending[requests[i].ID] = lines[i]
		l.needed += outcomeRoom(lines[i])
	}
	return nil
}

// withdraw takes announcements back. Even if that cannot be written, they are not pending any more.
func (l *firedLog) withdraw(requests []refire.Request, round int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range requests {
		l.settled(requests[i].ID)
	}
	if _, err := l.lines(requests, round, true); err != nil {
		return err
	}
	err := l.write()
	l.stale = l.stale || err != nil
	return err
}

// write appends buf, and syncs. // mu is held
func (l *firedLog) write() error {
	n, err := l.f.Write(l.buf)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, l.f.Truncate(l.size))
		}
		return &FiredError{err}
	}
	l.size += int64(n)
	if l.check != nil {
		if err := l.check(l.f, l.size); err != nil {
			return &FiredError{err}
		}
	}
	if l.sync {
		if err := l.f.Sync(); err != nil {
			return &FiredError{syncError(err)}
		}
	}
	return nil
}

// outcomeRoom is how much the outcome of what a line announces may need in the retry log.
func outcomeRoom(line string) int64 { return int64(len(line)) + lineRoom }

// settle takes outcomes that are written.
func (l *firedLog) settle(outcomes []refire.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range outcomes {
		l.settled(outcomes[i].ID)
	}
}

// settled forgets an announcement. // mu is held
func (l *firedLog) settled(id accesslog.ID) {
	if line, ok := l.pending[id]; ok {
		delete(l.pending, id)
		l.needed -= outcomeRoom(line)
	}
}

// isLong reports whether shorten would do something.
func (l *firedLog) isLong() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size > l.limit+2*l.needed
}

// shorten leaves what is pending in the file, and nothing else. All outcomes must have been synced.
func (l *firedLog) shorten() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) > 0 {
		return l.rewrite()
	}
	if err := l.f.Truncate(0); err != nil {
		return &FiredError{err}
	}
	l.size = 0
	return nil
}

// rewrite puts a file in its place that names only what is pending. // mu is held
func (l *firedLog) rewrite() error {
	var text []byte
	for _, line := range l.pending {
		text = append(text, line...)
	}
	f, err := l.replace(text)
	if err != nil {
		return &FiredError{err}
	}
	_ = l.f.Close() // nobody reads it any more
	l.f, l.size, l.stale = f, int64(len(text)), false
	return nil
}

// close takes the file away if nothing in it is pending, unless its name is another file's by now. All outcomes must have been synced.
func (l *firedLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return nil
	}
	if l.stale && len(l.pending) > 0 {
		_ = l.rewrite() // else the next run takes what was withdrawn for fired, and does not fire it
	}
	var changed *ChangedError
	if l.check != nil && errors.As(l.check(l.f, l.size), &changed) && len(l.pending) > 0 && !changed.Taken {
		return errors.Join(l.rewrite(), l.f.Close())
	}
	err := l.f.Close()
	if err == nil && len(l.pending) == 0 && (changed == nil || !changed.Taken) {
		err = l.remove()
	}
	return err
}
