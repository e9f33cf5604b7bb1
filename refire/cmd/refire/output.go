package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/internal/shell"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// output is where outcomes go.
type output struct {
	sink  refire.Sink
	again io.Reader    // what the journal held when it was opened; nil: no journal
	check func() error // whether what was written is still there
	ended func(round int)
	close func() error

	places map[refire.Origin]struct{} // where the entries in the journal were fired
	meta   *retrylog.Meta             // what is beside the journal; nil: no journal

	failing *failures // what does not recover; nil: nobody wants to know
}

// elsewhere names those places of the journal's entries that routes do not allow; empty: there are none.
func elsewhere(places map[refire.Origin]struct{}, routes *refire.Routes) string {
	const most = 3
	var names []string
	for place := range places {
		if !routes.Permits(place) {
			names = append(names, place.String())
		}
	}
	slices.Sort(names)
	if len(names) > most {
		names = append(names[:most], "others")
	}
	return strings.Join(names, ", ")
}

// changed is whether what was written is not there any more: nil, or a *refire.SinkError.
func (o *output) changed() error {
	if o.check == nil {
		return nil
	}
	if err := o.check(); err != nil {
		return &refire.SinkError{Err: err}
	}
	return nil
}

// openOutput opens --out for a run and loads the ledger from it.
func openOutput(f *runFlags, logs []*log, ledger *refire.Ledger, std stdio, c *console) (*output, error) {
	switch {
	case f.out == "-":
		return &output{sink: retrylog.NewWriter(std.out, retrylog.Format(f.outFormat)), close: func() error { return nil }}, nil
	case !f.journals():
		return openURLs(f.out)
	}
	if f.again { // Open would create it
		if _, err := os.Stat(f.out); err != nil {
			return nil, nothingAgain(f.out, err)
		}
	}
	if f.fresh {
		if err := checkFresh(f.out); err != nil {
			return nil, err
		}
	}
	meta, err := recall(f.out, c)
	if err != nil {
		return nil, err
	}
	places := map[refire.Origin]struct{}{}
	var byPath *failures
	if !f.quiet {
		byPath = new(failures)
	}
	j, repairs, err := retrylog.Open(f.out, retrylog.Options{Sync: f.durable.sync}, func(o *refire.Outcome) error {
		places[o.Origin] = struct{}{}
		ledger.Load(o)
		byPath.take(o)
		return nil
	})
	if err != nil {
		return nil, refusedOutput(f.out, err)
	}
	if f.fresh && ledger.Len() > 0 {
		return nil, errors.Join(notFresh(f.out), j.Close())
	}
	sayRepairs(c, f.out, repairs)
	if err := j.Reserve(f.concurrency); err != nil {
		return nil, errors.Join(noRoom(f.out, err), j.Close())
	}
	sayChanges(meta, f, logs, places, c)
	ledger.Ended = endedRound(meta, ledger)
	meta, ended := remember(meta, f, logs, ledger, c)
	switch {
	case !j.Locked():
		c.say("refire: this system or file system has no locks: a second run on %s is not noticed; see to it that there is none", f.out)
	case j.Network() != "":
		c.say("refire: %s is on %s: a second run on another machine may not be noticed; see to it that there is none", f.out, j.Network())
	}
	sink := watchedJournal{j, byPath}
	return &output{sink: sink, again: j.Loaded(), check: j.Check, ended: ended, close: j.Close, places: places, meta: meta, failing: byPath}, nil
}

// peekOutput loads the ledger for a dry run: it changes nothing and creates nothing.
func peekOutput(f *runFlags, logs []*log, ledger *refire.Ledger, c *console) (again io.Reader, err error) {
	if !f.journals() {
		return nil, nil
	}
	meta, err := recall(f.out, c)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(f.out)
	switch {
	case err == nil:
	case f.again:
		return nil, nothingAgain(f.out, err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	default:
		return nil, refusedOutput(f.out, err)
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(refusedOutput(f.out, errors.Join(retrylog.ErrNotRegular, err)), file.Close())
	}
	fired, err := retrylog.ReadFired(f.out)
	if err != nil {
		return nil, errors.Join(refusedOutput(f.out, err), file.Close())
	}
	places := map[refire.Origin]struct{}{}
	take := load(ledger, fired)
	ext, err := retrylog.Read(file, func(o *refire.Outcome) error {
		places[o.Origin] = struct{}{}
		return take(o)
	})
	if err != nil {
		return nil, errors.Join(refusedOutput(f.out, err), file.Close())
	}
	for _, o := range fired.Outcomes() {
		ledger.Load(&o)
	}
	sayChanges(meta, f, logs, places, c)
	ledger.Ended = endedRound(meta, ledger)
	if f.fresh && ledger.Len() > 0 {
		return nil, errors.Join(notFresh(f.out), file.Close())
	}
	return io.NewSectionReader(file, 0, ext.Bytes), nil
}

// nothingAgain is for a retry log that --again needs.
func nothingAgain(name string, err error) *failure {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return cannotRun(fmt.Errorf("cannot read %s: %w", name, err), "--again fires what still fails in a retry log: check --out, or leave --again out to begin one")
}

// load is told all outcomes of a retry log.
func load(ledger *refire.Ledger, fired *retrylog.Fired) func(*refire.Outcome) error {
	return func(o *refire.Outcome) error {
		fired.Settle(o)
		ledger.Load(o)
		return nil
	}
}

func openURLs(name string) (*output, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, refusedOutput(name, err)
	}
	if info, err := f.Stat(); err != nil || info.Size() > 0 {
		f.Close()
		return nil, cannotRun(fmt.Errorf("%s is not empty, and --out-format urls is no journal that could go on", name), "name another file")
	}
	return &output{sink: retrylog.NewWriter(f, retrylog.URLs), close: f.Close}, nil
}

// checkFresh refuses what a run has left, before anything of it is touched.
func checkFresh(name string) error {
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		return notFresh(name)
	}
	fired := retrylog.Beside(name, retrylog.FiredSuffix)
	if _, err := os.Lstat(fired); err == nil {
		return cannotRun(fmt.Errorf("--fresh asks for a new %s, and %s is there: a run that was stopped has announced in it what must not go out twice", name, fired),
			"name another --out, or leave --fresh out to go on where that run was")
	}
	return nil
}

func notFresh(name string) error {
	return cannotRun(fmt.Errorf("%s is not empty, and --fresh asks for one that is", name), "name another --out, or leave --fresh out to go on where that run was")
}

func refusedOutput(name string, err error) *failure {
	var foreign *retrylog.NotOursError
	var fired *retrylog.FiredError
	var path *fs.PathError
	switch {
	case errors.As(err, &fired):
		return damagedAnnouncements(name, err)
	case errors.As(err, &foreign):
		return notARetryLog(name, err, "nothing was fired, and the file is as it was; name another --out")
	case errors.Is(err, retrylog.ErrLocked):
		return cannotRun(fmt.Errorf("%s: %w", name, lockedBy(name)), "wait for that run, or name another --out")
	case errors.Is(err, retrylog.ErrNotRegular):
		return cannotRun(fmt.Errorf("%s is %w", name, err), "a retry log is a file; --out - writes to standard output")
	case errors.As(err, &path):
		err = path.Err
	}
	return cannotRun(fmt.Errorf("cannot open %s: %w", name, err), "nothing was fired; name another --out")
}

func noRoom(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return cannotRun(fmt.Errorf("no room for %s: %w", name, err), "nothing was fired; make room, then run the same command again")
}

// notARetryLog tells a file of somebody else's from one of ours with a damaged line, for which another --out would fire everything again.
func notARetryLog(name string, err error, hint string) *failure {
	var foreign *retrylog.NotOursError
	if !errors.As(err, &foreign) || !foreign.Damaged {
		return cannotRun(fmt.Errorf("%s is not a retry log: %w", name, err), hint)
	}
	rest := "and others are good"
	if n := foreign.Line - 1; n > 0 {
		rest = "the " + plural(n, "line") + " before it good"
	}
	return cannotRun(fmt.Errorf("%s is damaged: %w, %s", name, err, rest),
		fmt.Sprintf("nothing was fired, and the file is as it was; take that line out (sed -i.bak %dd %s) and its entry is fired again, the others are not",
			foreign.Line, shell.Word(retrylog.Beside(name, "")))) // sed would put a file in the place of a link
}

// cannotPrint is for standard output.
func cannotPrint(err error) *failure {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return cannotRun(fmt.Errorf("cannot write to standard output: %w", err), "see what it is connected to: a full disk, a program that has ended")
}
