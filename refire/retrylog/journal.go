package retrylog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// Errors of Open, beside those of the file system and *NotOursError.
var (
	ErrLocked     = errors.New("another refire is writing it")
	ErrNotRegular = errors.New("not a regular file")
)

// syncEvery is how long lines may stay in the system's memory. A killed run loses none of them; a power cut loses at most these, whose entries are then
// fired again.
const syncEvery = time.Second

// file is what a journal needs of an *os.File; tests put failing ones here.
type file interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// Journal is a retry log that is being written. Its methods are for one goroutine at a time, and block.
type Journal struct {
	f      file
	size   int64 // whole lines
	loaded int64 // of size, what was there when it was opened
	locked bool
	broken bool // a write failed: nothing is written any more
	synced time.Time
	enc    Encoder
	buf    []byte
}

// Open opens the retry log at path, or creates it, for this run alone. It gives every outcome that is in it to visit, and repairs its end: a line that was
// torn when a run was killed is cut off, a missing last newline is added. A file that refire has not written is left as it is: *NotOursError.
func Open(path string, visit func(*refire.Outcome) error) (j *Journal, torn int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, ErrNotRegular
	}
	locked, err := lock(f)
	if err != nil {
		return nil, 0, err
	}
	ext, err := Read(f, visit)
	if err != nil {
		return nil, 0, err
	}
	j = &Journal{f: f, size: ext.Bytes, locked: locked, synced: time.Now()}
	if err := j.repair(ext); err != nil {
		return nil, 0, err
	}
	j.loaded = j.size
	return j, ext.Torn, nil
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

// Append writes outcomes. After an error the file holds exactly the lines that written counts, and nothing more is written to it.
func (j *Journal) Append(outcomes []refire.Outcome) (written int, err error) {
	if j.broken {
		return 0, errors.New("retrylog: an earlier write failed")
	}
	j.buf = j.buf[:0]
	for i := range outcomes {
		if j.buf, err = j.enc.Append(j.buf, &outcomes[i]); err != nil {
			return 0, err
		}
	}
	n, err := j.f.Write(j.buf)
	if err != nil {
		return j.keepWhole(n, err)
	}
	j.size += int64(n)
	if time.Since(j.synced) >= syncEvery {
		if err := j.sync(); err != nil {
			j.broken = true
			return len(outcomes), err
		}
	}
	return len(outcomes), nil
}

// keepWhole cuts a line off that was written in part, which needs no room on a full disk. If even that fails, the next Open does it.
func (j *Journal) keepWhole(n int, cause error) (written int, err error) {
	j.broken = true
	whole := bytes.LastIndexByte(j.buf[:n], '\n') + 1
	j.size += int64(whole)
	if whole < n {
		if err := j.f.Truncate(j.size); err != nil {
			cause = errors.Join(cause, err)
		}
	}
	return bytes.Count(j.buf[:whole], []byte("\n")), cause
}

func (j *Journal) sync() error {
	j.synced = time.Now()
	if err := j.f.Sync(); err != nil {
		return fmt.Errorf("retrylog: sync: %w", err)
	}
	return nil
}

// Close makes the lines outlast a power cut, and gives the file free.
func (j *Journal) Close() error { return errors.Join(j.sync(), j.f.Close()) }

// Loaded reads again what was in the file when it was opened.
func (j *Journal) Loaded() io.Reader { return io.NewSectionReader(j.f, 0, j.loaded) }
