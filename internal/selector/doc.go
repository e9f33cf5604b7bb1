// Package selector asks the operating system which of a set of file descriptors are ready: epoll on
// Linux, kqueue on macOS and the BSDs. It knows no loop, no callbacks and no tasks.
//
// A descriptor is added with what is wanted of it and a tag, and reported once; then it stays in the
// set, silent, until it is armed again. Whoever arms it again at each report has what poll and
// CPython's selectors have: it is reported as long as it is ready. Where [Levels], the system does
// that by itself.
//
// A descriptor that is closed is taken out by the system without a word; to arm it, and to ask with
// Has, is the only way to find out. But epoll goes on reporting an open file that another number, or
// process, still refers to, though the number that it was added by has been closed, and has no way
// to take that out. So a report must be checked before it is acted on, and whoever gets one with
// Level that is of no use has to Renew the set; without Level it was the last one.
package selector

import "errors"

// Events is what can be waited for at a descriptor.
type Events uint8

// The end of the other side, and errors, count as both.
const (
	In  Events = 1 << iota // a read would not block
	Out                    // a write would not block

	// Level, with the others: reported as long as it is ready. Only where Levels.
	Level

	// Edge, with both others: reported each time that it gets ready for one, and never silent. For
	// whoever asks until there is no more, and closes the descriptor himself.
	Edge

	// Hup, in reports with Edge: the other side will send no more. It may be reported only once.
	Hup

	// Urgent, in reports with Edge: there is urgent data, at which a read ends before what comes after it. Only
	// where TellsUrgent.
	Urgent
)

// Event is a report.
type Event struct {
	FD    int
	Tag   uint32 // with which it was added or last armed; only where Tagged
	Ready Events // with Level if it was armed with that
}

// MaxTag is above all tags.
const MaxTag = 1 << 31

// ErrGone is the error of Arm for a descriptor that is closed, or has become another file, since it
// was added.
var ErrGone = errors.New("selector: not the file that was added")

// ErrNotOpen is the error for what is no open descriptor.
var ErrNotOpen = errors.New("selector: not an open descriptor")

// ErrAlwaysReady is the error for what can't be waited for: regular files, directories and the like.
var ErrAlwaysReady = errors.New("selector: always ready")

// Batch is what one Poll or Wait has reported. The zero value is ready; it grows with what is
// reported at once.
type Batch struct {
	raw []raw
	n   int
}

const (
	minBatch = 64
	maxBatch = 4096
)

// Len is how many reports there are.
func (b *Batch) Len() int { return b.n }

// At is one of them.
func (b *Batch) At(i int) Event { return eventOf(&b.raw[i]) }

// room is where the next reports go: more if there was no room for all last time.
func (b *Batch) room() []raw {
	if full := len(b.raw) == b.n && b.n < maxBatch; full {
		b.raw = make([]raw, max(minBatch, 2*b.n))
	}
	b.n = 0
	return b.raw
}
