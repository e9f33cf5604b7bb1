package retrylog

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// Errors of Open, beside those of the file system, *NotOursError and *FiredError.
var (
	ErrLocked     = errors.New("another refire is writing it")
	ErrNotRegular = errors.New("not a regular file")
)

// file is what a journal needs of an *os.File; tests put failing ones here.
type file interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// Options say how a journal is written. The zero value is fine.
type Options struct {
	Sync Sync // empty: SyncInterval
}

// Repairs are what Open found to be done.
type Repairs struct {
	Torn    int64 // bytes of a line that was cut short: its entry has no outcome yet
	Unknown int   // entries that were announced and have no outcome: it was written now that it is unknown
}

// Journal is a retry log that is being written. Its methods may be called from several goroutines, which they block.
type Journal struct {
	f      file
	fired  *firedLog
	policy Sync
	loaded int64  // what was there when it was opened, repaired
	path   string // as it was named; empty: it is no file of the system's
	home   string // the same by no link
	room   room
	locked bool
	remote string

	mu      sync.Mutex
	size    int64         // guarded by mu: whole lines
	broken  error         // guarded by mu: nothing is written any more, and why
	changed *ChangedError // guarded by mu: by somebody else; nil: not so far
	enc     Encoder
	buf     []byte

	due     bool        // guarded by mu: the timer runs
	timer   *time.Timer // guarded by mu
	syncing sync.WaitGroup
}

// Open opens the retry log at path, or creates it, for this run alone. It gives every outcome that is in it to visit, and repairs its end: a line that was
// torn when a run was killed is cut off, a missing last newline is added. What was announced and has no outcome gets one: nobody knows (refire.Unknown). A
// file that refire has not written is left as it is: *NotOursError.
func Open(path string, o Options, visit func(*refire.Outcome) error) (j *Journal, r Repairs, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, r, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, r, err
	}
	if !info.Mode().IsRegular() {
		return nil, r, ErrNotRegular
	}
	locked, err := lock(f)
	if err != nil {
		return nil, r, err
	}
	if err := announcedElsewhere(info, Beside(path, "")); err != nil {
		return nil, r, err
	}
	left, err := ReadFired(path) // under the lock of f
	if err != nil {
		return nil, r, err
	}
	j, r, err = open(f, info.Size(), firedAt(path), left, o, visit)
	if err != nil {
		return nil, r, err
	}
	j.path, j.home, j.locked, j.remote = path, Beside(path, ""), locked, network(f)
	if info.Size() == 0 && o.Sync != SyncNever {
		syncFolder(path)
	}
	return j, r, nil
}

// open is Open with files of any kind; left is what was announced in fired.
func open(f file, size int64, fired *firedLog, left *Fired, o Options, visit func(*refire.Outcome) error) (*Journal, Repairs, error) {
	ext, err := Read(io.NewSectionReader(f, 0, size), func(o *refire.Outcome) error {
		left.Settle(o)
		return visit(o)
	})
	if err != nil {
		return nil, Repairs{}, err
	}
	j := &Journal{f: f, fired: fired, policy: o.Sync, size: ext.Bytes}
	fired.sync = o.Sync != SyncNever
	if err := j.repair(ext); err != nil {
		return nil, Repairs{}, err
	}
	if err := j.settleUnknown(left, visit); err != nil {
		return nil, Repairs{}, err
	}
	j.loaded = j.size
	j.room.size.Store(j.size)
	return j, Repairs{Torn: ext.Torn, Unknown: left.Len()}, nil
}

// settleUnknown writes what nobody knows, and then takes the announcements away. What a killed run had not synced is synced with it.
func (j *Journal) settleUnknown(left *Fired, visit func(*refire.Outcome) error) error {
	unknown := left.Outcomes()
	if len(unknown) > 0 {
		if _, err := j.Append(unknown); err != nil {
			return err
		}
	}
	if j.size > 0 && j.policy != SyncNever {
		if err := j.f.Sync(); err != nil {
			return syncError(err)
		}
	}
	for i := range unknown {
		if err := visit(&unknown[i]); err != nil {
			return err
		}
	}
	if !left.there {
		return nil
	}
	return j.fired.remove()
}

func (j *Journal) repair(ext Extent) error {
	switch {
	case ext.Torn > 0:
		return j.f.Truncate(ext.Bytes)
	case ext.Unends:
		if _, err := j.f.Write([]byte("\n")); err != nil {
			return errors.Join(err, j.f.Truncate(ext.Bytes))
		}
		j.size++
	}
	return nil
}

// Locked reports whether a second run on the same file would be noticed. It would not on systems without flock.
func (j *Journal) Locked() bool { return j.locked }

// Network names the network file system that the file is on; empty: none that is known. There, a second run may be noticed on the same machine only.
func (j *Journal) Network() string { return j.remote }

// Append writes outcomes. After an error with fewer written than there are, the file holds exactly the lines that written counts, and nothing more is written to
// it. All are written with a *ChangedError, to the file that was opened, and where there is no room for more than is under way.
func (j *Journal) Append(outcomes []refire.Outcome) (written int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return 0, j.broken
	}
	j.buf = j.buf[:0]
	for i := range outcomes {
		if j.buf, err = j.enc.Append(j.buf, &outcomes[i]); err != nil {
			return 0, err
		}
	}
	n, err := j.f.Write(j.buf)
	if err != nil {
		written, err = j.keepWhole(n, err)
		j.fired.settle(outcomes[:written])
		return written, err
	}
	j.size += int64(n)
	changed := j.note()
	j.room.size.Store(j.size)
	j.fired.settle(outcomes)
	if err := j.written(); err != nil {
		return len(outcomes), err
	}
	return len(outcomes), cmp.Or(changed, j.keepRoom(0))
}

// Announce implements refire.Announcer: it returns when the next Open would find that these requests may have been fired, and there is room for their outcomes,
// where the system can tell.
func (j *Journal) Announce(requests []refire.Request, round int) error {
	return j.fired.announce(requests, round, j.keepRoom)
}

// Withdraw implements refire.Announcer: these requests have been announced, and not a byte of them was sent.
func (j *Journal) Withdraw(requests []refire.Request, round int) error {
	return j.fired.withdraw(requests, round)
}

// keepWhole cuts a line off that was written in part, which needs no room on a full disk. If even that fails, the next Open does it.
func (j *Journal) keepWhole(n int, cause error) (written int, err error) {
	whole := bytes.LastIndexByte(j.buf[:n], '\n') + 1
	j.size += int64(whole)
	if f, ok := j.f.(*os.File); ok && whole < n { // whatever somebody else has done to it
		if info, err := f.Stat(); err == nil {
			j.size = max(0, info.Size()-int64(n-whole))
		}
	}
	if whole < n {
		if err := j.f.Truncate(j.size); err != nil {
			cause = errors.Join(cause, err)
		}
	}
	return bytes.Count(j.buf[:whole], []byte("\n")), j.fail(cause)
}

// fail is told to this Append and to all later ones: what a failed sync has lost, a later one does not report again. j.mu is held.
func (j *Journal) fail(err error) error {
	if j.broken == nil {
		j.broken = err
	}
	return err
}

// Close makes the lines outlast the machine, unless the policy is SyncNever, and gives the file free.
func (j *Journal) Close() error {
	j.endSyncs()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.policy != SyncNever {
		if err := j.f.Sync(); err != nil {
			return errors.Join(syncError(err), j.f.Close()) // the announcements stay
		}
	}
	j.giveRoom()
	return errors.Join(j.fired.close(), j.f.Close())
}

// Loaded reads again what was in the file when it was opened.
func (j *Journal) Loaded() io.Reader { return io.NewSectionReader(j.f, 0, j.loaded) }
