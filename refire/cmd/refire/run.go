package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
	"github.com/spf13/cobra"
)

const runHelp = `Fire again what failed in the logs, at --base, and write each outcome to --out.
Requests go there (or to an --allow-host) and nowhere else, whatever logs say.
Started again with the same --out, a run goes on where it was.
A LOG is a file, packed (gz, zst, bz2, xz) or not, a folder, 'a*pattern', or -.
Logs hold no bodies: --method POST sends them empty, and may change something.`

const runExample = `  refire run --base http://127.0.0.1:8080 --rate 20/s access.log
  refire run --base https://shop.example --since 2h --dry-run /var/log/nginx
  refire run --base https://shop.example --again    what still fails, once more`

const runExits = `0 all recovered (2xx, or 3xx, not followed), or nothing to do;
1 not all; 2 usage; 3 could not run; 129, 130, 143 by a signal.`

func newRun(std stdio) *cobra.Command {
	f := newRunFlags()
	cmd := &cobra.Command{
		Use:         "run [flags] LOG...",
		Short:       "Fire again what failed, write the outcomes to a retry log",
		Long:        runHelp,
		Example:     runExample,
		Annotations: exits(runExits),
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
	f.sayMethods(c)
	find := finder{std: std, c: c, opts: f.options(), out: f.out, follow: f.follows()}
	logs, err := find.find(args)
	if err != nil {
		return err
	}
	if f.follows() && !slices.ContainsFunc(logs, (*log).followed) {
		return usage(errors.New("--follow: none of the logs can grow, they are packed or no files"), "name the log that is being written, or leave --follow out")
	}
	if err := checkApart(f, logs); err != nil {
		return err
	}
	ledger := refire.NewLedger(f.dedup)
	read := newReading(logs, refire.Plan{Methods: f.methods, Routes: routes, CanSend: f.client.canSend}, f, c)
	ledger.MayNot, ledger.Once = read.plan.MayNot, f.durable.applies
	f.sayUnsafe(c)
	f.headers.say(routes.Base, c)
	if f.dryRun != "" {
		return dryRun(f, read, ledger, std, c)
	}
	return fireLogs(context.Background(), f, read, ledger, std, c)
}

// errMaxShown ends a dry run: --max are printed.
var errMaxShown = errors.New("that is --max")

// dryRun prints what would be sent: without the mark, which is for the retry log.
func dryRun(f *runFlags, read *reading, ledger *refire.Ledger, std stdio, c *console) error {
	journal, err := peekOutput(f, read.logs, ledger, c)
	if err != nil {
		return err
	}
	out := newDataWriter(std.out)
	config := f.httpConfig(nil, &read.plan.Routes)
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
			if n++; f.safety.max > 0 && n > f.safety.max {
				n--
				return errMaxShown
			}
			if _, err := io.WriteString(out, f.dryLine(&r, &config)+"\n"); err != nil {
				return cannotPrint(err)
			}
			return nil
		})
		if errors.Is(err, errMaxShown) {
			break
		}
		if err != nil {
			return errors.Join(readFailure(err, "nothing was fired"), out.Flush())
		}
	}
	if err := out.Flush(); err != nil {
		return cannotPrint(err)
	}
	c.say("refire: %swould fire %s", read.inVain(), plural(n, "request"))
	writeRows(c.w, read.rows(skipped), plain, c.room())
	if err := read.troubled(); err != nil {
		return err
	}
	read.sayAllRefused(n + skipped[refire.AlreadyDone])
	return nil
}

// roundBefore is why an entry that fails is not fired by an --again that finishes another one.
const roundBefore refire.Reason = "fired by the --again that this one finishes"

// sources are what a run reads: what still fails in the journal, then the logs.
func sources(f *runFlags, read *reading, journal io.Reader, ledger *refire.Ledger) []refire.Source {
	var list []refire.Source
	if f.again && journal != nil {
		read.again = ledger.Barred()
		fires, wait := ledger.BeginAgain()
		if read.toAgain = fires; fires > 0 {
			list = append(list, retrylog.Failed(journal))
		}
		if wait > 0 {
			read.again[roundBefore] = wait
			read.c.say("refire: this finishes the --again before, which did not come to all; %s that it fired, and that still fail, come with the next --again", number(wait))
		}
	}
	return append(list, read.source)
}

// fireLogs is a run from here on: everything has been checked.
func fireLogs(ctx context.Context, f *runFlags, read *reading, ledger *refire.Ledger, std stdio, c *console) error {
	pins, err := f.pin(ctx, &read.plan.Routes)
	if err != nil {
		return err
	}
	events, err := openEvents(f, std, c)
	if err != nil {
		return err
	}
	err = fireTold(ctx, f, read, ledger, pins, events, std, c)
	events.finish(err) // not of a run that panics
	return err
}

// fireTold is fireLogs with events that somebody else ends.
func fireTold(ctx context.Context, f *runFlags, read *reading, ledger *refire.Ledger, pins *refire.Pins, events *events, std stdio, c *console) (err error) {
	out, err := openOutput(f, read.logs, ledger, std, c)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := out.close(); cerr != nil && err == nil {
			err = cannotRun(fmt.Errorf("cannot finish %s: %w", f.out, cerr), "check the disk, then run the same command again")
		}
	}()
	f.sayProxies(pins, &read.plan.Routes, c)
	ctx, stopped := watchSignals(ctx, c, goOnHint(f))
	defer stopped()
	client := f.client.start(f.httpConfig(pins, &read.plan.Routes))
	firing := &refire.Firing{
		Sources: sources(f, read, out.again, ledger), Ledger: ledger, Client: client, Sink: out.sink,
		Concurrency: f.concurrency, Rate: f.rate, Retries: f.retries, Safety: f.safety.options(f.follows()), Once: f.durable.applies,
	}
	events.start(f, read, ledger.Len())
	watchProgress(f, firing, read, c, events)
	p, err := aio.Run(ctx, firing.Run)
	err = errors.Join(err, client.Close(), out.changed())
	c.leave()
	if f.again && err == nil && p.ReadAll && !p.Enough {
		out.ended(ledger.Round())
	}
	end := &ended{f, p, err, ledger.Tally(), read, out}
	events.summary(end)
	return conclude(ctx, end, c)
}
