package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// output is where outcomes go.
type output struct {
	sink  refire.Sink
	again io.Reader // what the journal held when it was opened; nil: no journal
	close func() error
}

// openOutput opens --out for a run and loads the ledger from it.
func openOutput(f *runFlags, ledger *refire.Ledger, std stdio, c *console) (*output, error) {
	switch {
	case f.out == "-":
		return &output{sink: retrylog.NewWriter(std.out, retrylog.Format(f.outFormat)), close: func() error { return nil }}, nil
	case !f.journals():
		return openURLs(f.out)
	}
	j, torn, err := retrylog.Open(f.out, load(ledger))
	if err != nil {
		return nil, refusedOutput(f.out, err)
	}
	if f.fresh && ledger.Len() > 0 {
		return nil, errors.Join(notFresh(f.out), j.Close())
	}
	if torn > 0 {
		c.say("refire: the last line of %s was cut short when a run was stopped; its entry is fired again", f.out)
	}
	if !j.Locked() {
		c.say("refire: on this system a second run on %s is not noticed; see to it that there is none", f.out)
	}
	return &output{sink: j, again: j.Loaded(), close: j.Close}, nil
}

// peekOutput loads the ledger for a dry run: it changes nothing and creates nothing.
func peekOutput(f *runFlags, ledger *refire.Ledger) (again io.Reader, err error) {
	if !f.journals() {
		return nil, nil
	}
	file, err := os.Open(f.out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, refusedOutput(f.out, err)
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(refusedOutput(f.out, errors.Join(retrylog.ErrNotRegular, err)), file.Close())
	}
	ext, err := retrylog.Read(file, load(ledger))
	if err != nil {
		return nil, errors.Join(refusedOutput(f.out, err), file.Close())
	}
	if f.fresh && ledger.Len() > 0 {
		return nil, errors.Join(notFresh(f.out), file.Close())
	}
	return io.NewSectionReader(file, 0, ext.Bytes), nil
}

func load(ledger *refire.Ledger) func(*refire.Outcome) error {
	return func(o *refire.Outcome) error {
		ledger.Load(o)
		return nil
	}
}

func openURLs(name string) (*output, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, refusedOutput(name, err)
	}
	if info, err := f.Stat(); err != nil || info.Size() > 0 {
		f.Close()
		return nil, cannotRun(fmt.Errorf("%s is not empty, and --out-format urls is no journal that could go on", name), "name another file")
	}
	return &output{sink: retrylog.NewWriter(f, retrylog.URLs), close: f.Close}, nil
}

func notFresh(name string) error {
	return cannotRun(fmt.Errorf("%s is not empty, and --fresh asks for one that is", name), "name another --out, or leave --fresh out to go on where that run was")
}

func refusedOutput(name string, err error) *failure {
	var foreign *retrylog.NotOursError
	var path *fs.PathError
	switch {
	case errors.As(err, &foreign):
		return cannotRun(fmt.Errorf("%s is not a retry log: %w", name, err), "nothing was fired, and the file is as it was; name another --out")
	case errors.Is(err, retrylog.ErrLocked):
		return cannotRun(fmt.Errorf("%s: %w", name, err), "wait for that run, or name another --out")
	case errors.Is(err, retrylog.ErrNotRegular):
		return cannotRun(fmt.Errorf("%s is %w", name, err), "a retry log is a file; --out - writes to standard output")
	case errors.As(err, &path):
		err = path.Err
	}
	return cannotRun(fmt.Errorf("cannot open %s: %w", name, err), "nothing was fired; name another --out")
}

// checkNotInput refuses an --out that is one of the logs.
func checkNotInput(f *runFlags, logs []*log) error {
	if f.out == "-" {
		return nil
	}
	out, err := os.Stat(f.out)
	if err != nil {
		return nil // it is created, or opening it says why not
	}
	for _, l := range logs {
		if os.SameFile(out, l.info) {
			return usage(fmt.Errorf("--out %s is the log %s itself", f.out, l.name), "name another --out")
		}
	}
	return nil
}
