package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/report"
	"github.com/seed8b1f0744/aio/refire/retrylog"
	"github.com/spf13/cobra"
)

const reportHelp = `Print the summary of a retry log: each entry counts by its last outcome. Works
while a run is still writing it. What the last run did not fire, and whether it
came to its end, is in RETRYLOG.meta: of a copy without it that is not known.`

const reportExample = `  refire report retry.log
  refire report retry.log && echo all recovered
  refire report --html out.html retry.log    a page to look at, print or send`

func newReport(std stdio) *cobra.Command {
	html := ""
	cmd := &cobra.Command{
		Use:         "report [flags] RETRYLOG",
		Short:       "Print the summary of a retry log",
		Long:        reportHelp,
		Example:     reportExample,
		Annotations: exits("0 all recovered, and the run came to its end; 1 some still fail,\nor a run goes on, or did not come to its end; 2 usage; 3 RETRYLOG cannot be\nread, or is none."),
		Args:        func(_ *cobra.Command, args []string) error { return takesRetryLog("report", args) },
		RunE: func(_ *cobra.Command, args []string) error {
			if html != "" {
				return reportHTML(html, args[0], std)
			}
			return runReport(args[0], std)
		},
	}
	cmd.Flags().StringVar(&html, "html", "", "write a page to `FILE` instead, for a browser; needs no network")
	return cmd
}

// reportHTML writes the page instead of the summary; the exit code is the same.
func reportHTML(to, name string, std stdio) error {
	if err := checkHTML("--html", to, name); err != nil {
		return err
	}
	c := newConsole(std.err)
	s := readStory(name, c)
	l, err := openRetryLog(name, std)
	if err != nil {
		return err
	}
	defer l.close()
	page, err := newPage(l, l.size, s)
	if err != nil {
		return err
	}
	if err := writeHTML(to, page); err != nil {
		return cannotRun(fmt.Errorf("cannot write --html %s: %w", to, err), "name another file")
	}
	c.say("refire: %s shows %s", to, plural(page.Total(), "entry"))
	fired, err := retrylog.ReadFired(name)
	if err != nil {
		return damagedAnnouncements(name, err)
	}
	if fired.Len() > 0 {
		if _, err := l.latest(func(o *refire.Outcome) error { fired.Settle(o); return nil }); err != nil {
			return notARetryLog(name, err, "report reads what refire run wrote to --out")
		}
	}
	sayAnnounced(c, name, fired)
	if page.Unfinished != "" {
		c.say("refire: not finished: %s", page.Unfinished)
	}
	return s.judge(page.Total() == page.Fates[report.Recovered])
}

// judge finds the exit code.
func (s story) judge(recovered bool) error {
	switch {
	case s.unfinished() != "":
		return &failure{exitStillFails, nil, s.hint()}
	case !recovered:
		return &failure{code: exitStillFails}
	}
	return nil
}

// sayAnnounced tells of entries that are in no retry log yet.
func sayAnnounced(c *console, name string, fired *retrylog.Fired) {
	if n := fired.Len(); n > 0 {
		c.say("refire: %s announced, and without an outcome in %s yet: a run is firing them, or was stopped; the next run says", plural(n, "entry"), name)
	}
}

func runReport(name string, std stdio) error {
	c := newConsole(std.err)
	s := readStory(name, c)
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
	byPath := new(failures)
	take := load(ledger, fired)
	ext, err := retrylog.Read(r, func(o *refire.Outcome) error {
		byPath.take(o)
		return take(o)
	})
	if err != nil {
		return notARetryLog(name, err, "report reads what refire run wrote to --out")
	}
	if ext.Torn > 0 {
		c.say("refire: the last line of %s is cut short: a run is writing it, or was stopped; the next run repairs it", name)
	}
	sayAnnounced(c, name, fired)
	tally := ledger.Tally()
	out := newDataWriter(std.out)
	fmt.Fprintf(out, "%s: %s, %s\n", safe(name), plural(ledger.Len(), "entry"), plural(ext.Lines, "line"))
	if text := s.unfinished(); text != "" {
		fmt.Fprintf(out, "not finished: %s\n", text)
	}
	writeRows(out, append(append(tallyRows(tally), byPath.rows(tally, 0)...), s.rows()...), plain, 0)
	if err := out.Flush(); err != nil {
		return cannotPrint(err)
	}
	sayRedirected(tally, c)
	return s.judge(tally.AllRecovered())
}
