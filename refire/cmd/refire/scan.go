package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/report"
	"github.com/spf13/cobra"
)

const scanHelp = `Count what is in the logs, and print the entries that run would take: status,
method, target, place and time, separated by tabs. Fires nothing. Entries go to
standard output (a terminal gets the first few, a pipe all), counts to standard
error. Bytes that cannot stand in a request line are printed as %XX.

A LOG is a file, packed (gz, zst, bz2, xz) or not, a folder, 'a*pattern', or -.`

const scanExample = `  refire scan access.log
  refire scan --status 503 --method any access.log.2.gz access.log
  refire scan --since '2026-11-20 14:00' /var/log/nginx
  refire scan access.log | cut -f3 | sort | uniq -c | sort -rn | head
  refire scan access.log | less -S`

func newScan(std stdio) *cobra.Command {
	f := newSelectFlags()
	cmd := &cobra.Command{
		Use:         "scan [flags] LOG...",
		Short:       "Count what failed, print it, fire nothing",
		Long:        scanHelp,
		Example:     scanExample,
		Annotations: exits("0 the logs were read; 2 usage; 3 a log cannot be read, or is none."),
		RunE:        func(_ *cobra.Command, args []string) error { return runScan(&f, args, std) },
	}
	cmd.Flags().SortFlags = false
	f.add(cmd.Flags())
	return cmd
}

func runScan(f *selectFlags, args []string, std stdio) error {
	if err := f.check(); err != nil {
		return err
	}
	if len(args) == 0 {
		return usage(fmt.Errorf("no LOG given"), "name the access logs to read, or - for standard input: refire scan access.log")
	}
	c := newConsole(std.err)
	f.sayMethods(c)
	find := finder{std: std, c: c, opts: f.options()}
	logs, err := find.find(args)
	if err != nil {
		return err
	}
	s := &scanning{f: f, c: c, out: newDataWriter(std.out), whole: &outage{paths: new(report.Paths)}, left: -1, alone: len(logs) == 1}
	if isTerminal(std.out) {
		s.left = maxOnScreen
	}
	ctx, stop := context.WithCancel(context.Background())
	defer func() {
		stop()
		leaveAll(logs)
	}()
	for i, l := range logs {
		readAhead(ctx, logs, i, f.options())
		if err := s.scan(l); err != nil {
			s.out.Flush()
			return err
		}
	}
	if len(logs) > 1 {
		s.more()
		s.total.outage = s.whole
		s.total.report(c, f, plural(len(logs), "log"), pathRows(s.whole.paths, c.room()))
	}
	return troubled(logs, c)
}

func newDataWriter(w io.Writer) *bufio.Writer { return bufio.NewWriterSize(w, 64<<10) }

// scanning is one run of scan.
type scanning struct {
	f     *selectFlags
	c     *console
	out   *bufio.Writer
	line  []byte
	total counts
	whole *outage // of all logs
	left  int     // entries that may still be printed; below 0: all
	kept  int     // entries that were not printed
	alone bool    // there is one log only
}

// counts are what scan says about a log.
type counts struct {
	stats    accesslog.Stats
	byMethod map[string]int        // of the entries with a wanted status
	outside  map[string]int        // of those, the ones outside --since and --until, by why
	taken    int                   // of the others, the ones with a wanted method that name no host
	named    places                // hosts, by those that name one
	left     map[refire.Reason]int // those that no run fires, and those that name a host
	outage   *outage               // of those with any method
	guess    string                // what the log was taken for, in words
}

func (s *scanning) scan(l *log) error {
	n := counts{outage: s.whole}
	if !s.alone {
		n.outage = new(outage) // of this log; the paths are named once, of all
	}
	l.guess = func(d accesslog.Detection) { n.guess = s.f.guess(d) }
	stats, err := l.scan(context.Background(), s.f.options(), func(e *accesslog.Entry, bad *accesslog.BadLine) error {
		if bad != nil {
			if s.f.showBad {
				showBad(s.c, bad)
			}
			return nil
		}
		inside, selected := n.count(e, s.f)
		if inside {
			n.outage.add(e)
			if !s.alone {
				s.whole.add(e)
			}
		}
		if !selected {
			return nil
		}
		return s.print(e)
	})
	n.stats = stats
	if err != nil {
		return readFailure(err, "the counts above do not hold this log")
	}
	if err := s.out.Flush(); err != nil {
		return cannotPrint(err)
	}
	var paths []row
	if s.alone {
		s.more()
		paths = pathRows(n.outage.paths, s.c.room())
	}
	if l.trouble == nil || l.broken || stats.Entries+stats.NoRequest > 0 { // else what it is instead is all there is to say
		n.report(s.c, s.f, l.name, paths)
	}
	s.total.add(&n)
	if f := l.untimed(n.outside[noTime], sum(n.byMethod)-n.outside[noTime]); f != nil && l.trouble == nil {
		l.trouble = f
	}
	return nil
}

// more says that entries were not printed, before the counts.
func (s *scanning) more() {
	if s.kept > 0 {
		s.c.say("... and %s more; refire scan LOG | less shows all", number(s.kept))
	}
}

// print prints an entry. New columns come at the end.
func (s *scanning) print(e *accesslog.Entry) error {
	switch {
	case s.left == 0:
		s.kept++
		return nil
	case s.left > 0:
		s.left--
	}
	target, _ := refire.Wire(e.Target)
	line := strconv.AppendInt(s.line[:0], int64(e.Status), 10)
	line = append(append(line, '\t'), e.Method...)
	line = append(append(line, '\t'), target...)
	line = append(append(line, '\t'), safe(e.Source)...)
	line = append(strconv.AppendInt(append(line, ':'), e.Line, 10), '\t')
	if !e.Time.IsZero() {
		line = e.Time.AppendFormat(line, time.RFC3339)
	}
	s.line = append(line, '\n')
	if _, err := s.out.Write(s.line); err != nil {
		return cannotPrint(err)
	}
	return nil
}

// count reports whether the entry's time is wanted, and whether its method is, too. What run would make of it is counted, and does not matter for that.
func (n *counts) count(e *accesslog.Entry, f *selectFlags) (inside, selected bool) {
	if e.NoRequest {
		if f.window.outside(e.Time) == "" {
			n.leave(refire.NoRequestLine)
		}
		return false, false
	}
	if n.byMethod == nil {
		n.byMethod = map[string]int{}
	}
	countMethod(n.byMethod, e.Method)
	if why := f.window.outside(e.Time); why != "" {
		if n.outside == nil {
			n.outside = map[string]int{}
		}
		n.outside[why]++
		return false, false
	}
	n.take(e, f)
	return true, f.methods.Contains(e.Method)
}

// take counts what run would make of the entry, given the places.
func (n *counts) take(e *accesslog.Entry, f *selectFlags) {
	_, _, why := new(refire.Routes).Place(e.Method, e.Target, "", "")
	switch {
	case e.Tagged:
		n.leave(refire.OwnRequest)
		return
	case why.IsNoRequest():
		n.leave(why)
		return
	case !f.methods.Contains(e.Method):
		return
	case why == refire.NoBase: // it names none, so that it goes there
		n.taken++
		return
	}
	n.leave(why)
	if why == refire.OtherHost {
		if n.named == nil {
			n.named = places{}
		}
		n.named.add(e.Target)
	}
}

func (n *counts) leave(why refire.Reason) {
	if n.left == nil {
		n.left = map[refire.Reason]int{}
	}
	n.left[why]++
}

func (n *counts) add(o *counts) {
	n.stats.Add(&o.stats)
	n.taken += o.taken
	if n.byMethod == nil {
		n.byMethod = map[string]int{}
	}
	for name, count := range o.byMethod {
		n.byMethod[name] += count
	}
	if n.outside == nil {
		n.outside = map[string]int{}
	}
	for why, count := range o.outside {
		n.outside[why] += count
	}
	if n.named == nil {
		n.named, n.left = places{}, map[refire.Reason]int{}
	}
	for at, count := range o.named {
		n.named[at] += count
	}
	for why, count := range o.left {
		n.left[why] += count
	}
}

// leftRows are about what run does not take as it is.
func (n *counts) leftRows() []row {
	refused, nothing := map[refire.Reason]int{}, map[refire.Reason]int{}
	for why, count := range n.left {
		switch {
		case why.IsNoRequest():
			nothing[why] = count
		case why != refire.OtherHost && why != refire.OwnRequest:
			refused[why] = count
		}
	}
	reason := func(why refire.Reason) string { return string(why) }
	return []row{
		{"names a host", n.left[refire.OtherHost], n.named.String() + "; run needs --alias or --allow-host", "", false},
		{"run skips", n.left[refire.OwnRequest], string(refire.OwnRequest), "", false},
		{"refused", sum(refused), parts(refused, reason), "", false},
		{"no request", sum(nothing), parts(nothing, reason), "", false},
	}
}

// report prints the counts of one log, or of all.
func (n *counts) report(c *console, f *selectFlags, name string, paths []row) {
	st := &n.stats
	text := fmt.Sprintf("%s: %s, %s", name, plural(st.Lines, "line"), number(st.Selected)+" with status "+f.status.String())
	if st.SelectedNoRequest > 0 {
		text += fmt.Sprintf(" and %s without a request", number(st.SelectedNoRequest))
	}
	if n.guess != "" {
		text += "; format " + n.guess
	}
	c.say("%s", text)
	byStatus := map[int]int{}
	for status, count := range st.ByStatus {
		if count > 0 && f.status.Contains(status) {
			byStatus[status] = int(count)
		}
	}
	rows := []row{
		{"by status", sum(byStatus), parts(byStatus, strconv.Itoa), "", true},
		{"by method", sum(n.byMethod), parts(n.byMethod, func(m string) string { return m }), "", true},
		{"outside", sum(n.outside), parts(n.outside, func(why string) string { return why }), "", false},
		{"run takes", n.taken, "method " + f.methods.String(), "", true},
	}
	rows = append(rows, n.leftRows()...)
	if bad := st.Malformed + st.TooLong; bad > 0 {
		rows = append(rows, row{"bad lines", int(bad), "--show-bad lists them", "", true})
	}
	rows = append(append(rows, n.outage.row()), paths...)
	writeRows(c.w, rows, plain, c.room())
}
