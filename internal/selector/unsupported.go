//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package selector

import (
	"errors"
	"time"
)

// Tagged, Levels, TellsUrgent, Inline: see there. Here there is no set.
const (
	Tagged      = true
	Levels      = true
	TellsUrgent = true
	Inline      = true
)

// Selector can't be had on this system: New says so.
type Selector struct{}

// New fails with errors.ErrUnsupported.
func New() (*Selector, error) { return nil, errors.ErrUnsupported }

// The methods, as on other systems; nobody gets to call them.
func (*Selector) Close() error                              { return errors.ErrUnsupported }
func (*Selector) Add(fd int, want Events, tag uint32) error { return errors.ErrUnsupported }
func (*Selector) Remove(fd int, had Events)                 {}
func (*Selector) Poll(b *Batch) bool                        { return false }
func (*Selector) Until(t time.Time)                         {}
func (*Selector) Wait(b *Batch)                             {}
func (*Selector) Await()                                    {}
func (*Selector) Interrupt()                                {}
func (*Selector) Ready(fd int, want Events) (Events, error) { return 0, errors.ErrUnsupported }
func (*Selector) Arm(fd int, had, want Events, tag uint32) error {
	return errors.ErrUnsupported
}

// Has, likewise.
func (*Selector) Has(fd int, had, last Events, tag uint32) bool { return false }

// Renew, likewise.
func (*Selector) Renew() error { return errors.ErrUnsupported }

type raw struct{}

func eventOf(*raw) Event { return Event{} }
