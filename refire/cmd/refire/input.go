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

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// log is a LOG of the command line, checked: it can be read, and it is not compressed.
type log struct {
	name   string
	info   fs.FileInfo
	stream *bufio.Reader // of standard input and pipes; nil: a file, opened when its turn comes
	close  func() error
}

// compressed is how files begin that must be unpacked first.
var compressed = []struct{ magic, name, unpack string }{
	{"\x1f\x8b", "gzip", "gzip -dc"},
	{"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"},
	{"BZh", "bzip2", "bzip2 -dc"},
	{"\xfd7zXZ\x00", "xz", "xz -dc"},
	{"PK\x03\x04", "zip", "unzip -p"},
}

const longestMagic = 6

// openLogs checks all logs before anything is done with one of them.
func openLogs(names []string, std stdio, c *console) ([]*log, error) {
	var logs []*log
	stdins := 0
	for _, name := range names {
		if name == "-" {
			if stdins++; stdins > 1 {
				return nil, usage(errors.New("standard input (-) can be read only once"), "give - once")
			}
		}
		l, err := openLog(name, std, c)
		if err != nil {
			return nil, err
		}
		logs = append(logs, l)
	}
	return logs, nil
}

func openLog(name string, std stdio, c *console) (*log, error) {
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
		return nil, cannotRun(fmt.Errorf("%s is a directory", name), "name the log files in it: "+name+"/*.log")
	}
	head, err := l.begin(f)
	if err != nil {
		return nil, unreadable(name, err)
	}
	for _, kind := range compressed {
		if bytes.HasPrefix(head, []byte(kind.magic)) {
			return nil, cannotRun(fmt.Errorf("%s is compressed (%s), which this version does not read", name, kind.name),
				fmt.Sprintf("unpack it on the way: %s %s | refire ... -", kind.unpack, name))
		}
	}
	return l, l.check(head, c)
}

// detectBytes is how much of a file is looked at to recognise it.
const detectBytes = 64 << 10

// begin reads the first bytes: of a file many, of a stream just enough to recognise a compressed one.
func (l *log) begin(f *os.File) ([]byte, error) {
	if l.name != "-" && l.info.Mode().IsRegular() {
		defer f.Close()
		head := make([]byte, detectBytes)
		n, err := io.ReadFull(f, head)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
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
func (l *log) check(head []byte, c *console) error {
	if l.stream != nil || len(head) == 0 {
		return nil
	}
	d := accesslog.Detect(head)
	switch {
	case d.Lines == 0 || d.Matched > 0:
		return nil
	case d.Looks != "":
		return cannotRun(fmt.Errorf("%s is %v", l.name, d), "this version reads common and combined access logs (Apache, nginx)")
	}
	c.say("refire: %s: none of the first %s is a line of an access log; --show-bad says why", l.name, plural(d.Lines, "line"))
	return nil
}

func unreadable(name string, err error) *failure {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if name == "-" {
		name = "standard input"
	}
	return cannotRun(fmt.Errorf("cannot read %s: %w", name, err), "nothing was fired; check the name and your permissions")
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
	var s *accesslog.Scanner
	if l.stream != nil {
		defer l.close()
		s = accesslog.NewScanner(newInterruptible(ctx, l.stream), opts)
	} else {
		f, err := os.Open(l.name)
		if err != nil {
			return accesslog.Stats{}, unreadable(l.name, err)
		}
		defer f.Close()
		if s, err = accesslog.NewFileScanner(f, opts); err != nil {
			return accesslog.Stats{}, unreadable(l.name, err)
		}
	}
	err := walk(ctx, s, each)
	return s.Stats(), err
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
