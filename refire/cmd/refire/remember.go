package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// remembered are the flags that decide which entries are fired, and where. What holds a secret is none of them.
func (f *runFlags) remembered() map[string]string {
	all := map[string]string{
		"base": f.base, "alias": strings.Join(f.aliases, " "), "allow-host": strings.Join(f.allowHosts, " "),
		"status": fmt.Sprint(f.status), "method": f.methods.String(), "at-most-once": string(f.durable.once),
	}
	if f.dedup {
		all["dedup"] = "true"
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// logKey is what a log is known by, whatever it is called: its first line that is no directive, as those of W3C's format begin all logs of a server. Empty: that is
// not known (a pipe, a log that is not there yet).
func logKey(head []byte) string {
	for text := string(head); ; {
		line, rest, found := strings.Cut(text, "\n")
		if !found {
			return ""
		}
		if !strings.HasPrefix(line, "#") {
			sum := sha256.Sum256([]byte(line))
			return hex.EncodeToString(sum[:8])
		}
		text = rest
	}
}

// recall reads what is beside --out before it is opened. What a later version wrote is left to it.
func recall(name string, c *console) (*retrylog.Meta, error) {
	m, err := retrylog.ReadMeta(name)
	var newer *retrylog.NewerError
	switch {
	case errors.As(err, &newer):
		return nil, cannotRun(fmt.Errorf("cannot go on in %s: %w", name, newer), "nothing was fired; take that refire, or name another --out")
	case err != nil:
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		c.say("refire: %s: %v; whether the options are those of the last run is not known", name+retrylog.MetaSuffix, err)
		return nil, nil
	}
	return m, nil
}

// sayChanges tells which options are not those of the last run, and a journal of another log. Neither keeps a run from going on: an entry that is in the
// journal is not fired again whatever they are, and none that is not is taken for one that is. But it may not be what the operator has in mind. places are where
// the entries in the journal were fired; none: there are no entries.
func sayChanges(m *retrylog.Meta, f *runFlags, logs []*log, places map[refire.Origin]struct{}, c *console) {
	routes, _ := f.routes() // checked before
	away := elsewhere(places, &routes)
	if away != "" {
		sayElsewhere(m, f, logs, places, away, c)
	}
	if m == nil || len(places) == 0 {
		return
	}
	now := f.remembered()
	names := slices.Collect(maps.Keys(now))
	for name := range m.Options {
		if _, known := now[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	changed := false
	for _, name := range names {
		if before := m.Options[name]; before != now[name] && matters(name, before, logs, places, away) {
			c.say("refire: the last run on %s was %s, this one is %s", f.out, flagWords(name, before), flagWords(name, now[name]))
			changed = true
		}
	}
	if others := otherLogs(m, logs); others != "" {
		c.say("refire: %s is the retry log of another log (%s); its entries count in the summary and in the exit code", f.out, others)
		changed = true
	}
	if changed {
		c.say("hint: what is in %s stays, and is not fired again but by --again; to begin anew, name another --out (--fresh makes sure that it is)", f.out)
	}
}

// matters reports whether another value of an option than before means anything for the entries in the journal.
func matters(name, before string, logs []*log, places map[refire.Origin]struct{}, away string) bool {
	switch name {
	case "base", "allow-host":
		if away != "" {
			return false // sayElsewhere has said it
		}
		o, err := refire.ParseOrigin(before)
		_, fired := places[o]
		return name != "base" || before != "" && err == nil && fired
	case "status":
		return len(logs) > 0
	}
	return true
}

// sayElsewhere tells that this run does not fire at the places where entries of the journal were fired, and what to do about it: a wrong --base before this one
// is the usual reason.
func sayElsewhere(m *retrylog.Meta, f *runFlags, logs []*log, places map[refire.Origin]struct{}, away string, c *console) {
	c.say("refire: %s holds outcomes of %s; those entries are not fired at %s", f.out, away, f.places())
	routes, _ := f.routes()
	for place := range places {
		if routes.Permits(place) {
			c.hint("what fails in it there is fired with --again, if " + away + " is allowed again")
			return
		}
	}
	var names []string
	for _, l := range logs {
		names = append(names, l.name)
	}
	if len(names) == 0 && m != nil {
		names = slices.Compact(slices.Sorted(maps.Values(m.Logs)))
	}
	if command := f.elsewhereCommand(names); command != "" && len(names) > 0 && len(names) <= maxNamedLogs {
		c.hint("fired there they need a retry log of their own:\n  " + command)
		return
	}
	c.hint("to fire them there, name the logs and another --out")
}

// maxNamedLogs is how many logs a command line in a hint names.
const maxNamedLogs = 5

func flagWords(name, value string) string {
	switch value {
	case "":
		return "without --" + name
	case "true":
		return "with --" + name
	}
	return "with --" + name + " " + value
}

// otherLogs names logs of the journal, if none of them is one of these.
func otherLogs(m *retrylog.Meta, logs []*log) string {
	for _, l := range logs {
		if _, known := m.Logs[l.key]; known || l.key == "" {
			return ""
		}
	}
	if len(logs) == 0 || len(m.Logs) == 0 {
		return ""
	}
	names := slices.Compact(slices.Sorted(maps.Values(m.Logs)))
	return some(names)
}

// maxLogs bounds how many logs are remembered: a journal may see a new one every day for years.
const maxLogs = 1000

// remember writes down how this run is. Only the notices, the number of the process, whether an --again begins a new round or finishes one, and what is said of
// a run that did not come to its end depend on it, so that a failure is told and no more. It also returns a function that writes down that a round has ended.
func remember(before *retrylog.Meta, f *runFlags, logs []*log, ledger *refire.Ledger, c *console) (m *retrylog.Meta, ended func(round int)) {
	options := f.remembered()
	if len(logs) == 0 && before != nil && before.Options["status"] != "" {
		options["status"] = before.Options["status"] // nothing was chosen by it
	}
	m = &retrylog.Meta{PID: os.Getpid(), Began: time.Now().UTC().Truncate(time.Second), Options: options, Logs: map[string]string{}, Running: true}
	m.Host, _ = os.Hostname()
	if ledger.Len() > 0 || before != nil && before.Running { // else it is another retry log
		m.GoOn(before)
	}
	if before != nil && len(before.Logs) < maxLogs {
		maps.Copy(m.Logs, before.Logs)
	}
	for _, l := range logs {
		if l.key != "" {
			m.Logs[l.key] = l.name
		}
		m.Begin(l.key, l.name)
	}
	m.Ended = ledger.Ended
	write := func() {
		if err := m.Write(f.out); err != nil {
			c.say("refire: cannot remember the options of this run: %v", err)
		}
	}
	write()
	return m, func(round int) {
		if round != m.Ended {
			m.Ended = round
			write()
		}
	}
}

// endedRound is the round that the last run but for new entries was; of another retry log it says nothing.
func endedRound(m *retrylog.Meta, ledger *refire.Ledger) int {
	if m == nil || ledger.Len() == 0 {
		return 0
	}
	return m.Ended
}

// lockedBy says who has the retry log, as far as that is known.
func lockedBy(name string) error {
	m, err := retrylog.ReadMeta(name)
	if err != nil || m == nil || m.PID == 0 {
		return retrylog.ErrLocked
	}
	host, _ := os.Hostname()
	where := ""
	if m.Host != host {
		where = " on " + m.Host
	} else if !isRunning(m.PID) { // of an earlier run: the other one has only just begun
		return retrylog.ErrLocked
	}
	return fmt.Errorf("%w (process %d%s, since %s)", retrylog.ErrLocked, m.PID, where, m.Began.Local().Format("2006-01-02 15:04:05"))
}

var _ refire.Announcer = (*retrylog.Journal)(nil)
