package retrylog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Change is what somebody else has done to a file while a run wrote it.
type Change string

// The changes, as one says them.
const (
	Removed   Change = "removed"
	Renamed   Change = "renamed" // or moved
	Truncated Change = "truncated"
	Grown     Change = "written to by somebody else"
)

// ChangedError says that a retry log, or what is beside it, is not as the run has left it. A run that is told of it begins nothing new.
type ChangedError struct {
	Path  string
	How   Change
	Bytes int64  // Truncated: that were in it, and are not; Grown: that are in it, and of somebody else
	Now   string // Removed: where Journal.Check wrote it again; Renamed: its name now. Empty: not known
	Taken bool   // the name is another file's by now
	Err   error  // why it could not be written again
}

// Error implements error.
func (e *ChangedError) Error() string {
	text := fmt.Sprintf("it was %s while this run wrote it", e.How)
	switch {
	case e.How == Truncated:
		text += fmt.Sprintf(": %d bytes that it had held are not in it", e.Bytes)
	case e.How == Grown:
		text += fmt.Sprintf(": %d bytes", e.Bytes)
	case e.How == Renamed && e.Now != "":
		text += ": it is " + e.Now + " now"
	case e.How == Renamed:
		text += ", to a place that is not known"
	case e.Err != nil:
		text += fmt.Sprintf(", and could not be written again: %v", e.Err)
	case e.Mended():
		text += "; it was written again, in full"
	case e.Now != "":
		text += "; what it held was written to " + e.Now
	}
	return text
}

// Mended reports whether the file is whole again.
func (e *ChangedError) Mended() bool { return e.How == Removed && e.Now != "" && !e.Taken }

// Unwrap returns Err.
func (e *ChangedError) Unwrap() error { return e.Err }

// whatBecame compares an open file, of that size, with what bears its name; nil: nothing has happened to it, as far as the system tells. path may be a link to it,
// home is where it was by none.
func whatBecame(f *os.File, path, home string, size int64) *ChangedError {
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	named, err := os.Stat(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil // of a network, and back in a moment
	case err != nil || !os.SameFile(info, named):
		e := &ChangedError{Path: path, How: Renamed, Taken: err == nil}
		if n, known := links(info); known && n == 0 {
			e.How = Removed
		} else {
			e.Now = nameOf(info, filepath.Dir(home))
		}
		return e
	case info.Size() < size:
		return &ChangedError{Path: path, How: Truncated, Bytes: size - info.Size()}
	case info.Size() > size:
		return &ChangedError{Path: path, How: Grown, Bytes: info.Size() - size}
	}
	return nil
}

// nameOf looks for the file in a folder; empty: it is not there.
func nameOf(info fs.FileInfo, folder string) (name string) {
	eachName(info, folder, func(path string) bool { name = path; return false })
	return name
}

// eachName visits the names that the file has in a folder, until visit has seen enough.
func eachName(info fs.FileInfo, folder string, visit func(path string) (more bool)) {
	dir, err := os.Open(folder)
	if err != nil {
		return
	}
	defer dir.Close()
	for {
		entries, err := dir.ReadDir(100)
		for _, e := range entries {
			other, err := e.Info()
			if err == nil && os.SameFile(info, other) && !visit(filepath.Join(folder, e.Name())) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// announcedElsewhere is an error if the file has another name (a hard link) in its folder, beside which a run has announced requests: they would go out twice.
func announcedElsewhere(info fs.FileInfo, home string) (err error) {
	if n, known := links(info); !known || n < 2 {
		return nil
	}
	eachName(info, filepath.Dir(home), func(path string) bool {
		_, lerr := os.Lstat(path + FiredSuffix)
		if lerr == nil && filepath.Base(path) != filepath.Base(home) {
			err = fmt.Errorf("the same file is %s, and beside that a run has announced what must not go out twice: use that name", path)
		}
		return err == nil
	})
	return err
}

// note keeps the first change, and from there on takes the file as it is. // j.mu is held
func (j *Journal) note() error {
	f, ok := j.f.(*os.File)
	if !ok || j.path == "" {
		return nil
	}
	if now := whatBecame(f, j.path, j.home, j.size); now != nil && j.changed == nil {
		j.changed = now
	}
	if info, err := f.Stat(); err == nil {
		j.size = info.Size()
	}
	if j.changed == nil {
		return nil
	}
	return j.changed
}

// Check reports whether the retry log still is what this run has written: nil, or a *ChangedError. What was removed is written again, to its name, or beside what has
// that name now: so nothing is lost, and nothing fired twice. It is for the end of a run; Append checks, too.
func (j *Journal) Check() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.note()
	if err != nil && j.changed.How == Removed && j.changed.Now == "" && j.changed.Err == nil {
		j.changed.Now, j.changed.Err = j.rescue()
	}
	return err
}

// rescue writes a file that has no name any more to a new one. // j.mu is held
func (j *Journal) rescue() (name string, err error) {
	name = fmt.Sprintf("%s.%d.saved", j.home, os.Getpid())
	to, err := createNew(name, os.O_WRONLY)
	if err != nil {
		return "", err
	}
	if _, err = io.Copy(to, io.NewSectionReader(j.f, 0, j.size)); err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err != nil {
		_ = os.Remove(name)
		return "", err
	}
	if os.Link(name, j.home) != nil { // somebody has it
		j.changed.Taken = true
		return name, nil
	}
	_ = os.Remove(name)
	syncFolder(j.home)
	return j.home, nil
}
