package main

import (
	"context"
	"errors"
	"sync"
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
	file := follow.New(ctx, l.name, l.file, follow.Config{AtEnd: reached, Stop: f.stop})
	defer file.Close()
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
		case errors.Is(err, follow.ErrTruncated):
			f.r.c.say("refire: %s was truncated after byte %d: what was written to it right before that is in its copy only; run on that, too (nothing in it is fired twice)",
				l.name, file.Offset())
		default:
			return f.cannot(ctx, l, err)
		}
	}
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
