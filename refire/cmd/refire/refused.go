package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed8b1f0744/aio/refire"
)

// maxPlaces bounds how many places are counted by name: a client may name any.
const maxPlaces = 1000

// places counts the places that entries name.
type places map[refire.Origin]int

// add counts the place that a target names. Those for which there is no room are in no count of their own.
func (p places) add(target string) {
	at, ok := refire.Named(target)
	if _, known := p[at]; ok && (known || len(p) < maxPlaces) {
		p[at]++
	}
}

// most are those that are named most.
func (p places) most() []refire.Origin {
	return slices.SortedFunc(maps.Keys(p), func(a, b refire.Origin) int {
		return cmp.Or(cmp.Compare(p[b], p[a]), cmp.Compare(a.String(), b.String()))
	})
}

// String names a few of them.
func (p places) String() string {
	const few = 3
	var names []string
	for _, at := range p.most() {
		names = append(names, at.String())
	}
	if len(names) > few {
		names = append(names[:few], "others")
	}
	return strings.Join(names, ", ")
}

// reason is why entries are refused, with the places that they name. Commas are between reasons.
func (r *reading) reason(why refire.Reason) string {
	if why == refire.OtherHost && len(r.named) > 0 {
		return string(why) + ": " + strings.ReplaceAll(r.named.String(), ",", "")
	}
	return string(why)
}

// allRefused is the failure of a run that had to refuse all there was: somebody who asks for it with an exit code must not be told that all has recovered. done
// is what was fired, by this run or an earlier one; nil: something was, or there was nothing.
func (r *reading) allRefused(done int) *failure {
	refused := sum(r.refused)
	if done > 0 || refused == 0 {
		return nil
	}
	return &failure{exitStillFails, fmt.Errorf("nothing was fired: %s refused", plural(refused, "entry")+pick(refused, " was", " were")), r.lift()}
}

// lift is how what was refused can be fired, if it should be.
func (r *reading) lift() string {
	list := r.named.most()
	switch {
	case r.refused[refire.OtherHost] == 0 || len(list) == 0:
	case r.flags.base == "":
		return fmt.Sprintf("named: %v; --allow-host %s fires what names it there", r.named, list[0].HostPort())
	default:
		return fmt.Sprintf("named: %v; --alias %v fires what names it at --base, --allow-host %s fires it there", r.named, list[0], list[0].HostPort())
	}
	switch {
	case r.refused[refire.NoBase] > 0:
		return "give --base: they name no host"
	case r.refused[refire.CannotSend] > 0:
		return "--client loop sends them as they are"
	}
	return "--show-refused lists them"
}

func pick(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
