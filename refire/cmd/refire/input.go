package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// log is a LOG of the command line, checked: it can be read, and it is not compressed.
type log struct {
	name   string
	info   fs.FileInfo
	file   *os.File      // a regular file, open since it was checked: when its turn comes, its name may be another one's (log rotation)
	stream *bufio.Reader // of standard input and pipes
	close  func() error

	foreign *failure // set by scan if not one line of it is a line of an access log

	guess func(accesslog.Detection) // told by scan what the log looks like; nil: nobody asks
}

// compressed is how files begin that must be unpacked first; a zero stands for any byte.
var compressed = []struct{ magic, name, unpack string }{
	{"\x1f\x8b", "gzip", "gzip -dc"},
	{"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"},
	{"BZh\x001AY&SY", "bzip2", "bzip2 -dc"},
	{"\xfd7zXZ\x00", "xz", "xz -dc"},
	{"PK\x03\x04", "zip", "unzip -p"},
}

const longestMagic = 10

// openLogs checks all logs before anything is done with one of them.
func openLogs(names []string, format accesslog.Format, std stdio, c *console) ([]*log, error) {
	var logs []*log
	stdins := 0
	for _, name := range names {
		if name == "-" {
			if stdins++; stdins > 1 {
				return nil, usage(errors.New("standard input (-) can be read only once"), "give - once")
			}
		}
		l, err := openLog(name, format, std, c)
		if err != nil {
			return nil, err
		}
		logs = append(logs, l)
	}
	return logs, nil
}

func openLog(name string, format accesslog.Format, std stdio, c *console) (*log, error) {
	f, err := std.in, error(nil)
	if name != "-" {
		f, err = os.Open(name)
	}
	if err != nil {
		return nil, unreadable(name, err)
	}
	l := &log{name: name}
	if l.info, err = f.Stat(); err != nil {
		return nil, unreadable(name, err)
	}
	if l.info.IsDir() {
		return nil, directory(name)
	}
	head, err := l.begin(f)
	if err != nil {
		return nil, unreadable(name, err)
	}
	for _, kind := range compressed {
		if beginsWith(head, kind.magic) {
			file := name
			if name == "-" {
				file = "FILE"
			}
			return nil, cannotRun(fmt.Errorf("%s is compressed (%s), which this version does not read", spoken(name), kind.name),
				fmt.Sprintf("unpack it on the way: %s %s | refire ... -", kind.unpack, file))
		}
	}
	return l, l.check(head, format, c)
}

func directory(name string) *failure {
	if name == "-" {
		return cannotRun(errors.New("standard input is a directory"), "give it a log: refire ... - <access.log")
	}
	return cannotRun(fmt.Errorf("%s is a directory", name), "name the log files in it: "+strings.TrimRight(name, "/")+"/*.log")
}

func beginsWith(head []byte, magic string) bool {
	if len(head) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != 0 && head[i] != magic[i] {
			return false
		}
	}
	return true
}

// spoken is how a log is named in words.
func spoken(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

// detectBytes is how much of a file is looked at to recognise it.
const detectBytes = 64 << 10

// begin reads the first bytes: of a file many, of a stream just enough to recognise a compressed one.
func (l *log) begin(f *os.File) ([]byte, error) {
	if l.name != "-" && l.info.Mode().IsRegular() {
		l.file, l.close = f, f.Close
		head := make([]byte, detectBytes)
		n, err := f.ReadAt(head, 0)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return head[:n], err
	}
	l.stream, l.close = bufio.NewReaderSize(f, 256<<10), f.Close
	head, err := l.stream.Peek(longestMagic)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head, err
}

// check refuses a file that is something else for sure, and warns of one that may be.
func (l *log) check(head []byte, format accesslog.Format, c *console) error {
	if l.stream != nil || len(head) == 0 || format != accesslog.Auto {
		return nil
	}
	d := accesslog.Detect(head)
	switch {
	case d.Lines == 0 || d.Matched > 0:
		return nil
	case d.Looks != "":
		return cannotRun(fmt.Errorf("%s is %v", l.name, d), "--format says what it is, --format-from takes it from the server's configuration")
	}
	c.say("refire: %s: none of the first %s is a line of an access log; --show-bad says why", l.name, plural(d.Lines, "line"))
	return nil
}

func unreadable(name string, err error) *failure {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return cannotRun(fmt.Errorf("cannot read %s: %w", spoken(name), err), "check the name and its permissions")
}

// size is 0 for a stream.
func (l *log) size() int64 {
	if l.stream != nil {
		return 0
	}
	return l.info.Size()
}

// scan gives every selected entry and every bad line to each, in the log's order.
func (l *log) scan(ctx context.Context, opts accesslog.Options, each func(*accesslog.Entry, *accesslog.BadLine) error) (accesslog.Stats, error) {
	opts.Source = l.name
	defer l.close()
	var s *accesslog.Scanner
	if l.stream != nil {
		s = accesslog.NewScanner(newInterruptible(ctx, l.stream), opts)
	} else {
		var err error
		if s, err = accesslog.NewFileScanner(l.file, opts); err != nil {
			return accesslog.Stats{}, unreadable(l.name, err)
		}
	}
	if l.guess != nil {
		l.guess(s.Detection())
	}
	var first *accesslog.BadLine
	err := walk(ctx, s, func(e *accesslog.Entry, bad *accesslog.BadLine) error {
		if bad != nil && first == nil {
			first = bad
		}
		return each(e, bad)
	})
	stats := s.Stats()
	if err == nil && l.file != nil && stats.Bytes < l.info.Size() {
		err = fmt.Errorf("%s: %w: it had %d bytes when the run began, and %d when its turn came", l.name, accesslog.ErrChanged, l.info.Size(), stats.Bytes)
	}
	if err == nil && first != nil && stats.Entries+stats.NoRequest == 0 {
		l.foreign = notALog(l.name, &stats, first)
	}
	return stats, err
}

// notALog is for a log without a single line that is one.
func notALog(name string, stats *accesslog.Stats, first *accesslog.BadLine) *failure {
	const enough = 60
	looks := "the first one is "
	if kind := accesslog.Detect(first.Raw).Looks; kind != "" {
		looks = "it looks like " + kind + "; " + looks
	} else if bytes.IndexByte(first.Raw, 0) >= 0 {
		looks = "it looks like binary data; " + looks
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
		spoken(name), number(stats.Malformed+stats.TooLong), looks),
		"--format says what it is, --format-from takes it from the server's configuration; nothing was fired from this one")
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
