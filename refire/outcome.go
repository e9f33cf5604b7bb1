package refire

import (
	"strings"
	"time"
)

// Outcome is what became of a request that was fired.
type Outcome struct {
	Request

	Status   int           // 0: no answer came
	Error    string        // "<Trouble>: detail"; empty: none
	Attempts int           // requests begun for it, at least 1
	Latency  time.Duration // of the last attempt
	Bytes    int64         // of the last answer's body, as far as it was read
	Time     time.Time     // when the last attempt ended
	Round    int           // 0 for the first firing, more for each --again
	Unsent   bool          // not a byte of any attempt left this machine
}

// Verdict is what matters about an outcome later.
func (o *Outcome) Verdict() Verdict {
	v := Verdict{Status: uint16(o.Status), Round: uint16(o.Round)}
	if o.Error != "" {
		kind, _, _ := strings.Cut(o.Error, ":")
		v.Trouble = parseTrouble(kind)
	}
	return v
}

// Verdict is an outcome in few bytes: what a ledger keeps of each.
type Verdict struct {
	Status  uint16 // 0: no answer
	Round   uint16
	Trouble Trouble
	open    bool  // not settled yet in this run
	again   bool  // being fired again in this run
	barred  uint8 // not 0: not to be fired again by this run, and why; see Ledger.MayNot
}

// Recovered reports whether the answer was a whole 2xx or 3xx.
func (v Verdict) Recovered() bool {
	return v.Trouble == NoTrouble && 200 <= v.Status && v.Status < 400
}

// Unknown reports whether the run was stopped before anybody knew.
func (v Verdict) Unknown() bool { return v.Trouble == Unknown }

// StillFails reports whether a whole or a broken answer came with another status.
func (v Verdict) StillFails() bool { return v.Status != 0 && (v.Status < 200 || v.Status >= 400) }
