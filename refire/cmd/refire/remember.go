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

// logKey is what a log is known by, whatever it is called: its first line. Empty: that is not known (a pipe, a log that is not there yet).
func logKey(head []byte) string {
	line, _, found := strings.Cut(string(head), "\n")
	if !found {
		return ""
	}
	sum := sha256.Sum256([]byte(line))
	return hex.EncodeToString(sum[:8])
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
// journal is not fired again whatever they are, and none that is not is taken for one that is. But it may not be what the operator has in mind.
func sayChanges(m *retrylog.Meta, f *runFlags, logs []*log, entries int, c *console) {
	if m == nil || entries == 0 {
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
		if before := m.Options[name]; before != now[name] {
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
	m = &retrylog.Meta{PID: os.Getpid(), Began: time.Now().UTC().Truncate(time.Second), Options: f.remembered(), Logs: map[string]string{}, Running: true}
	m.Host, _ = os.Hostname()
	if ledger.Len() > 0 { // else it is another retry log
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
