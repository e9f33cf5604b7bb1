package retrylog

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Sync says when lines are made to outlast the machine, and not only the process: a crash of refire loses no line that Append wrote, whatever Sync is.
type Sync string

// The policies.
const (
	SyncInterval Sync = "interval" // within a second of their writing, and when the journal is closed; the default
	SyncAlways   Sync = "always"   // before Append returns
	SyncNever    Sync = "never"    // when the system likes to
)

// ParseSync returns the policy of that name.
func ParseSync(name string) (Sync, error) {
	if s := Sync(name); slices.Contains([]Sync{SyncInterval, SyncAlways, SyncNever}, s) {
		return s, nil
	}
	return "", fmt.Errorf("%q is none of interval, always and never", name)
}

// syncEvery is how long lines may stay in the system's memory with SyncInterval. A killed run loses none of them; a machine that crashes loses at most these,
// whose entries are then fired again.
const syncEvery = time.Second

// written does what the policy asks for after a write. j.mu is held.
func (j *Journal) written() error {
	switch {
	case j.policy == SyncNever:
	case j.fired.isLong():
		if err := j.f.Sync(); err != nil {
			return j.fail(syncError(err))
		}
		return j.fired.shorten()
	case j.policy == SyncAlways:
		if err := j.f.Sync(); err != nil {
			return j.fail(syncError(err))
		}
	case !j.due:
		j.due = true
		j.syncing.Add(1)
		j.timer = time.AfterFunc(syncEvery, j.syncLate)
	}
	return nil
}

// syncLate runs a second after the first line that is not synced: lines must not wait for the next one, which may take its time to come.
func (j *Journal) syncLate() {
	defer j.syncing.Done()
	j.mu.Lock()
	j.due = false // what is written from here on may miss this sync
	j.mu.Unlock()
	if err := j.f.Sync(); err != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		_ = j.fail(syncError(err))
	}
}

// endSyncs waits until nothing is synced any more by the timer.
func (j *Journal) endSyncs() {
	j.mu.Lock()
	if j.timer != nil && j.timer.Stop() {
		j.due = false
		j.syncing.Done()
	}
	j.mu.Unlock()
	j.syncing.Wait()
}

func syncError(err error) error { return fmt.Errorf("retrylog: sync: %w", err) }

// syncFolder makes the name of a new file outlast the machine. Not all systems and file systems can, and there is nothing to be done about it.
func syncFolder(path string) {
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync()
		dir.Close()
	}
}
