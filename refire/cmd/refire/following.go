package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/follow"
	"github.com/seed8b1f0744/aio/refire/unpack"
)

// followed reports whether the log may grow: it is a file, or will be one, and not packed.
func (l *log) followed() bool { return l.stream == nil && l.kind == unpack.Plain }

// following reads logs that grow, each in a goroutine of its own, and gives what is in them to one taker, one at a time.
type following struct {
	r     *reading
	emit  func(refire.Request) error
	stop  chan struct{} // closed: read what is there, then end
	group sync.WaitGroup

	mu  sync.Mutex // held while the reading looks at an entry, which waits until there is room for it
	err error      // guarded by mu: the first one
	end context.CancelCauseFunc
}

// follow reads logs to their ends, one after the other, and then goes on with what is appended to any of them, until ctx ends, or for so long if it is not 0.
func (r *reading) follow(ctx context.Context, logs []*log, long time.Duration, emit func(refire.Request) error) error {
	f := &following{r: r, emit: emit, stop: make(chan struct{})}
	if long > 0 {
		timer := time.AfterFunc(long, func() { close(f.stop) })
		defer timer.Stop()
	}
	ctx, f.end = context.WithCancelCause(ctx)
	defer f.end(nil)
	before := make(chan struct{})
	close(before)
	for _, l := range logs {
		turn, atEnd := before, make(chan struct{})
		before = atEnd
		f.group.Go(func() {
			var once sync.Once
			reached := func() { once.Do(func() { close(atEnd) }) }
			defer reached()
			if err := f.log(ctx, l, turn, reached); err != nil {
				f.fail(err)
			}
		})
	}
	f.group.Wait()
	return f.err
}

// fail keeps the first error and ends the others.
func (f *following) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
		f.end(err)
	}
}

// log follows one log, from its turn on.
func (f *following) log(ctx context.Context, l *log, turn <-chan struct{}, reached func()) error {
	var missed atomic.Int64
	file := follow.New(ctx, l.name, l.file, follow.Config{AtEnd: reached, Stop: f.stop, Missed: func() {
		if missed.Add(1) == 1 {
			f.r.c.say("refire: %s is rotated, and rotated again, while refire waits: %d files of it are held open, and of those that come then one or more are not read", l.name, follow.MaxGenerations)
		}
	}})
	var lost lost
	defer func() {
		file.Close()
		l.trouble = lost.trouble(l.name, missed.Load())
	}()
	select {
	case <-turn:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		if err := file.Next(ctx); errors.Is(err, follow.ErrStopped) {
			return nil
		} else if err != nil {
			return f.cannot(ctx, l, err)
		}
		switch err := f.generation(ctx, l, file); {
		case err == nil:
			f.r.c.say("refire: %s was rotated: its old file is read to the end, the new one comes next", l.name)
		case errors.Is(err, follow.ErrStopped):
			return nil
		case lost.truncated(err):
			f.r.c.say("refire: %s was truncated%s; it was read to byte %d: what came after that%s is in its copy only; run on that, too (nothing in it is fired twice)",
				l.name, times(lost.last.Times), lost.last.Read, known(lost.last.Unread))
		default:
			return f.cannot(ctx, l, err)
		}
	}
}

// lost is what was in a log, and is not read.
type lost struct {
	last  *follow.TruncatedError
	times int   // truncated, with something known to be unread
	bytes int64 // of that
}

// truncated takes in how a generation ended, and reports whether it was so.
func (l *lost) truncated(err error) bool {
	if !errors.As(err, &l.last) {
		return false
	}
	if l.last.Unread > 0 {
		l.times += l.last.Times
		l.bytes += l.last.Unread
	}
	return true
}

// trouble says at the end of a run what is not in it; nil: nothing is known to be missing.
func (l *lost) trouble(name string, missed int64) *failure {
	var what []string
	if l.times > 0 {
		what = append(what, fmt.Sprintf("it was truncated%s before it was read to its end (%s bytes or more)", times(l.times), number(l.bytes)))
	}
	if missed > 0 {
		what = append(what, fmt.Sprintf("%s or more came and went while %d others waited", plural(missed, "file"), follow.MaxGenerations))
	}
	if len(what) == 0 {
		return nil
	}
	return cannotRun(fmt.Errorf("%s was not read in full: %s", name, strings.Join(what, ", and ")),
		"run on its copies and on what was rotated, too: nothing in them is fired twice")
}

// times says how often, if that is more than once.
func times(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" %d times", n)
}

// known says how much is known to be unread.
func known(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s bytes or more)", number(bytes))
}

func (f *following) cannot(ctx context.Context, l *log, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var told *failure
	if errors.As(err, &told) {
		return err
	}
	return unreadable(l.name, err)
}

// generation reads one file that bears the log's name, from its first byte to its end.
func (f *following) generation(ctx context.Context, l *log, file *follow.File) error {
	opts := f.r.flags.options()
	opts.Source = l.name
	s := accesslog.NewScanner(growing{ctx, file}, opts)
	err := walk(ctx, s, func(e *accesslog.Entry, bad *accesslog.BadLine) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.r.look(e, bad, f.emit)
	})
	stats := s.Stats()
	f.mu.Lock()
	f.r.stats.Add(&stats)
	f.mu.Unlock()
	return err
}

// growing is a generation as an io.Reader.
type growing struct {
	ctx  context.Context
	file *follow.File
}

func (g growing) Read(p []byte) (int, error) { return g.file.Read(g.ctx, p) }
