package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// retryLog is one that is read, as often as is needed.
type retryLog struct {
	*os.File
	size int64
	temp string // the copy of standard input
}

// openRetryLog opens the retry log of that name; of standard input (-) or a pipe it makes a copy, because it is read twice.
func openRetryLog(name string, std stdio) (*retryLog, error) {
	f := std.in
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, unreadable(name, err)
		}
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, unreadable(name, err)
	case info.IsDir():
		return nil, cannotRun(fmt.Errorf("%s is a folder", name), "name the retry log: what refire run wrote to --out")
	case info.Mode().IsRegular() && name != "-":
		return &retryLog{File: f, size: info.Size()}, nil
	}
	if name != "-" {
		defer f.Close()
	}
	temp, err := os.CreateTemp("", "refire-*.tmp")
	if err != nil {
		return nil, cannotRun(fmt.Errorf("cannot copy %s: %w", name, err), "a retry log that is no file is copied, as it is read twice; name a file")
	}
	size, err := io.Copy(temp, f)
	l := &retryLog{temp, size, temp.Name()}
	if err != nil {
		return nil, errors.Join(cannotRun(fmt.Errorf("cannot copy %s: %w", name, err), "name a file"), l.close())
	}
	return l, nil
}

func (l *retryLog) close() error {
	err := l.Close()
	if l.temp != "" {
		err = errors.Join(err, os.Remove(l.temp))
	}
	return err
}

// takesRetryLog is the rule for the arguments of commands that read one.
func takesRetryLog(command string, args []string) error {
	if len(args) != 1 {
		return usage(fmt.Errorf("%s takes one retry log, not %d", command, len(args)), "for example: refire "+command+" retry.log")
	}
	return nil
}

// latest visits the last outcome of each entry.
func (l *retryLog) latest(visit func(*refire.Outcome) error) (retrylog.Extent, error) {
	return retrylog.Latest(l, l.size, visit)
}
