package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/klauspost/compress/zstd"
	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/retrylog"
	"github.com/seed8b1f0744/aio/refire/unpack"
)

// finder makes logs of the LOGs of the command line. Those that are named are read in the order in which they are named. A folder stands for the access logs
// in it, a pattern for those that match; they are read in the order of the times of their first entries, so that rotated logs, however they are named, come
// oldest first.
type finder struct {
	std    stdio
	c      *console
	opts   accesslog.Options
	out    string // --out: nobody's log; empty: none
	follow bool   // a log that is named need not be there yet

	logs   []*log
	stdins int
}

// find checks all logs before anything is done with one of them.
func (f *finder) find(names []string) ([]*log, error) {
	for _, name := range names {
		if err := f.add(name); err != nil {
			return nil, err
		}
	}
	f.logs = f.once(f.logs)
	return f.logs, nil
}

func (f *finder) add(name string) error {
	if name == "-" {
		if f.stdins++; f.stdins > 1 {
			return usage(errors.New("standard input (-) can be read only once"), "give - once")
		}
		return f.named(name)
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return f.folder(name)
	case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(name, "*?[{"):
		return f.pattern(name)
	case errors.Is(err, fs.ErrNotExist) && f.follow:
		f.c.say("refire: %s is not there yet; waits for it", name)
		f.logs = append(f.logs, &log{name: name})
		return nil
	}
	return f.named(name)
}

func (f *finder) named(name string) error {
	l, err := openLog(name, f.std)
	if err != nil {
		return err
	}
	if err := l.recognise(f.opts.Format, f.c); err != nil {
		return err
	}
	l.note(f.opts)
	f.logs = append(f.logs, l)
	return nil
}

// folder takes the access logs in a folder, not those in folders in it.
func (f *finder) folder(name string) error {
	entries, err := os.ReadDir(name)
	if err != nil {
		return unreadable(name, err)
	}
	var paths []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			paths = append(paths, filepath.Join(name, e.Name()))
		}
	}
	return f.members(name, paths, fmt.Sprintf("name the logs themselves, or a pattern in quotes: '%s' looks into the folders in it, too", filepath.Join(name, "**")))
}

// pattern takes the access logs that match.
func (f *finder) pattern(pattern string) error {
	opts := []doublestar.GlobOption{doublestar.WithFilesOnly(), doublestar.WithNoHidden()}
	if strings.Contains(pattern, "**") {
		opts = append(opts, doublestar.WithNoFollow()) // a link to a folder above would lead round and round
	}
	paths, err := doublestar.FilepathGlob(pattern, opts...)
	if err != nil {
		return usage(fmt.Errorf("%s is no pattern: %w", quoted(pattern), err), `* is any text, ** folders too, ? a letter, [a-z] one of these, {a,b} either; \ takes their meaning away`)
	}
	if len(paths) == 0 {
		return cannotRun(fmt.Errorf("nothing matches %s", pattern), "check the pattern; ls shows what is there")
	}
	return f.members(pattern, paths, "name the logs themselves")
}

// members takes those of paths that are access logs, oldest first. What is passed over is told.
func (f *finder) members(of string, paths []string, hint string) error {
	var found []*log
	var passed []string
	for _, path := range paths {
		l, why, err := f.member(path)
		switch {
		case err != nil:
			var told *failure
			if errors.As(err, &told) && errors.Is(err, fs.ErrPermission) {
				told.hint = "ls -l says who may read it" + besides(paths)
			}
			return err
		case why != "":
			passed = append(passed, filepath.Base(path)+" ("+why+")")
		case l != nil:
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		if len(passed) > 0 {
			return cannotRun(fmt.Errorf("no access log in %s: %s", of, some(passed)), hint)
		}
		return cannotRun(fmt.Errorf("no file in %s", of), hint)
	}
	slices.SortStableFunc(found, func(a, b *log) int {
		return cmp.Or(a.begins.Compare(b.begins), a.info.ModTime().Compare(b.info.ModTime()))
	})
	if len(passed) > 0 {
		f.c.say("refire: %s: %s; passed over: %s", of, plural(len(found), "access log"), some(passed))
	}
	f.logs = append(f.logs, found...)
	return nil
}

// besides names those of the paths that can be read, as what else to do.
func besides(paths []string) string {
	var others []string
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			others = append(others, path)
		}
		f.Close()
	}
	if len(others) == 0 {
		return ""
	}
	return "; the others, by name: " + some(others)
}

// some is a list, but not a long one.
func some(items []string) string {
	const most = 6
	if len(items) <= most {
		return strings.Join(items, ", ")
	}
	return strings.Join(items[:most], ", ") + fmt.Sprintf(" and %s more", number(len(items)-most))
}

// member opens what a folder or a pattern stands for, or says why it is passed over; a folder is passed over without a word.
func (f *finder) member(path string) (l *log, why string, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist): // rotated away, or a link to nowhere
		return nil, "gone", nil
	case errors.Is(err, syscall.ELOOP):
		return nil, "a link that leads nowhere but to itself", nil
	case err != nil:
		return nil, "", unreadable(path, err)
	case info.IsDir():
		return nil, "", nil
	case !info.Mode().IsRegular():
		return nil, "no file", nil
	case info.Size() == 0:
		return nil, "empty", nil
	case f.isOut(info):
		return nil, "it is --out", nil
	}
	if l, err = openLog(path, f.std); err != nil {
		if kind := foreignKind(path); kind != unpack.Plain {
			return nil, kind.String(), nil
		}
		return nil, "", err
	}
	if l.detected = accesslog.Detect(l.head); isRetryLog(l.head) || f.opts.Format == accesslog.Auto && (l.detected.Matched == 0 || l.detected.Doubt != "") || f.opts.Format != accesslog.Auto && !hasEntry(l.head, f.opts) {
		l.close()
		if besideRetryLog(path) {
			return nil, "", nil
		}
		return nil, "no access log", nil
	}
	l.note(f.opts)
	return l, "", nil
}

// foreignKind is what a file that cannot be unpacked is packed with, or Plain.
func foreignKind(path string) unpack.Kind {
	f, err := os.Open(path)
	if err != nil {
		return unpack.Plain
	}
	defer f.Close()
	head := make([]byte, unpack.TarMagicBytes)
	n, _ := f.ReadAt(head, 0)
	if kind := unpack.Recognise(head[:n]); !kind.CanRead() {
		return kind
	}
	return unpack.Plain
}

func isRetryLog(head []byte) bool {
	line, _, found := bytes.Cut(head, []byte{'\n'})
	if !found {
		return false
	}
	ext, err := retrylog.Read(bytes.NewReader(append(bytes.Clone(line), '\n')), func(*refire.Outcome) error { return nil })
	return err == nil && ext.Lines == 1
}

// besideRetryLog reports whether a file that is no access log is one of those beside a retry log, of which that one's word is enough.
func besideRetryLog(path string) bool {
	for _, suffix := range []string{retrylog.MetaSuffix, retrylog.FiredSuffix} {
		if out, found := strings.CutSuffix(path, suffix); found {
			_, err := os.Stat(out)
			return err == nil
		}
	}
	return false
}

func (f *finder) isOut(info fs.FileInfo) bool {
	if f.out == "" || f.out == "-" {
		return false
	}
	out, err := os.Stat(f.out)
	return err == nil && os.SameFile(out, info)
}

// note keeps of the log's head what finding it needs, and lets the head go.
func (l *log) note(opts accesslog.Options) {
	if l.file == nil {
		return
	}
	l.key = logKey(l.head)
	l.begins = firstTime(l.head, opts)
	if l.begins.IsZero() {
		l.begins = l.info.ModTime()
	}
	if bytes.IndexByte(l.head, '\n') >= 0 {
		l.headSum = sha256.Sum256(l.head)
	}
	if l.length = int64(len(l.head)); l.length >= detectBytes {
		l.length = l.unpackedSize()
	}
	l.head = nil
}

// hasEntry reports whether there is a line of opts' format.
func hasEntry(head []byte, opts accesslog.Options) bool {
	s := accesslog.NewScanner(bytes.NewReader(head), opts)
	for range s.All(context.Background()) {
	}
	stats := s.Stats()
	return stats.Entries+stats.NoRequest > 0
}

// firstTime is that of the first entry whose time is known.
func firstTime(head []byte, opts accesslog.Options) time.Time {
	opts.Status, _ = accesslog.ParseStatusSet("0xx,1xx,2xx,3xx,4xx,5xx,6xx,7xx,8xx,9xx")
	for e, err := range accesslog.NewScanner(bytes.NewReader(head), opts).All(context.Background()) {
		if err == nil && !e.Time.IsZero() {
			return e.Time
		}
	}
	return time.Time{}
}

// unpackedSize is how long the log is, as far as its file says that without being unpacked, modulo 4 GiB; -1: it does not.
func (l *log) unpackedSize() int64 {
	switch l.kind {
	case unpack.Plain:
		return l.info.Size() & (1<<32 - 1)
	case unpack.Gzip: // it ends with the size of its last member: that of all, if there is one
		var tail [4]byte
		if _, err := l.file.ReadAt(tail[:], l.info.Size()-4); err == nil {
			return int64(binary.LittleEndian.Uint32(tail[:]))
		}
	case unpack.Zstd:
		head := make([]byte, zstd.HeaderMaxSize)
		n, _ := l.file.ReadAt(head, 0)
		var h zstd.Header
		if h.Decode(head[:n]) == nil && h.HasFCS {
			return int64(h.FrameContentSize & (1<<32 - 1))
		}
	}
	return -1
}

// once leaves out what is named twice: the same file by any name, and the packed copy of another one. Where it is not sure that it is a copy, both are
// read: the ledger knows an entry that it has met.
func (f *finder) once(logs []*log) []*log {
	var kept []*log
	for _, l := range logs {
		same := slices.IndexFunc(kept, func(k *log) bool { return l.file != nil && k.file != nil && os.SameFile(k.info, l.info) })
		if same >= 0 {
			l.close()
			f.c.say("refire: %s is %s again, the same file: it is read once", l.name, kept[same].name)
			continue
		}
		kept = append(kept, l)
	}
	all := kept
	kept = nil
	for _, l := range all {
		i := slices.IndexFunc(all, l.isCopyOf)
		switch {
		case i < 0:
		case all[i].length == l.length:
			l.close()
			f.c.say("refire: %s is %s, packed (%v): it is read once", l.name, all[i].name, l.kind)
			continue
		default:
			f.c.say("refire: %s (%v) begins as %s does: what is in both is taken once", l.name, l.kind, all[i].name)
		}
		kept = append(kept, l)
	}
	return kept
}

// isCopyOf reports whether l is packed and k is not, and both begin the same.
func (l *log) isCopyOf(k *log) bool {
	return l.file != nil && k.file != nil && l.kind != unpack.Plain && k.kind == unpack.Plain && l.headSum == k.headSum && l.headSum != [sha256.Size]byte{}
}
