package retrylog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// MetaSuffix is added to the name of a retry log: the file that says how it came about. Nothing that was fired depends on it: it may be thrown away.
const MetaSuffix = ".meta"

// Version is what a retry log and the files beside it are written as. A version that only adds fields has the same number.
const Version = 1

// Meta says how a retry log came about: by its last run, and from which logs.
type Meta struct {
	Version int               `json:"refire"`
	PID     int               `json:"pid"`  // of the last run
	Host    string            `json:"host"` // where that was
	Began   time.Time         `json:"began"`
	Options map[string]string `json:"options"`         // flags that decide what is fired, and where
	Ended   int               `json:"ended,omitempty"` // the last round (--again) that was fired to its end
	Logs    map[string]string `json:"logs"`            // the names of the logs of all runs, by what their first lines come to

	Running  bool              `json:"running,omitempty"`   // the last run has not ended, or was killed
	Ending   *Ending           `json:"ending,omitempty"`    // of the last run; nil and not Running: an earlier refire wrote this, and nobody knows
	Open     map[string]string `json:"open,omitempty"`      // logs, as in Logs, of which a run began to fire what failed, and none has come to the end since
	NotFired *NotFired         `json:"not_fired,omitempty"` // by the last run that read logs and ended
}

// NewerError says that a retry log belongs to a later version of refire.
type NewerError struct{ Version int }

// Error implements error.
func (e *NewerError) Error() string {
	return fmt.Sprintf("a newer refire wrote it (form %d, this one knows %d)", e.Version, Version)
}

// ErrDamagedMeta says that a Meta cannot be understood.
var ErrDamagedMeta = errors.New("not what refire wrote")

// Beside names a file beside the retry log at path, which is the same by whatever link it is reached.
func Beside(path, suffix string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path + suffix
}

// ReadMeta reads what is beside the retry log at path; nil: nothing is. A later version's is a *NewerError.
func ReadMeta(path string) (*Meta, error) {
	text, err := os.ReadFile(Beside(path, MetaSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var version struct {
		Version int `json:"refire"`
	}
	if json.Unmarshal(text, &version) == nil && version.Version > Version {
		return nil, &NewerError{version.Version}
	}
	var m Meta
	if err := json.Unmarshal(text, &m); err != nil || m.Version < 1 {
		return nil, ErrDamagedMeta
	}
	return &m, nil
}

// Write puts m beside the retry log at path, as a whole or not at all. Only who has the retry log open may do that.
func (m *Meta) Write(path string) error {
	m.Version = Version
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	f, err := replaceFile(Beside(path, MetaSuffix), append(text, '\n'))
	if err != nil {
		return err
	}
	return f.Close()
}
