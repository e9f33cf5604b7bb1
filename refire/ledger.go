package refire

import (
	"crypto/sha256"
	"math"
	"slices"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// Ledger knows which entries were fired, and how it ended: what a journal says, and what this run adds. It holds about 50 bytes for each entry that was
// fired, nothing for others. It is for one goroutine, or one loop, at a time.
type Ledger struct {
	verdicts map[accesslog.ID]Verdict
	targets  map[[16]byte]struct{} // method, place and target of each entry, by hash; nil: duplicates are fired
	last     int                   // the highest round there is
	round    int                   // of what is fired now

	// MayNot says why a request that failed before is none for this run; empty: it may be fired again. Set it before Load. nil: all may.
	MayNot  func(*Request) Reason
	reasons []Reason // of MayNot; a verdict has the index

	// Ended is the last round that is known to have been fired to its end; 0: none is. Set it before BeginAgain.
	Ended int

	// Once chooses the requests that are fired at most once: one that may have arrived, and was not answered, is not fired again. Set it before Load. nil: none.
	Once func(*Request) bool
}

// NewLedger returns an empty ledger. With dedup, a second entry with the same method, place and target is not admitted.
func NewLedger(dedup bool) *Ledger {
	l := &Ledger{verdicts: map[accesslog.ID]Verdict{}, reasons: []Reason{""}}
	if dedup {
		l.targets = map[[16]byte]struct{}{}
	}
	return l
}

// Load takes an outcome of an earlier run. Outcomes come in the order they were written: a later one supersedes.
func (l *Ledger) Load(o *Outcome) {
	v := o.Verdict()
	if l.MayNot != nil && !v.Recovered() {
		v.barred = l.reasonIndex(l.MayNot(&o.Request))
	}
	if v.barred == 0 && !v.Recovered() && !v.StillFails() && !o.Unsent && l.Once != nil && l.Once(&o.Request) {
		v.barred = l.reasonIndex(MayHaveDone)
	}
	l.verdicts[o.ID] = v
	if o.Round > l.last {
		l.last, l.round = o.Round, o.Round
	}
	if l.targets != nil {
		l.targets[targetKey(&o.Request)] = struct{}{}
	}
}

func (l *Ledger) reasonIndex(why Reason) uint8 {
	i := slices.Index(l.reasons, why)
	if i < 0 {
		i = len(l.reasons)
		l.reasons = append(l.reasons, why)
	}
	return uint8(i)
}

// Len is how many entries the ledger knows.
func (l *Ledger) Len() int { return len(l.verdicts) }

// Admit takes on a request, or says why not.
func (l *Ledger) Admit(r *Request) Reason {
	if r.Again {
		return l.admitAgain(r.ID)
	}
	if _, known := l.verdicts[r.ID]; known {
		return AlreadyDone
	}
	if l.targets != nil {
		key := targetKey(r)
		if _, known := l.targets[key]; known {
			return Duplicate
		}
		l.targets[key] = struct{}{}
	}
	l.verdicts[r.ID] = Verdict{open: true}
	return ""
}

// BeginAgain begins the round in which what still fails is fired once more, after all has been loaded. A round that was broken off is finished first:
// what it had fired already is not fired a third time, and waits for the next round. Entries that this run may not fire (MayNot) belong to no round, so that they
// hold none up. It returns how many entries the round will fire, and how many wait.
//
// Where a round left some out because its run might not fire them, and it is not known that it has Ended, it is taken for one that was broken off.
func (l *Ledger) BeginAgain() (fires, wait int) {
	failing, left := 0, 0
	for _, v := range l.verdicts {
		if v.Recovered() || v.barred != 0 {
			continue
		}
		failing++
		if int(v.Round) < l.last {
			left++
		}
	}
	if left > 0 && l.Ended != l.last {
		l.round = l.last
		return left, failing - left
	}
	if l.last >= MaxRound {
		return 0, failing
	}
	l.round = l.last + 1
	return failing, 0
}

// MaxRound is the last round there can be.
const MaxRound = math.MaxUint16

// Barred counts what fails and may not be fired again by this run, by MayNot's reasons.
func (l *Ledger) Barred() map[Reason]int {
	counts := map[Reason]int{}
	for _, v := range l.verdicts {
		if v.barred != 0 {
			counts[l.reasons[v.barred]]++
		}
	}
	return counts
}

// admitAgain takes on an entry that is in the ledger already, if it belongs to the round that BeginAgain began.
func (l *Ledger) admitAgain(id accesslog.ID) Reason {
	v, known := l.verdicts[id]
	if !known || v.open || v.again || v.barred != 0 || v.Recovered() || int(v.Round) >= l.round {
		return AlreadyDone
	}
	v.again = true
	l.verdicts[id] = v
	return ""
}

// Round is the number of the round that outcomes belong to from now on.
func (l *Ledger) Round() int { return l.round }

// Settle takes the outcome of an admitted request, once it is written.
func (l *Ledger) Settle(o *Outcome) { l.verdicts[o.ID] = o.Verdict() }

// Tally counts all settled entries.
func (l *Ledger) Tally() Tally {
	t := Tally{RecoveredBy: map[int]int{}, ByStatus: map[int]int{}, ByTrouble: map[Trouble]int{}}
	for _, v := range l.verdicts {
		t.add(v)
	}
	return t
}

// Tally is the summary of a ledger.
type Tally struct {
	Recovered   int
	RecoveredBy map[int]int     // by status
	ByStatus    map[int]int     // answered, and still failing
	ByTrouble   map[Trouble]int // unreachable
	Unknown     int             // announced, and the run was stopped: nobody knows what became of them
	Unsettled   int             // admitted in this run, and not fired to an end
}

func (t *Tally) add(v Verdict) {
	switch {
	case v.open:
		t.Unsettled++
	case v.Recovered():
		t.Recovered++
		t.RecoveredBy[int(v.Status)]++
	case v.Unknown():
		t.Unknown++
	case v.StillFails():
		t.ByStatus[int(v.Status)]++
	default:
		t.ByTrouble[v.Trouble]++
	}
}

// Settled is how many entries have an outcome.
func (t Tally) Settled() int { return t.Recovered + t.Failing() + t.Unreachable() + t.Unknown }

// Failing is how many were answered with a status that is no success.
func (t Tally) Failing() int { return sum(t.ByStatus) }

// Unreachable is how many had no whole answer.
func (t Tally) Unreachable() int { return sum(t.ByTrouble) }

// AllRecovered reports whether nothing is left to do: exit code 0.
func (t Tally) AllRecovered() bool {
	return t.Failing() == 0 && t.Unreachable() == 0 && t.Unknown == 0 && t.Unsettled == 0
}

func sum[K comparable](m map[K]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func targetKey(r *Request) [16]byte {
	h := sha256.Sum256([]byte(r.Method + " " + r.Origin.String() + r.Target))
	return [16]byte(h[:16])
}
