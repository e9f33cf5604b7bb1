package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/seed8b1f0744/aio/refire/report"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// writeHTML makes a page of a retry log. The page appears when it is whole, in place of one that may be there.
func writeHTML(name string, page *report.Page) (err error) {
	f, err := os.OpenFile(fmt.Sprintf("%s.%d.tmp", name, os.Getpid()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // a log may hold what is not for all
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := page.WriteHTML(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// pageBegins is what every page begins with.
const pageBegins = "<!DOCTYPE html>"

// checkHTML refuses a page that could not be written, before anything is done for it.
func checkHTML(flag, name, retryLog string) error {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return usage(fmt.Errorf("%s %s is a folder", flag, name), "name a file in it")
	case err == nil && !info.Mode().IsRegular():
		return usage(fmt.Errorf("%s %s is no file", flag, name), "name a file")
	case sameFile(name, retryLog):
		return usage(fmt.Errorf("%s %s is the retry log itself", flag, name), "name another file")
	case err == nil && beginsOtherwise(name, pageBegins):
		return usage(fmt.Errorf("%s %s is there, and is no page", flag, name), "name another file; a page that is there is replaced")
	case err == nil:
		return nil
	}
	if _, err := os.Stat(filepath.Dir(name)); err != nil {
		return usage(fmt.Errorf("%s: there is no folder %s", flag, filepath.Dir(name)), "make it, or name another file")
	}
	return nil
}

// newPage reads a retry log into a page.
func newPage(r io.ReaderAt, size int64, s story) (*report.Page, error) {
	rep, _, err := report.Gather(r, size, 0)
	if err != nil {
		return nil, notARetryLog(s.name, err, "a page is made of what refire run wrote to --out")
	}
	page := &report.Page{Report: rep, Name: s.name, Made: time.Now(), By: version(), Unfinished: s.unfinished()}
	for _, r := range s.rows() {
		page.Notes = append(page.Notes, report.Note{Name: r.name, Count: r.count, Parts: r.parts})
	}
	if len(page.Notes) > 0 {
		page.Counted = s.meta.NotFired.At
	}
	return page, nil
}

// writeReport is --report of a run that has ended, well or not.
func (e *ended) writeReport(c *console) error {
	f := e.flags
	if f.report == "" {
		return nil
	}
	var changed *retrylog.ChangedError
	if e.journalChanged(&changed) {
		c.say("refire: there is no --report, as %s does not hold what it would show; refire report --html FILE RETRYLOG makes it of what does", f.out)
		return nil
	}
	hint := "the outcomes are in " + f.out + "; refire report --html FILE " + f.out + " makes the page later"
	file, err := os.Open(f.out)
	if err != nil {
		return cannotRun(fmt.Errorf("cannot write --report: %w", err), hint)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return cannotRun(fmt.Errorf("cannot write --report: %w", err), hint)
	}
	page, err := newPage(file, info.Size(), story{f.out, e.out.meta})
	if err != nil {
		return err
	}
	if err := writeHTML(f.report, page); err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return cannotRun(fmt.Errorf("cannot write --report %s: %w", f.report, err), hint)
	}
	if !f.quiet {
		c.say("refire: %s shows it", f.report)
	}
	return nil
}
