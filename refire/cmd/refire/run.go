package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
	"github.com/spf13/cobra"
)

const runHelp = `Fire again what failed in the logs, at --base, and write each outcome to --out.

Requests go to --base (or an --allow-host) and nowhere else, whatever a line says; the
target is sent as it was logged, and marked retry=True in the retry log. Started again
with the same --out, a run goes on where it was.

Only GET and HEAD are fired unless --method says more. An access log holds no bodies:
a POST goes out without one, changes whatever it changes, and perhaps a second time.`

const runExample = `  refire run --base http://127.0.0.1:8080 access.log
  refire run --base https://shop.example --dry-run access.log
  zcat access.log.*.gz | refire run --base https://shop.example --rate 20/s -
  refire run --base https://shop.example --again         what still fails, once more`

func newRun(std stdio) *cobra.Command {
	f := newRunFlags()
	cmd := &cobra.Command{
		Use:     "run [flags] LOG...",
		Short:   "Fire again what failed, write the outcomes to a retry log",
		Long:    runHelp,
		Example: runExample,
		RunE: func(_ *cobra.Command, args []string) error {
			return runRun(f, args, std)
		},
	}
	f.add(cmd.Flags())
	return cmd
}

func runRun(f *runFlags, args []string, std stdio) error {
	if err := f.check(args); err != nil {
		return err
	}
	routes, err := f.routes()
	if err != nil {
		return err
	}
	c := newConsole(std.err)
	logs, err := openLogs(args, std, c)
	if err != nil {
		return err
	}
	if err := checkNotInput(f, logs); err != nil {
		return err
	}
	ledger := refire.NewLedger(f.dedup)
	if f.dryRun {
		return dryRun(f, logs, routes, ledger, std, c)
	}
	return fireLogs(context.Background(), f, logs, routes, ledger, std, c)
}

// dryRun prints what would be fired.
func dryRun(f *runFlags, logs []*log, routes refire.Routes, ledger *refire.Ledger, std stdio, c *console) error {
	journal, err := peekOutput(f, ledger)
	if err != nil {
		return err
	}
	out := newDataWriter(std.out)
	read := newReading(logs, refire.Plan{Methods: f.methods, Routes: routes, CanSend: refire.CanSendHTTP}, f, c)
	skipped := map[refire.Reason]int{}
	n := 0
	for _, source := range sources(f, read, journal, ledger) {
		err := source(context.Background(), func(r refire.Request, _ int64) error {
			if why := ledger.Admit(&r); why != "" {
				if !r.Again {
					skipped[why]++
				}
				return nil
			}
			n++
			_, err := io.WriteString(out, r.URL()+"\n")
			return err
		})
		if err != nil {
			return errors.Join(readFailure(err), out.Flush())
		}
	}
	if err := out.Flush(); err != nil {
		return cannotRun(fmt.Errorf("cannot write: %w", err), "")
	}
	c.say("refire: would fire %s", plural(n, "request"))
	writeRows(c.w, read.rows(skipped), plain)
	return nil
}

// sources are what a run reads: what still fails in the journal, then the logs.
func sources(f *runFlags, read *reading, journal io.Reader, ledger *refire.Ledger) []refire.Source {
	var list []refire.Source
	if f.again && journal != nil && ledger.BeginAgain() > 0 {
		list = append(list, retrylog.Failed(journal, read.may))
	}
	return append(list, read.source)
}

// fireLogs is a run from here on: everything has been checked.
func fireLogs(ctx context.Context, f *runFlags, logs []*log, routes refire.Routes, ledger *refire.Ledger, std stdio, c *console) (err error) {
	pins, err := refire.Pin(ctx, net.DefaultResolver.LookupNetIP, routes.HostPorts())
	if err != nil {
		return cannotRun(err, "nothing was fired; check --base and --allow-host")
	}
	out, err := openOutput(f, ledger, std, c)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := out.close(); cerr != nil && err == nil {
			err = cannotRun(fmt.Errorf("cannot finish %s: %w", f.out, cerr), "check the disk, then run the same command again")
		}
	}()
	if f.methods.Unsafe() {
		c.say("refire: --method %v fires requests that may change something; they go out without a body, for an access log holds none", f.methods)
	}
	ctx, stopped := watchSignals(ctx, c)
	defer stopped()
	client := refire.NewHTTPClient(refire.HTTPConfig{Pins: pins, Connections: f.concurrency, Timeout: f.timeout})
	read := newReading(logs, refire.Plan{Methods: f.methods, Routes: routes, CanSend: refire.CanSendHTTP}, f, c)
	firing := &refire.Firing{
		Sources: sources(f, read, out.again, ledger), Ledger: ledger, Client: client, Sink: out.sink,
		Concurrency: f.concurrency, Rate: f.rate, Retries: f.retries,
	}
	watchProgress(f, firing, read, c)
	p, err := aio.Run(ctx, firing.Run)
	err = errors.Join(err, client.Close())
	if c.terminal {
		c.update("")
	}
	return conclude(ctx, f, p, err, ledger, read, c)
}

func watchProgress(f *runFlags, firing *refire.Firing, read *reading, c *console) {
	if f.progress == "off" {
		return
	}
	m := &meter{c: c, total: read.total()}
	firing.Progress = m.tell
	switch {
	case c.terminal:
		firing.Every = terminalEvery
	case f.progress == "on":
		firing.Every = time.Second
	default:
		firing.Every = pipeEvery
	}
}

// conclude prints the summary and finds the exit code.
func conclude(ctx context.Context, f *runFlags, p refire.Progress, err error, ledger *refire.Ledger, read *reading, c *console) error {
	tally := ledger.Tally()
	where := ""
	if f.journals() {
		where = "; " + f.out + " holds " + plural(tally.Settled(), "entry")
	}
	c.say("refire: fired %s in %s%s", plural(p.Done, "request"), span(p.Elapsed), where)
	writeRows(c.w, append(tallyRows(tally), read.rows(p.Skipped)...), c.paint)
	var interrupt *interruption
	switch {
	case errors.As(context.Cause(ctx), &interrupt) && err != nil:
		return &failure{interrupt.code(), interrupt, goOnHint(f)}
	case err != nil:
		return runFailure(f, err)
	case !tally.AllRecovered():
		hint := ""
		if f.journals() {
			hint = "refire run --again with the same --base and --out fires what still fails once more"
		}
		return &failure{exitStillFails, nil, hint}
	}
	return nil
}

func goOnHint(f *runFlags) string {
	if f.journals() {
		return "everything that was answered is in " + f.out + "; the same command goes on from there"
	}
	return "this run has no journal (--out), so the same command begins again"
}

func runFailure(f *runFlags, err error) error {
	var read *failure
	if errors.As(err, &read) {
		return read
	}
	var write *refire.SinkError
	if errors.As(err, &write) {
		return writeFailure(f, write.Err)
	}
	return readFailure(err)
}

func writeFailure(f *runFlags, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	if !f.journals() {
		return cannotRun(fmt.Errorf("cannot write outcomes: %w", err), "firing was stopped; "+goOnHint(f))
	}
	return cannotRun(fmt.Errorf("cannot write %s: %w", f.out, err),
		fmt.Sprintf("firing was stopped; make room, then run the same command again: it goes on, and at most %d entries are fired twice", f.concurrency))
}

func readFailure(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return cannotRun(err, "the log could not be read to its end; what was read before was fired. Run the same command again to go on")
}
