package accesslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"

	"github.com/seed8b1f0744/aio/refire/internal/mark"
)

// DefaultMaxLineBytes is the limit where Options.MaxLineBytes is 0.
const DefaultMaxLineBytes = 1 << 20

// ErrChanged is wrapped by the error that ends the scan of a file that shrank, or was rewritten, while it was read. Logs that
// are rotated by truncating them (logrotate's copytruncate) do that; scan the rotated copy instead.
var ErrChanged = errors.New("the file was changed while it was read")

// ErrUsed is what a second All of one Scanner yields.
var ErrUsed = errors.New("accesslog: the scanner was used already; make a new one")

// Options says what to scan for. The zero value is ready to use.
type Options struct {
	// Source names the log in entries and errors.
	Source string

	// Format is what the log is written in. Auto: Detect says it; lines that are not of the main format are tried as those others of which the
	// first lines held some.
	Format Format

	// Status selects the entries to deliver. Empty: 5xx.
	Status StatusSet

	// Tag is looked for in the lines of the entries that are delivered: see Entry.Tagged. Empty: nothing is.
	Tag string

	// MaxLineBytes is the length of the longest line that is read, without its newline; longer ones are delivered as a BadLine
	// and passed over without being held in memory. 0: DefaultMaxLineBytes.
	MaxLineBytes int

	// End leaves out the lines that begin at that offset or behind it; one that begins before is read to its end. So nothing is read of what a server
	// logs because of what is done with the entries. 0: all lines.
	End int64

	// Workers is how many goroutines scan a file beside the caller's, which only puts their results in order, and does the
	// work itself where no worker has started. 0: runtime.GOMAXPROCS(0). Streams, and files of less than a few megabytes, need none.
	Workers int

	// Submit runs the workers. It has the signature of aio.Executor's Submit, so that a pool's can be given. A worker that it
	// refuses, or starts late, makes the scan slower and nothing else. nil: plain goroutines.
	Submit func(ctx context.Context, call func()) error
}

func (o Options) withDefaults() Options {
	if o.Status.IsEmpty() {
		o.Status = serverErrors
	}
	if o.MaxLineBytes <= 0 {
		o.MaxLineBytes = DefaultMaxLineBytes
	}
	if o.End <= 0 {
		o.End = noLimit
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Submit == nil {
		o.Submit = func(_ context.Context, call func()) error {
			go call()
			return nil
		}
	}
	return o
}

// Scanner reads a log once, from its beginning to its end. Make one with NewScanner or NewFileScanner. Its methods must not be
// called concurrently, but Detection and Stats may be called inside the loop over All.
type Scanner struct {
	opts Options

	stream io.Reader   // what to read; or, with segments:
	file   io.ReaderAt // ...
	size   int64       // of file when the scan began
	mark   *mark.Mark  // of file then
	step   int         // how much to read at once
	stride int64       // the length of a file's segments

	sample int // how much of it prime reads

	used     bool
	primed   bool
	head     []byte // what prime has read of the stream
	err      error  // with which that reading ended
	key      streamKey
	detected Detection
	reader   reader // what to read with

	stats   Stats   // of what was walked
	running *walker // not in stats yet; nil when there is none
}

// segmentBytes is how much of a file a worker takes at once. It is large because handing over costs more than the reading of a few
// hundred kilobytes.
const segmentBytes = 16 << 20

// NewScanner scans a stream: standard input, a pipe, what a decompressor yields. It does not close r.
func NewScanner(r io.Reader, opts Options) *Scanner {
	return &Scanner{opts: opts.withDefaults(), stream: r, step: readBytes, stride: segmentBytes, sample: maxDetectBytes}
}

// NewFileScanner scans a file from its beginning, wherever it stands, on several cores. The scan ends where a read first meets
// the end of the file: what was appended before that is read (but for Options.End), what is appended later is not. A file that gets shorter ends the scan
// with an error that wraps ErrChanged, and so does one that was truncated and has grown again: nothing of its new text is read as if it followed the old one.
// Pipes and devices are read as NewScanner reads them. It does not close f.
func NewFileScanner(f *os.File, opts Options) (*Scanner, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("accesslog: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("accesslog: %s is a directory; name the log files in it", f.Name())
	}
	s := NewScanner(f, opts)
	if info.Mode().IsRegular() {
		s.stream, s.file, s.mark = nil, f, mark.Of(f)
		s.size = min(s.mark.Offset, s.opts.End)
	}
	return s, nil
}

// All reads the log to its end and yields, in the log's order,
//   - each entry whose status is selected (those with NoRequest set, too),
//   - each bad line, as an error of type *BadLine, after which it goes on,
//   - at most one other error, which is the last thing it yields: reading failed, the file changed (ErrChanged), ctx ended.
//
// It blocks its goroutine while it reads: in a task, call it through aio.Blocking. When it returns, and when its loop is left early, nothing
// of it runs any more. It may be used once.
func (s *Scanner) All(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		err := ErrUsed
		if !s.used {
			s.used = true
			s.prime()
			if s.file != nil {
				err = s.scanFile(ctx, yield)
			} else {
				err = s.scanStream(ctx, yield)
			}
		}
		if err != nil && err != errStopped {
			yield(Entry{}, err)
		}
	}
}

// errStopped says that the caller left the loop.
var errStopped = errors.New("stopped")

// scanStream walks everything in the calling goroutine.
func (s *Scanner) scanStream(ctx context.Context, yield func(Entry, error) bool) error {
	c := &cursor{read: s.stream.Read, step: s.step, held: s.head, limit: s.opts.End, err: s.err, first: -1}
	s.head = nil
	w := newWalker(&s.opts, s.key, s.reader)
	if s.opts.Format == Auto {
		w.grammars = learnGrammars(&s.detected, s.reader)
	}
	_, err := s.inline(ctx, c, w, s.yielder(yield))
	return err
}

// inline walks a stretch in the calling goroutine.
func (s *Scanner) inline(ctx context.Context, c *cursor, w *walker, deliver func([]record) bool) (span, error) {
	w.deliver = deliver
	s.running = w
	err := c.scan(ctx, w, true)
	s.running = nil
	s.stats.Add(&w.stats)
	if w.stopped {
		return span{}, errStopped
	}
	return span{c.first, c.end}, s.readError(c, err)
}

// yielder returns a function that yields the records of the stretch that begins where s.stats end.
func (s *Scanner) yielder(yield func(Entry, error) bool) func([]record) bool {
	return func(records []record) bool {
		for i := range records {
			r := &records[i]
			var more bool
			if r.bad != nil {
				r.bad.Line += s.stats.Lines
				more = yield(Entry{}, r.bad)
			} else {
				r.entry.Line += s.stats.Lines
				more = yield(r.entry, nil)
			}
			if !more {
				return false
			}
		}
		return true
	}
}

// readError says where reading failed. What ended a context needs no place.
func (s *Scanner) readError(c *cursor, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("accesslog: %s: reading at byte %d: %w", s.opts.Source, c.offset+int64(len(c.held)), err)
}

// Detection looks at the first lines without taking them from All. On a stream it waits for the first line to arrive. It
// returns the zero Detection if nothing can be read; the error is then All's.
func (s *Scanner) Detection() Detection {
	s.prime()
	return s.detected
}

// Stats returns the counts: all of them after All has ended; inside its loop those of the lines so far, and of some
// that were read ahead.
func (s *Scanner) Stats() Stats {
	stats := s.stats
	if s.running != nil {
		stats.Add(&s.running.stats)
	}
	return stats
}
