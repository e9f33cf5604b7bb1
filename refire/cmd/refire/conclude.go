package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// ended is a run that has ended, well or not.
type ended struct {
	flags *runFlags
	refire.Progress
	err   error
	tally refire.Tally
	read  *reading
	out   *output
}

// conclude prints the summary and finds the exit code.
func conclude(ctx context.Context, e *ended, c *console) error {
	text := e.read.inVain() + fmt.Sprintf("fired %s in %s", plural(e.Done+e.Unwritten, "request"), span(e.Elapsed))
	if e.err != nil || e.Enough {
		text += e.howFar()
	}
	var changed *retrylog.ChangedError
	switch {
	case !e.flags.journals():
	case e.journalChanged(&changed):
		text += "; " + plural(e.tally.Settled(), "entry") + " with an outcome, which " + e.flags.out + " may not hold, see below"
	default:
		text += "; " + e.flags.out + " holds " + plural(e.tally.Settled(), "entry")
	}
	if !e.flags.quiet {
		c.say("refire: %s", text)
		e.sayCut(c)
		rows := append(tallyRows(e.tally), e.out.failing.rows(e.tally, c.room())...)
		rows = append(rows, row{"unwritten", e.Unwritten, "fired, and their outcomes could not be written", red, false})
		writeRows(c.w, append(rows, e.read.rows(e.Skipped)...), c.paint, c.room())
	}
	sayRedirected(e.tally, c)
	e.sayFailing(c)
	err := e.failure(ctx, c)
	e.rememberEnd(err, c)
	reported := e.writeReport(c)
	var f *failure
	if errors.As(err, &f) && (reported == nil || f.code != exitStillFails) {
		return err // what went wrong in the run matters more than its page
	}
	return reported
}

// sayFailing says what a --quiet run leaves to be said: it is what went wrong.
func (e *ended) sayFailing(c *console) {
	if n := e.tally.Settled() - e.tally.Recovered; e.flags.quiet && n > 0 {
		in := ""
		if e.flags.journals() {
			in = " in " + e.flags.out
		}
		c.say("refire: %s of %s%s did not recover", number(n), plural(e.tally.Settled(), "entry"), in)
	}
}

// failure is nil where the exit code is 0. What is not in the run because a log could not be read is said, whatever else ended it.
func (e *ended) failure(ctx context.Context, c *console) error {
	err, trouble := e.stopped(ctx), e.read.troubled()
	switch {
	case err != nil && trouble != nil:
		var f *failure
		if errors.As(trouble, &f) {
			f.print(c)
		}
		return err
	case err != nil:
		return err
	case trouble != nil:
		return trouble
	case !e.tally.AllRecovered():
		return &failure{exitStillFails, nil, e.whatNext()}
	}
	if f := e.read.allRefused(e.Admitted + e.Skipped[refire.AlreadyDone]); f != nil {
		return f
	}
	return nil
}

// journalChanged reports whether somebody else has changed the retry log, so that it does not hold what this run has written.
func (e *ended) journalChanged(changed **retrylog.ChangedError) bool {
	var fired *retrylog.FiredError
	return errors.As(e.err, changed) && !errors.As(e.err, &fired) && !(*changed).Mended()
}

// stopped is why a run has ended before its time, or not as it should. A disk that is full matters more than the signal that came after.
func (e *ended) stopped(ctx context.Context) error {
	var f *failure
	var write *refire.SinkError
	var local *refire.LocalError
	var proxy *refire.ProxyError
	var interrupt *interruption
	switch {
	case errors.As(e.err, &write):
		return writeFailure(e.flags, write.Err)
	case e.err != nil && errors.As(context.Cause(ctx), &interrupt):
		return &failure{interrupt.code(), interrupt, goOnHint(e.flags)}
	case errors.As(e.err, &local):
		return cannotRun(e.err, "lower --concurrency, or raise the limit of open files (ulimit -n); "+goOnHint(e.flags))
	case errors.As(e.err, &proxy):
		return cannotRun(fmt.Errorf("the proxy %w", proxy), proxyPasswordHint(e.flags)+"; "+goOnHint(e.flags))
	case e.stoppedShort() != nil:
		return e.stoppedShort()
	case errors.As(e.err, &f):
		return f
	case e.err != nil:
		return readFailure(e.err, "what was read before was fired; the same command goes on from there")
	}
	return nil
}

// whatNext is the hint where some still fail.
func (e *ended) whatNext() string {
	f := e.flags
	if e.Enough || e.Done == 0 && elsewhere(e.out.places, &e.read.plan.Routes) != "" {
		return "" // what to do has been said
	}
	if e.tally.Unknown > 0 && e.tally.Failing()+e.tally.Unreachable() == 0 {
		return "the server's own log may tell what became of the unknown ones; refire run --again --at-most-once=off fires them once more"
	}
	const once = "fire what still fails once more"
	if e.Done == 0 || e.NoAnswer < e.Done {
		return f.againHint(once)
	}
	if f.proxy != "" && e.tally.ByTrouble[refire.AtProxy] > 0 {
		return f.proxyHint(e.read.plan.Routes.Origins(), f.againHint(once))
	}
	hint := fmt.Sprintf("nothing at all answered at %s: is it up, and are scheme and port right?", e.asked())
	if f.journals() {
		hint += "\nif they are wrong, give the right --base and another --out; " + f.againHint("if it was down, fire once more what fails")
	}
	return hint
}

// asked names the places that this run has fired at.
func (e *ended) asked() string {
	names := make([]string, len(e.Asked))
	for i, place := range e.Asked {
		if names[i] = place.String(); place == e.read.plan.Routes.Base {
			names[i] = e.flags.base
		}
	}
	return some(names)
}

func goOnHint(f *runFlags) string {
	if f.journals() {
		return "everything that was answered is in " + f.out + "; the same command goes on from there"
	}
	return "this run has no journal (--out), so the same command begins again"
}

func writeFailure(f *runFlags, err error) error {
	var path *fs.PathError
	var fired *retrylog.FiredError
	name := f.out
	if errors.As(err, &fired) {
		name += retrylog.FiredSuffix
	}
	var changed *retrylog.ChangedError
	if errors.As(err, &changed) {
		return changedFailure(name, f.out, changed)
	}
	if errors.As(err, &path) {
		err = path.Err
	}
	if !f.journals() {
		return cannotRun(fmt.Errorf("cannot write outcomes: %w", err), "firing was stopped; "+goOnHint(f))
	}
	return cannotRun(fmt.Errorf("cannot write %s: %w", name, err),
		fmt.Sprintf("firing was stopped; make room, then run the same command again: it goes on, and what was under way and could not be written\n"+
			"(at most %d entries; of what goes out at most once: none) is fired once more", f.concurrency))
}

// changedFailure is for a retry log, or what is beside it, that somebody else has changed while it was written.
func changedFailure(name, out string, e *retrylog.ChangedError) error {
	hint := "firing was stopped; the same command goes on"
	switch {
	case name != out:
		hint += "; that file keeps requests from going out twice after a crash: see who does that"
	case e.Mended():
		hint += "; see who removes it (logrotate, a clean-up)"
	case e.How == retrylog.Truncated:
		hint = "firing was stopped; if there is a copy (logrotate's copytruncate), put both together before the next run:\ncat COPY " + out +
			" >both && mv both " + out + "; an entry of which it has no line is fired again"
	case e.How == retrylog.Grown:
		hint = "firing was stopped; see what that was: lines of another refire count, others are refused by the next run"
	case e.Now == "":
		hint = "firing was stopped; what is not in " + out + " when the next run begins is fired again"
	case e.Taken:
		hint = "firing was stopped; put it back before the next run, or all of it is fired again: cat " + e.Now + " " + out + " >both && mv both " + out
	default:
		hint = "firing was stopped; put it back before the next run, or all of it is fired again: mv " + e.Now + " " + out
	}
	return cannotRun(fmt.Errorf("%s is not as this run wrote it: %w", name, e), hint)
}

// readFailure is for a log that could not be read to its end.
func readFailure(err error, hint string) error {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, accesslog.ErrChanged):
		hint = "name the copy that it was rotated to; " + hint
	}
	return cannotRun(err, hint)
}
