package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/seed8b1f0744/aio/refire/internal/mark"
)

// The defaults of a Config, and the limit of generations that wait to be read: each holds a file open. A log that is rotated every hour reaches it in ten days.
const (
	DefaultEvery   = 250 * time.Millisecond
	DefaultQuiet   = 2 * time.Second
	MaxGenerations = 256
)

// ErrTruncated ends a generation that was truncated or rewritten, in a *TruncatedError. The next one is the same file, from its first byte.
var ErrTruncated = errors.New("follow: the file was truncated")

// ErrStopped ends reading after Config.Stop, where there is nothing more to read.
var ErrStopped = errors.New("follow: stopped")

// Config's zero value is useful.
type Config struct {
	Every time.Duration   // how often to look; 0: DefaultEvery
	Quiet time.Duration   // how long a file whose name is another one's must be quiet to be done; 0: DefaultQuiet
	AtEnd func()          // called before each wait, where all that is there was read; nil: nobody wants to know
	Stop  <-chan struct{} // closed: read what is there, then end with ErrStopped; nil: never

	// Missed is told, while nobody waits for it, that a generation is not read: MaxGenerations waited before it all the time that it bore the name. nil: nobody
	// wants to know.
	Missed func()
}

// File is a log that is followed. Make one with New, and Close it.
type File struct {
	name  string
	c     Config
	stop  context.CancelFunc
	ended sync.WaitGroup

	mu     sync.Mutex
	files  []*generation // guarded by mu: those that are known and not done; the first is the one being read
	passed fs.FileInfo   // guarded by mu: a file that bore the name at the last look, and for which there was no room; nil: none
	failed error         // guarded by mu: why no further generation can be opened
	fails  int           // guarded by mu: how often in a row it could not be
	read   int64         // guarded by mu: mark.Offset, for those who look

	mark mark.Mark // of the generation being read
}

// maxFails is how often in a row a file that bears the name may refuse to be opened: whoever rotates logs gives them their owners and permissions a little later.
const maxFails = 20

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
	if c.Missed == nil {
		c.Missed = func() {}
	}
	t := &File{name: name, c: c}
	if first != nil {
		t.open(first)
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
	for _, g := range t.files {
		errs = append(errs, g.f.Close())
	}
	t.files = nil
	return errors.Join(errs...)
}

// watch opens generations as they appear, and notices those that are truncated, however long the reader is away.
func (t *File) watch(ctx context.Context) {
	tick := time.NewTicker(t.c.Every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if t.find() {
				t.c.Missed()
			}
			t.look()
		case <-ctx.Done():
			return
		}
	}
}

func (t *File) look() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, g := range t.files {
		switch {
		case i == 0:
			g.look(t.read)
		case i == len(t.files)-1 || g.changed(): // of those between, which may be many, nobody but their writer knows
			g.look(0)
		}
	}
}

// find opens the file that bears the name now, if it is a new one. missed: there was one before it that is lost.
func (t *File) find() (missed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed != nil {
		return false
	}
	named, err := os.Stat(t.name)
	if err == nil && t.isNewest(named) {
		return false
	}
	if len(t.files) >= MaxGenerations {
		return err == nil && t.pass(named)
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
			missed = t.passed != nil && !os.SameFile(t.passed, info)
			t.passed, t.fails = nil, 0
			t.open(f)
			return missed
		}
		f.Close()
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		t.fails = 0
	} else if t.fails++; t.fails >= maxFails {
		t.failed = err
	}
	return false
}

// open takes on a generation. // mu is held, or nobody else knows t
func (t *File) open(f *os.File) {
	t.files = append(t.files, newGeneration(f))
}

// pass leaves a file for which there is no room: it is opened when there is, if it bears the name then. missed: another one did not come to that. // mu is held
func (t *File) pass(named fs.FileInfo) (missed bool) {
	missed = t.passed != nil && !os.SameFile(t.passed, named)
	if t.passed == nil || missed {
		os.SameFile(named, named) // on Windows, what makes it the same is asked for by its name, now
		t.passed = named
	}
	return missed
}

// isNewest reports whether info is that of the newest generation. // mu is held
func (t *File) isNewest(info fs.FileInfo) bool {
	if len(t.files) == 0 {
		return false
	}
	newest, err := t.files[len(t.files)-1].f.Stat()
	return err == nil && os.SameFile(newest, info)
}

// Next waits until there is a generation to read, which Read then reads from its first byte. It blocks. Its error is ctx's cause, ErrStopped, or why the
// file cannot be opened.
func (t *File) Next(ctx context.Context) error {
	t.mark = mark.Mark{}
	for {
		t.mu.Lock()
		t.read = 0
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

// Read reads what comes next in the generation, and waits for it: it blocks. It returns io.EOF where a generation is done, a *TruncatedError where it was
// truncated, in both cases Next comes next; ErrStopped; ctx's cause; or the file's error. What it reads follows what it has read: of a file that was truncated
// and has grown since, however long nobody has read, it returns nothing in the name of the old one.
func (t *File) Read(ctx context.Context, p []byte) (int, error) {
	var quiet time.Duration // since the name became another file's
	for {
		if err := ctx.Err(); err != nil {
			return 0, context.Cause(ctx)
		}
		t.mu.Lock()
		g, last, failed := t.files[0], len(t.files) == 1, t.failed
		t.mu.Unlock()
		n, err := t.next(g, p)
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
	g := t.files[0]
	t.files = t.files[1:]
	g.f.Close()
	return io.EOF
}

// next reads what is there; 0, nil: nothing new is.
func (t *File) next(g *generation, p []byte) (int, error) {
	n, err := g.f.ReadAt(p, t.mark.Offset)
	if err != nil && err != io.EOF {
		return 0, err
	}
	n = written(g.f, p[:n], t.mark.Offset)
	holds := t.mark.Holds(g.f) // asked after the read
	t.mu.Lock()
	defer t.mu.Unlock()
	if !holds {
		if g.look(t.read); g.cuts == 0 {
			g.cut(t.read)
		}
	}
	if err := g.told(t.read); err != nil {
		return 0, err
	}
	t.mark.Add(p[:n])
	t.read = t.mark.Offset
	return n, nil
}

// Offset is how much of the generation was read.
func (t *File) Offset() int64 { return t.mark.Offset }
