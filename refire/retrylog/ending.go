package retrylog

import (
	"maps"
	"time"
)

// Ending says how a run on a retry log ended. It is what a reader of the retry log cannot see in it: whether there was more to fire.
type Ending struct {
	At    time.Time `json:"at"`
	Code  int       `json:"exit_code"`
	Why   string    `json:"why,omitempty"`         // what ended it before its end, or kept it from firing, in words
	Read  int64     `json:"read_bytes,omitempty"`  // of its logs, as far as it had come
	Total int64     `json:"total_bytes,omitempty"` // of its logs; 0: not known
}

// NotFired is what a run had read, and not fired.
type NotFired struct {
	At     time.Time `json:"at"` // when it ended
	Counts []Count   `json:"counts,omitempty"`
}

// Count is a number of entries or lines, and what it is made of.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	Parts string `json:"parts,omitempty"`
}

// openByName is before the name of a log that is known by that only.
const openByName = "name "

// Begin notes that a run begins that reads a log: until one comes to its end, what is in the retry log is not all of it. An empty key: it is known by its name
// only.
func (m *Meta) Begin(key, name string) {
	if m.Open == nil {
		m.Open = map[string]string{}
	}
	if key == "" {
		key = openByName + name
	}
	m.Open[key] = name
}

// Finish notes that all that was to be fired of a log was.
func (m *Meta) Finish(key, name string) {
	delete(m.Open, key)
	delete(m.Open, openByName+name)
}

// GoOn takes from the Meta of the run before what stands until another run has an answer to it.
func (m *Meta) GoOn(before *Meta) {
	if before != nil {
		m.Open, m.NotFired = maps.Clone(before.Open), before.NotFired
	}
}

// End notes how the run ended.
func (m *Meta) End(how Ending) { m.Running, m.Ending = false, &how }
