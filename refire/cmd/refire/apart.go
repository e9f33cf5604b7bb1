package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// A place is a file that a run reads or writes, with what the user called it.
type place struct{ what, name string }

// written lists the files that a run writes.
func (f *runFlags) written() (list []place) {
	if f.out != "-" {
		list = append(list, place{"--out " + f.out, f.out})
		if f.journals() {
			for _, suffix := range []string{retrylog.MetaSuffix, retrylog.FiredSuffix} {
				list = append(list, place{f.out + suffix + ", which is kept beside --out", whereItWouldBe(f.out) + suffix})
			}
		}
	}
	if f.report != "" {
		list = append(list, place{"--report " + f.report, f.report})
	}
	if f.json != "" && f.json != "-" {
		list = append(list, place{"--json=" + f.json, f.json})
	}
	return list
}

// checkApart refuses a run that would write into what it reads, or into one file twice.
func checkApart(f *runFlags, logs []*log) error {
	written := f.written()
	for i, to := range written {
		for _, other := range written[:i] {
			if sameFile(to.name, other.name) {
				return usage(fmt.Errorf("%s is the same file as %s", to.what, other.what), "name another file")
			}
		}
		for _, name := range f.headers.files {
			if sameFile(to.name, name) {
				return usage(fmt.Errorf("%s is the file of --header-file %s", to.what, name), "name another file")
			}
		}
		for _, l := range logs {
			if l.stream == nil && sameFile(to.name, l.name) { // which may not be there yet
				return usage(fmt.Errorf("%s is the log %s itself", to.what, l.name), "name another file")
			}
		}
	}
	return nil
}

// sameFile reports whether two names are of one file, also where there is none yet.
func sameFile(a, b string) bool {
	if x, err := os.Stat(a); err == nil {
		y, err := os.Stat(b)
		return err == nil && os.SameFile(x, y)
	}
	return whereItWouldBe(a) == whereItWouldBe(b)
}

// whereItWouldBe is the name of the file that creating name would make.
func whereItWouldBe(name string) string {
	const maxLinks = 40 // as Linux has it
	for range maxLinks {
		to, err := os.Readlink(name)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(name), to)
		}
		name = to
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(name))
	if err != nil {
		dir = filepath.Dir(name)
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return filepath.Join(dir, filepath.Base(name))
}

// beginsOtherwise reports whether a file is there that holds something, and does not begin with these bytes: it is somebody else's.
func beginsOtherwise(name, with string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, len(with))
	n, err := io.ReadFull(f, head)
	return n > 0 && (err == nil || err == io.ErrUnexpectedEOF) && !bytes.EqualFold(head[:n], []byte(with))
}
