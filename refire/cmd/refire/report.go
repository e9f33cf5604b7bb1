package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
	"github.com/spf13/cobra"
)

const reportHelp = `Print the summary of a retry log: each entry counts by its last outcome. Works
while a run is still writing it. The exit code is the one a run would end with.`

const reportExample = `  refire report retry.log
  refire report retry.log && echo all recovered`

func newReport(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:         "report [flags] RETRYLOG",
		Short:       "Print the summary of a retry log",
		Long:        reportHelp,
		Example:     reportExample,
		Annotations: exits("0 all recovered; 1 some still fail; 2 usage;\n3 RETRYLOG cannot be read, or is none."),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(fmt.Errorf("report takes one retry log, not %d", len(args)), "for example: refire report retry.log")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return runReport(args[0], std) },
	}
}

func runReport(name string, std stdio) error {
	var r io.Reader = bufio.NewReader(std.in)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return unreadable(name, err)
		}
		defer f.Close()
		r = f
	}
	ledger := refire.NewLedger(false)
	fired, err := retrylog.ReadFired(name)
	if err != nil {
		return damagedAnnouncements(name, err)
	}
	ext, err := retrylog.Read(r, load(ledger, fired))
	if err != nil {
		return notARetryLog(name, ext, err, "report reads what refire run wrote to --out")
	}
	c := newConsole(std.err)
	if ext.Torn > 0 {
		c.say("refire: the last line of %s is cut short: a run is writing it, or was stopped; the next run repairs it", name)
	}
	if n := fired.Len(); n > 0 {
		c.say("refire: %s announced, and without an outcome in %s yet: a run is firing them, or was stopped; the next run says", plural(n, "entry"), name)
	}
	tally := ledger.Tally()
	out := newDataWriter(std.out)
	fmt.Fprintf(out, "%s: %s, %s\n", safe(name), plural(ledger.Len(), "entry"), plural(ext.Lines, "line"))
	writeRows(out, tallyRows(tally), plain)
	if err := out.Flush(); err != nil {
		return cannotPrint(err)
	}
	if !tally.AllRecovered() {
		return &failure{code: exitStillFails}
	}
	return nil
}
