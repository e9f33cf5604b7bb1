package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// reading reads the logs of a run: entries become requests or are counted. Its counts may be read when its source has ended.
type reading struct {
	logs  []*log
	plan  refire.Plan
	flags *runFlags
	again map[refire.Reason]int // what fails in the journal, and is not fired again by this run
	c     *console

	toAgain int // entries of the journal that are fired again

	stats    accesslog.Stats
	refused  map[refire.Reason]int
	named    places                // by entries that are refused as they name another host
	nothing  map[refire.Reason]int // no request
	byMethod map[string]int        // methods not asked for
	own      int                   // refire's own requests
	circles  bool                  // sayCircles has said it
	outside  map[string]int        // outside --since and --until, by why
	timed    int                   // entries that are not without a time, as far as there are --since or --until

	at atomic.Int32 // which log is being read, from 1
}

func newReading(logs []*log, plan refire.Plan, flags *runFlags, c *console) *reading {
	return &reading{
		logs: logs, plan: plan, flags: flags, c: c,
		refused: map[refire.Reason]int{}, nothing: map[refire.Reason]int{}, byMethod: map[string]int{},
		outside: map[string]int{}, named: places{},
	}
}

// total is how many bytes there are to read, unpacked; 0: that is not known.
func (r *reading) total() (bytes int64) {
	if r.flags.follows() { // logs that are not there yet have no size
		return 0
	}
	for _, l := range r.logs {
		size := l.size()
		if size < 0 {
			return 0
		}
		bytes += size
	}
	return bytes
}

// source implements refire.Source over all logs.
func (r *reading) source(ctx context.Context, emit func(refire.Request, int64) error) error {
	var before int64
	var grow []*log
	reads, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		leaveAll(r.logs)
	}()
	for i, l := range r.logs {
		if r.flags.follows() && l.followed() {
			grow = append(grow, l)
			continue
		}
		r.at.Store(int32(i + 1))
		l.guess = func(d accesslog.Detection) {
			if text := r.flags.guess(d); text != "" && !isPlain(d) {
				r.c.say("refire: %s: taken for %s", l.name, text)
			}
		}
		readAhead(reads, r.logs, i, r.flags.options())
		without, with := r.outside[noTime], r.timed
		stats, err := l.scan(ctx, r.flags.options(), func(e *accesslog.Entry, bad *accesslog.BadLine) error {
			return r.look(e, bad, func(req refire.Request) error { return emit(req, before+l.read(e.Offset)) })
		})
		r.stats.Add(&stats)
		if err != nil {
			return err
		}
		if f := l.untimed(r.outside[noTime]-without, r.timed-with); f != nil && l.trouble == nil {
			l.trouble = f
		}
		if stats.Bytes == 0 && l.trouble == nil && !r.flags.quiet {
			r.c.say("refire: %s is empty%s", spoken(l.name), rotated(l.name))
		}
		before += max(l.size(), 0)
	}
	if len(grow) > 0 {
		return r.follow(ctx, grow, r.flags.followFor, func(req refire.Request) error { return emit(req, before) })
	}
	return nil
}

// rotated names the log that was there before one that is empty, which is where the failures may be.
func rotated(name string) string {
	for _, suffix := range []string{".1", ".1.gz", ".0", ".0.gz"} {
		if info, err := os.Stat(name + suffix); name != "-" && err == nil && info.Size() > 0 {
			return "; was it rotated? there is " + name + suffix
		}
	}
	return ""
}

// inVain says what was read in vain; empty: there was something, or it is not known yet.
func (r *reading) inVain() string {
	if st := &r.stats; st.Entries+st.NoRequest > 0 && st.Selected+st.SelectedNoRequest == 0 {
		return fmt.Sprintf("read %s, none with status %v; ", plural(st.Lines, "line"), r.flags.status)
	}
	return ""
}

// look decides what becomes of an entry, or of a bad line.
func (r *reading) look(e *accesslog.Entry, bad *accesslog.BadLine, emit func(refire.Request) error) error {
	if bad != nil {
		r.bad(bad)
		return nil
	}
	why := r.flags.window.outside(e.Time)
	if why != noTime {
		r.timed++
	}
	if why != "" {
		r.outside[why]++
		if why == noTime {
			r.show("left out", e, why)
		}
		return nil
	}
	req, reason := r.plan.Decide(e)
	if reason != "" {
		r.left(e, reason)
		return nil
	}
	return emit(req)
}

// troubled is the failure of the logs that could not be read as logs, or not to their end; what the others say is told.
func (r *reading) troubled() error { return troubled(r.logs, r.c) }

func troubled(logs []*log, c *console) error {
	var last *failure
	for _, l := range logs {
		if l.trouble == nil {
			continue
		}
		if last != nil {
			last.print(c)
		}
		last = l.trouble
	}
	if last == nil {
		return nil
	}
	return last
}

func (r *reading) bad(b *accesslog.BadLine) {
	if r.flags.showBad {
		showBad(r.c, b)
	}
}

func showBad(c *console, b *accesslog.BadLine) {
	c.say("bad: %s:%d (byte %d): %v: %s", b.Source, b.Line, b.Offset, b.Reason, b.Quoted())
}

// maxMethods and maxMethodBytes bound which methods are counted by name: a method is any token that a stranger sent.
const (
	maxMethods     = 20
	maxMethodBytes = 20
)

func countMethod(counts map[string]int, name string) {
	if _, known := counts[name]; !known && (len(counts) >= maxMethods || len(name) > maxMethodBytes) {
		name = "others"
	}
	counts[name]++
}

func (r *reading) left(e *accesslog.Entry, why refire.Reason) {
	switch {
	case why == refire.OtherMethod:
		countMethod(r.byMethod, e.Method)
		return
	case why == refire.OwnRequest:
		r.own++
		return
	case why.IsNoRequest():
		r.nothing[why]++
	default:
		r.refused[why]++
		if why == refire.OtherHost {
			r.named.add(e.Target)
		}
	}
	r.show("refused", e, string(why))
}

// show lists an entry that is not fired, if that is wanted.
func (r *reading) show(fate string, e *accesslog.Entry, why string) {
	if r.flags.showRefused {
		r.c.say("%s: %s:%d (byte %d): %d %s %s: %s", fate, e.Source, e.Line, e.Offset, e.Status, quoted(e.Method), quoted(e.Target), why)
	}
}

// rows are the summary's rows about what was not fired.
func (r *reading) rows(skipped map[refire.Reason]int) []row { return r.rowsOf(skipped, r.again) }

func (r *reading) rowsOf(skipped, again map[refire.Reason]int) []row {
	others := sum(r.byMethod)
	skippedParts := map[string]int{}
	for why, n := range skipped {
		skippedParts[string(why)] = n
	}
	for why, n := range again {
		skippedParts["not fired again: "+string(why)] = n
	}
	for why, n := range r.outside {
		skippedParts[why] = n
	}
	if r.own > 0 {
		skippedParts[string(refire.OwnRequest)] = r.own
	}
	if others > 0 {
		skippedParts[string(refire.OtherMethod)+" ("+parts(r.byMethod, func(m string) string { return m })+")"] = others
	}
	same := func(s string) string { return s }
	reason := func(why refire.Reason) string { return string(why) }
	bad := map[string]int{"malformed": int(r.stats.Malformed), "longer than --max-line": int(r.stats.TooLong)}
	if r.stats.TooLong == 0 {
		bad = map[string]int{"malformed": int(r.stats.Malformed)}
	}
	return []row{
		{"skipped", sum(skippedParts), parts(skippedParts, same), "", false},
		{"refused", sum(r.refused), parts(r.refused, r.reason), "", false},
		{"no request", sum(r.nothing), parts(r.nothing, reason), "", false},
		{"bad lines", sum(bad), parts(bad, same), "", false},
	}
}

func sum[K comparable](m map[K]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}
