package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// The defaults of a Config, and the limit of generations that wait to be read: each holds a file open.
const (
	DefaultEvery   = 250 * time.Millisecond
	DefaultQuiet   = 2 * time.Second
	MaxGenerations = 64
)

// ErrTruncated ends a generation that was truncated or rewritten. The next one is the same file, from its first byte.
var ErrTruncated = errors.New("follow: the file was truncated")

// ErrStopped ends reading after Config.Stop, where there is nothing more to read.
var ErrStopped = errors.New("follow: stopped")

// Config's zero value is useful.
type Config struct {
	Every time.Duration   // how often to look; 0: DefaultEvery
	Quiet time.Duration   // how long a file whose name is another one's must be quiet to be done; 0: DefaultQuiet
	AtEnd func()          // called before each wait, where all that is there was read; nil: nobody wants to know
	Stop  <-chan struct{} // closed: read what is there, then end with ErrStopped; nil: never
}

// File is a log that is followed. Make one with New, and Close it.
type File struct {
	name  string
	c     Config
	stop  context.CancelFunc
	ended sync.WaitGroup

	mu     sync.Mutex
	files  []*os.File // guarded by mu: the generations that are known and not done; the first is the one being read
	failed error      // guarded by mu: why no further generation can be opened
	fails  int        // guarded by mu: how often in a row it could not be

	offset int64  // of the generation being read
	head   []byte // its first bytes
	waited bool   // its end was met since the last bytes were read
}

// maxFails is how often in a row a file that bears the name may refuse to be opened: whoever rotates logs gives them their owners and permissions a little later.
const maxFails = 20

// headBytes is how much of a generation's beginning is compared, to notice that it was written anew.
const headBytes = 1 << 10

// New follows the log of that name from its first byte, until ctx ends. first, which may be nil, is a file that bore the name and is open already; it is owned
// by the File from now on.
func New(ctx context.Context, name string, first *os.File, c Config) *File {
	if c.Every <= 0 {
		c.Every = DefaultEvery
	}
	if c.Quiet <= 0 {
		c.Quiet = DefaultQuiet
	}
	if c.AtEnd == nil {
		c.AtEnd = func() {}
	}
	t := &File{name: name, c: c}
	if first != nil {
		t.files = append(t.files, first)
	}
	ctx, t.stop = context.WithCancel(ctx)
	t.find()
	t.ended.Go(func() { t.watch(ctx) })
	return t
}

// Close ends following and closes the files. Not while Read is under way.
func (t *File) Close() error {
	t.stop()
	t.ended.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, f := range t.files {
		errs = append(errs, f.Close())
	}
	t.files = nil
	return errors.Join(errs...)
}

// watch opens generations as they appear.
func (t *File) watch(ctx context.Context) {
	tick := time.NewTicker(t.c.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.find()
		case <-ctx.Done():
			return
		}
	}
}

// find opens the file that bears the name now, if it is a new one.
func (t *File) find() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.files) >= MaxGenerations || t.failed != nil {
		return
	}
	if named, err := os.Stat(t.name); err == nil && t.isNewest(named) {
		return
	}
	f, err := os.Open(t.name)
	if err == nil {
		var info fs.FileInfo
		info, err = f.Stat()
		switch {
		case err != nil:
		case !info.Mode().IsRegular():
			err = fmt.Errorf("follow: %s is no regular file", t.name)
		case !t.isNewest(info):
			t.files, t.fails = append(t.files, f), 0
			return
		}
		f.Close()
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		t.fails = 0
	} else if t.fails++; t.fails >= maxFails {
		t.failed = err
	}
}

// isNewest reports whether info is that of the newest generation. // mu is held
func (t *File) isNewest(info fs.FileInfo) bool {
	if len(t.files) == 0 {
		return false
	}
	newest, err := t.files[len(t.files)-1].Stat()
	return err == nil && os.SameFile(newest, info)
}

// Next waits until there is a generation to read, which Read then reads from its first byte. It blocks. Its error is ctx's cause, ErrStopped, or why the
// file cannot be opened.
func (t *File) Next(ctx context.Context) error {
	t.offset, t.head, t.waited = 0, nil, false
	for {
		t.mu.Lock()
		n, failed := len(t.files), t.failed
		t.mu.Unlock()
		switch {
		case n > 0:
			return nil
		case failed != nil:
			return failed
		}
		if err := t.wait(ctx); err != nil {
			return err
		}
	}
}

// wait waits for the next look.
func (t *File) wait(ctx context.Context) error {
	t.c.AtEnd()
	timer := time.NewTimer(t.c.Every)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-t.c.Stop:
		return ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Read reads what comes next in the generation, and waits for it: it blocks. It returns io.EOF where a generation is done, ErrTruncated where it was
// truncated, in both cases Next comes next; ErrStopped; ctx's cause; or the file's error.
func (t *File) Read(ctx context.Context, p []byte) (int, error) {
	var quiet time.Duration // since the name became another file's
	for {
		if err := ctx.Err(); err != nil {
			return 0, context.Cause(ctx)
		}
		t.mu.Lock()
		f, last, failed := t.files[0], len(t.files) == 1, t.failed
		t.mu.Unlock()
		n, err := t.read(f, p)
		if n > 0 || err != nil {
			return n, err
		}
		if !last {
			if quiet >= t.c.Quiet {
				return 0, t.done()
			}
			quiet += t.c.Every
		} else if failed != nil {
			return 0, failed
		}
		if err := t.wait(ctx); err != nil {
			if err == ErrStopped && !last { // the others are there, too
				return 0, t.done()
			}
			return 0, err
		}
	}
}

// done goes on to the next generation.
func (t *File) done() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.files[0]
	t.files = t.files[1:]
	f.Close()
	return io.EOF
}

// read reads what is there; 0, nil: nothing new is.
func (t *File) read(f *os.File, p []byte) (int, error) {
	n, err := f.ReadAt(p, t.offset)
	if err != nil && err != io.EOF {
		return 0, err
	}
	if n == 0 {
		t.waited = true
		info, err := f.Stat()
		if err == nil && (info.Size() < t.offset || !t.beginsAsBefore(f)) { // written anew, it may be as long as before
			err = ErrTruncated
		}
		return 0, err
	}
	if t.waited && !t.beginsAsBefore(f) {
		return 0, ErrTruncated
	}
	if at := int(t.offset); at == len(t.head) && at < headBytes {
		t.head = append(t.head, p[:min(n, headBytes-at)]...)
	}
	t.offset += int64(n)
	t.waited = false
	return n, nil
}

// beginsAsBefore reports whether the file's first bytes are what they were.
func (t *File) beginsAsBefore(f *os.File) bool {
	now := make([]byte, len(t.head))
	n, _ := f.ReadAt(now, 0)
	return bytes.Equal(now[:n], t.head)
}

// Offset is how much of the generation was read.
func (t *File) Offset() int64 { return t.offset }
