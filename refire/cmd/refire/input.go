package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/internal/mark"
	"github.com/seed8b1f0744/aio/refire/unpack"
)

// log is a log to be read, checked: it can be read, and it is no archive of a kind that cannot be unpacked.
type log struct {
	name   string
	info   fs.FileInfo
	file   *os.File      // a regular file, open since it was checked: when its turn comes, its name may be another one's (log rotation)
	stream *bufio.Reader // of standard input and pipes
	end    int64         // of what is to be read, from where it begins: what was there when the run began; -1: a pipe, which has no such end
	close  func() error

	mark    *mark.Mark // of file when it was checked
	kind    unpack.Kind
	head    []byte            // its first bytes, unpacked; of a file only, and only until they are noted
	begins  time.Time         // of its first entry, or, where that is not known, when it was written
	key     string            // what its first line comes to: see logKey
	headSum [sha256.Size]byte // of head; zero: it holds no whole line
	length  int64             // unpacked, modulo 4 GiB; -1: not known

	detected accesslog.Detection       // what a file looks like
	looks    string                    // what it looks like if it is no access log, in words; empty: that is not known
	hint     string                    // what to do then
	guess    func(accesslog.Detection) // told when it is the log's turn what it looks like; nil: nobody asks

	ahead   *ahead   // it is being read already; nil: not before its turn
	trouble *failure // set by scan if it could not be read as a log, to its end
	broken  bool     // set by scan: there was more, which could not be unpacked
}

// openLog checks a log before anything is done.
func openLog(name string, std stdio) (*log, error) {
	f, err := std.in, error(nil)
	if name != "-" {
		f, err = os.Open(name)
	}
	if err != nil {
		return nil, unreadable(name, err)
	}
	l := &log{name: name, close: f.Close}
	if err := l.begin(f); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *log) begin(f *os.File) (err error) {
	if l.info, err = f.Stat(); err != nil {
		return unreadable(l.name, err)
	}
	if l.end = -1; l.info.Mode().IsRegular() {
		at, err := f.Seek(0, io.SeekCurrent) // standard input may stand anywhere
		if err != nil {
			return unreadable(l.name, err)
		}
		l.end = max(0, l.info.Size()-at)
	}
	if l.info.IsDir() {
		return cannotRun(errors.New("standard input is a directory"), "give it a log: refire ... - <access.log")
	}
	if l.name != "-" && l.info.Mode().IsRegular() {
		l.file = f
		return l.beginFile()
	}
	l.stream = bufio.NewReaderSize(f, 256<<10)
	head, err := l.stream.Peek(unpack.MagicBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return unreadable(l.name, err)
	}
	if l.kind = unpack.Recognise(head); !l.kind.CanRead() {
		return notUnpacked(l.name, l.kind)
	}
	if head, _ = l.stream.Peek(l.stream.Buffered()); isRetryLog(head) {
		return ownLog(l.name)
	}
	return nil
}

// detectBytes is how much of a file is looked at to recognise it, if there are some lines in it.
const detectBytes = 64 << 10

// sample reads more of the log, after the first bytes, until it can be recognised by that.
func (l *log) sample(read func(p []byte, offset int) (int, error)) error {
	for len(l.head) >= detectBytes && !accesslog.IsSample(l.head) {
		n := len(l.head)
		more := append(l.head, make([]byte, n)...)
		got, err := read(more[n:], n)
		if l.head = more[:n+got]; err != nil {
			return err
		}
	}
	return nil
}

// beginFile reads the first bytes, and unpacks them.
func (l *log) beginFile() error {
	l.mark = mark.Of(l.file)
	l.head = make([]byte, detectBytes)
	n, err := l.file.ReadAt(l.head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return unreadable(l.name, err)
	}
	l.head = l.head[:n]
	switch l.kind = unpack.Recognise(l.head); {
	case !l.kind.CanRead():
		return notUnpacked(l.name, l.kind)
	case l.kind == unpack.Plain:
		if err := l.sample(func(p []byte, offset int) (int, error) { return l.file.ReadAt(p, int64(offset)) }); err != nil && !errors.Is(err, io.EOF) {
			return unreadable(l.name, err)
		}
		return nil
	}
	z := unpack.NewReader(l.packed(), l.kind)
	defer z.Close()
	l.head = make([]byte, detectBytes)
	n, err = io.ReadFull(z, l.head)
	if l.head = l.head[:n]; err == nil {
		err = l.sample(func(p []byte, _ int) (int, error) { return io.ReadFull(z, p) })
	}
	var fault *unpack.Error
	var limit *unpack.LimitError
	if errors.As(err, &fault) && (n == 0 || errors.As(err, &limit)) { // what is met later is told when it is
		return damaged(l.name, fault)
	}
	return nil
}

// packed is the whole file, whatever was read of it.
func (l *log) packed() io.Reader { return io.NewSectionReader(l.file, 0, 1<<62) }

// notUnpacked is for an archive of a kind that is known, and not read.
func notUnpacked(name string, kind unpack.Kind) *failure {
	file := name
	if name == "-" {
		file = "FILE"
	}
	what := "compressed"
	if kind == unpack.Tar {
		what = "an archive"
	}
	return cannotRun(fmt.Errorf("%s is %s (%v), of a kind that is not unpacked here", spoken(name), what, kind),
		fmt.Sprintf("unpack it on the way: %s %s | refire ... -", kind.Command(), file))
}

// damaged is for an archive with a fault.
func damaged(name string, fault *unpack.Error) *failure {
	const before = "all whole lines before that were read; "
	command, file := fault.Kind.Command(), name
	if name == "-" {
		file = "FILE"
	}
	var limit *unpack.LimitError
	var nested *unpack.NestedError
	place := fmt.Sprintf("at byte %d, after %d bytes of log", fault.Packed, fault.Unpacked)
	switch {
	case errors.As(fault, &limit):
		if limit.Kind == unpack.Zstd {
			command += " --long=31"
		}
		return cannotRun(fmt.Errorf("%s: %w (%v, %s)", spoken(name), limit, fault.Kind, place),
			fmt.Sprintf("unpack it on the way: %s %s | refire ... -", command, file))
	case errors.As(fault, &nested):
		return cannotRun(fmt.Errorf("%s: %w", spoken(name), nested), fmt.Sprintf("unpack the outer one on the way: %s %s | refire ... -", command, file))
	case errors.Is(fault, unpack.ErrCutShort):
		return cannotRun(fmt.Errorf("%s is cut short: its %v data ends %s, before its end", spoken(name), fault.Kind, place),
			before+"a last one without its end was not")
	case errors.Is(fault, unpack.ErrTrailing):
		return cannotRun(fmt.Errorf("%s: its %v data is followed by something else, %s", spoken(name), fault.Kind, place),
			before+"what follows was not")
	}
	return cannotRun(fmt.Errorf("%s is damaged: its %v data cannot be unpacked %s: %w", spoken(name), fault.Kind, place, fault.Err),
		before+"what follows was not")
}

// recognise refuses a file that is something else for sure, and warns of one that may be.
func (l *log) recognise(format accesslog.Format, c *console) error {
	if isRetryLog(l.head) {
		return ownLog(l.name)
	}
	var mixes bool
	l.looks, l.hint, mixes = unrecognised(l.name, firstLine(l.head), format)
	if len(l.head) == 0 || format != accesslog.Auto {
		return nil
	}
	l.detected = accesslog.Detect(l.head)
	switch d := l.detected; {
	case d.Lines == 0 || d.Matched > 0 && d.Doubt == "":
		return nil
	case d.Doubt != "":
		return doubtful(l.name, d)
	case !mixes && l.looks != "":
		return cannotRun(fmt.Errorf("%s is not an access log that can be read: it looks like %s", l.name, l.looks), cmp.Or(l.hint, formatHelp))
	case d.Looks != "":
		return cannotRun(fmt.Errorf("%s is %v", l.name, d), cmp.Or(l.hint, formatHelp))
	case l.kind == unpack.Plain && l.info.Size() <= int64(len(l.head)): // all of it was looked at: notALog says it
	default:
		c.say("refire: %s: none of the first %s is a line of an access log; --show-bad says why", l.name, plural(d.Lines, "line"))
	}
	return nil
}

// doubtful is for a log that was taken for a format for which it makes no sense.
func doubtful(name string, d accesslog.Detection) *failure {
	return cannotRun(fmt.Errorf("%s looks like %v, but %s", spoken(name), d, d.Doubt),
		"say what its columns are: --format with the server's log_format or LogFormat string, or --format-from; --format "+d.Format.String()+" takes it so all the same")
}

// spoken is how a log is named in words.
func spoken(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

func unreadable(name string, err error) *failure {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	hint := "check the name and its permissions"
	if errors.Is(err, syscall.EMFILE) {
		hint = "all logs are held open, so that none is rotated away: raise the limit of open files (ulimit -n), or give fewer at a time; --out knows what is done"
	}
	return cannotRun(fmt.Errorf("cannot read %s: %w", spoken(name), err), hint)
}

// size is how many bytes there are to read, unpacked, so that a packed log counts as any other does. -1: that is not known.
func (l *log) size() int64 {
	switch {
	case l.stream != nil:
		return -1
	case l.kind == unpack.Plain:
		return l.info.Size()
	}
	return wholeLength(l.length, l.info.Size())
}

// wholeLength is how long a packed log is of which length is known modulo 4 GiB: what comes closest to ten times the packed one, as access logs do. Where it
// is shorter than it is packed, there are several archives in it, and length is that of the last one.
func wholeLength(length, packed int64) int64 {
	const overhead, usual = 1 << 10, 10
	if length < 0 || length+overhead < packed {
		return -1
	}
	if more := usual*packed - length; more > 0 {
		length += (more + 1<<31) >> 32 << 32
	}
	return length
}

// read is how much of size is read by the time that the byte at offset of the log is.
func (l *log) read(offset int64) int64 { return min(offset, max(l.size(), 0)) }

// scan gives every selected entry and every bad line to each, in the log's order.
func (l *log) scan(ctx context.Context, opts accesslog.Options, each func(*accesslog.Entry, *accesslog.BadLine) error) (accesslog.Stats, error) {
	if l.file != nil && l.guess != nil {
		l.guess(l.detected)
	}
	if l.ahead != nil {
		return l.ahead.drain(each)
	}
	return l.scanNow(ctx, opts, each)
}

func (l *log) scanNow(ctx context.Context, opts accesslog.Options, each func(*accesslog.Entry, *accesslog.BadLine) error) (accesslog.Stats, error) {
	opts.Source = l.name
	defer l.close()
	if l.kind == unpack.Plain && l.end >= 0 {
		if opts.End = l.end; opts.End == 0 { // which would not be taken for an end
			return accesslog.Stats{}, nil
		}
	}
	s, stop, err := l.scanner(ctx, opts)
	if err != nil {
		return accesslog.Stats{}, err
	}
	defer stop()
	if l.file != nil && !l.mark.Holds(l.file) { // and if it was still when the scanner was made, that notices what comes later
		return accesslog.Stats{}, fmt.Errorf("%s: %w: what it was when the run began was not there any more when its turn came", l.name, accesslog.ErrChanged)
	}
	if l.stream != nil && opts.Format == accesslog.Auto {
		d := s.Detection()
		if d.Doubt != "" {
			return accesslog.Stats{}, doubtful(l.name, d)
		}
		if l.guess != nil {
			l.guess(d)
		}
	}
	var first *accesslog.BadLine
	err = walk(ctx, s, func(e *accesslog.Entry, bad *accesslog.BadLine) error {
		if bad != nil && first == nil {
			first = bad
		}
		return each(e, bad)
	})
	stats := s.Stats()
	var fault *unpack.Error
	switch {
	case errors.As(err, &fault): // the other logs are good
		l.trouble, l.broken, err = damaged(l.name, fault), true, nil
	case err != nil:
	case first != nil && stats.Entries+stats.NoRequest == 0:
		l.trouble = l.notALog(&stats, first, opts.Format)
	}
	return stats, err
}

// scanner returns the scanner, and what ends the reading ahead of it.
func (l *log) scanner(ctx context.Context, opts accesslog.Options) (s *accesslog.Scanner, stop func(), err error) {
	if l.file != nil && l.kind == unpack.Plain {
		s, err := accesslog.NewFileScanner(l.file, opts)
		if err != nil {
			return nil, nil, unreadable(l.name, err)
		}
		return s, func() {}, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	r := io.Reader(l.stream)
	if l.file != nil {
		r = l.packed()
	}
	var z *unpack.Reader
	if l.kind != unpack.Plain {
		z = unpack.NewReader(r, l.kind)
		r = z
	}
	ahead := newInterruptible(ctx, r)
	return accesslog.NewScanner(ahead, opts), func() {
		cancel()
		if l.file != nil { // reads of files end
			<-ahead.done
			z.Close()
		}
	}, nil
}

// notALog is for a log without a single line that is one.
func (l *log) notALog(stats *accesslog.Stats, first *accesslog.BadLine, format accesslog.Format) *failure {
	const enough = 60
	if l.looks == "" && l.hint == "" {
		l.looks, l.hint, _ = unrecognised(l.name, first.Raw, format)
	}
	looks := "the first one is "
	if kind := cmp.Or(l.looks, accesslog.Detect(first.Raw).Looks); kind != "" {
		looks = "it looks like " + kind + "; " + looks
	}
	text := string(first.Raw)
	if len(text) > enough {
		text = text[:enough]
	}
	looks += quoted(text)
	if int64(len(text)) < first.Length {
		looks += "..."
	}
	return cannotRun(fmt.Errorf("%s is no access log that can be read: not one of its lines (%s) is an entry; %s",
		spoken(l.name), number(stats.Malformed+stats.TooLong), looks),
		cmp.Or(l.hint, formatHelp)+"; nothing was fired from this one")
}

func walk(ctx context.Context, s *accesslog.Scanner, each func(*accesslog.Entry, *accesslog.BadLine) error) error {
	for e, err := range s.All(ctx) {
		var bad *accesslog.BadLine
		if err != nil && !errors.As(err, &bad) {
			return err
		}
		if err := each(&e, bad); err != nil {
			return err
		}
	}
	return nil
}
