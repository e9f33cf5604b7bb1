package main

import (
	"errors"
	"fmt"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
	"github.com/spf13/pflag"
)

// durability is what a crash may cost: the flags --sync and --at-most-once.
type durability struct {
	sync retrylog.Sync
	once onceFor
}

// onceFor is which requests go out at most once, whatever happens: the value of --at-most-once.
type onceFor string

const (
	onceUnsafe onceFor = "unsafe" // those whose method is not idempotent: POST, PATCH and unknown ones
	onceAll    onceFor = "all"
	onceOff    onceFor = "off"
)

func newDurability() durability { return durability{retrylog.SyncInterval, onceUnsafe} }

func (d *durability) addOnce(fs *pflag.FlagSet) {
	fs.Var(value("WHICH", parseOnce, &d.once), "at-most-once", "`WHICH`: send never twice: unsafe methods, all (if given alone), or off")
	fs.Lookup("at-most-once").NoOptDefVal = string(onceAll)
}

func (d *durability) addSync(fs *pflag.FlagSet) {
	fs.Var(value("WHEN", retrylog.ParseSync, &d.sync), "sync", "`WHEN`: write --out to disk: always, never, or interval (each second)")
}

func parseOnce(text string) (onceFor, error) {
	switch o := onceFor(text); o {
	case onceUnsafe, onceAll, onceOff:
		return o, nil
	}
	return "", fmt.Errorf("%s is none of unsafe, all and off", quoted(text))
}

// check is told whether there is a journal.
func (d *durability) check(journals bool) error {
	if d.once == onceAll && !journals {
		return usage(errors.New("--at-most-once needs a journal as --out, to know what was fired before"), "name a file with --out, and leave --out-format at json")
	}
	return nil
}

// applies chooses the requests that are fired at most once.
func (d *durability) applies(r *refire.Request) bool {
	return d.once == onceAll || d.once == onceUnsafe && !refire.IsIdempotent(r.Method)
}

// sayRepairs tells what Open found.
func sayRepairs(c *console, name string, r retrylog.Repairs) {
	if r.Torn > 0 {
		c.say("refire: the last line of %s was cut short when a run was stopped; its entry is fired again, unless it goes out at most once", name)
	}
	if r.Unknown > 0 {
		c.say("refire: under way when a run was stopped: %s; nobody knows with what outcome, and none is fired again", plural(r.Unknown, "request"))
		c.hint(fmt.Sprintf("see \"unknown\" in %s; ask the server's own log, then --again --at-most-once=off fires all of them once more", name))
	}
}

// damagedAnnouncements is for a file beside the retry log that cannot be read.
func damagedAnnouncements(name string, err error) *failure {
	return cannotRun(fmt.Errorf("cannot use %s: %w", name+retrylog.FiredSuffix, errors.Unwrap(err)),
		"it names the requests that were being fired when a run was stopped, which must not be fired twice\n"+
			"nothing was fired; take it away if those may be fired again")
}
