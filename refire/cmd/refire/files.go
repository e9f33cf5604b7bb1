package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// used is a file that a run reads or writes, and what for.
type used struct {
	what string // as an operator says it
	name string
}

// is reports whether both are the same file, by whatever names, if it is there; else whether the names are those of one.
func (u used) is(other used) bool {
	a, err := os.Stat(u.name)
	b, otherErr := os.Stat(other.name)
	switch {
	case err == nil && otherErr == nil:
		return os.SameFile(a, b)
	case err == nil || otherErr == nil:
		return false
	}
	return whole(u.name) == whole(other.name)
}

// whole is the name of a file that may not be there, from the root on, without links in its folder.
func whole(name string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(name))
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return filepath.Clean(name)
	}
	return filepath.Join(dir, filepath.Base(name))
}

// checkFiles refuses a run that would write over what it reads, or over what else it writes. A pipe or a terminal may be named twice.
func checkFiles(f *runFlags, logs []*log) error {
	var writes []used
	if f.out != "-" {
		writes = append(writes, used{"--out", f.out})
	}
	if f.journals() {
		for _, suffix := range []string{retrylog.MetaSuffix, retrylog.FiredSuffix} {
			writes = append(writes, used{"what refire keeps beside --out,", retrylog.Beside(f.out, suffix)})
		}
	}
	if f.report != "" {
		writes = append(writes, used{"--report", f.report})
	}
	if f.json != "" && f.json != "-" {
		writes = append(writes, used{"--json", f.json})
	}
	var reads []used
	for _, l := range logs {
		if l.stream == nil {
			reads = append(reads, used{"the log", l.name})
		}
	}
	for _, name := range f.headers.files {
		reads = append(reads, used{"--header-file", name})
	}
	for i, w := range writes {
		if info, err := os.Stat(w.name); err == nil && !info.Mode().IsRegular() {
			continue
		}
		for _, other := range append(reads, writes[:i]...) {
			if w.is(other) {
				return usage(fmt.Errorf("%s %s is %s %s itself", w.what, w.name, other.what, other.name), "name another file")
			}
		}
	}
	return nil
}
