package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/retrylog"
	"github.com/spf13/pflag"
)

// selectFlags say which entries are meant: those of run and scan.
type selectFlags struct {
	status  accesslog.StatusSet
	methods refire.Methods
	formatFlags
	window  window
	maxLine int
	showBad bool
}

// newSelectFlags has the defaults.
func newSelectFlags() selectFlags {
	status, _ := accesslog.ParseStatusSet("5xx")
	methods, _ := refire.ParseMethods("GET,HEAD")
	return selectFlags{status: status, methods: methods, maxLine: accesslog.DefaultMaxLineBytes}
}

func (f *selectFlags) add(fs *pflag.FlagSet) {
	fs.Var(value("LIST", parseStatus, &f.status), "status", "statuses, as 500,502-504")
	fs.Var(value("LIST", refire.ParseMethods, &f.methods), "method", "methods, as GET,POST, or any")
	moments := func(text string) (moment, error) { return parseMoment(text, time.Now()) }
	fs.Var(value("TIME", moments, &f.window.since), "since", "from then on: 2h, 1d (ago), 14:00, yesterday")
	fs.Var(value("TIME", moments, &f.window.until), "until", "before then; or a date, as the log has it, too")
	f.formatFlags.add(fs)
	fs.IntVar(&f.maxLine, "max-line", f.maxLine, "`BYTES`: of the longest line")
	fs.BoolVar(&f.showBad, "show-bad", false, "list malformed lines")
	put(fs, whatToRead, "status", "method", "since", "until", "max-line", "show-bad")
	rare(fs, "max-line", "show-bad")
}

// parseStatus takes only statuses that exist: a selection that can never match would look like a log without failures.
func parseStatus(text string) (accesslog.StatusSet, error) {
	set, err := accesslog.ParseStatusSet(text)
	for s := 0; s < 1000 && err == nil; s++ {
		if set.Contains(s) && (s < 100 || s > 599) {
			err = fmt.Errorf("%q: statuses go from 100 to 599; write 5xx or 500,502-504", text)
		}
	}
	return set, err
}

// sayMethods says which methods look like a mistake: a run that fires nothing for it ends well.
func (f *selectFlags) sayMethods(c *console) {
	for _, name := range f.methods.Unregistered() {
		c.say("refire: --method %s: no such method is registered for HTTP; is it spelled right? entries with just this one are taken", quoted(name))
	}
}

func (f *selectFlags) check() error {
	if f.maxLine < minLineBytes || f.maxLine > retrylog.MaxLogLineBytes {
		return usage(fmt.Errorf("--max-line %d is not between %d and %d", f.maxLine, minLineBytes, retrylog.MaxLogLineBytes), "the default is 1 MiB")
	}
	if err := f.window.check(); err != nil {
		return err
	}
	return f.formatFlags.settle()
}

const minLineBytes = 64

func (f *selectFlags) options() accesslog.Options {
	return accesslog.Options{Format: f.format, Status: f.status, Tag: refire.UserAgent, MaxLineBytes: f.maxLine}
}

// runFlags are those of run.
type runFlags struct {
	selectFlags
	base       string
	aliases    []string
	allowHosts []string

	out       string
	outFormat string
	fresh     bool
	again     bool

	concurrency int
	rate        float64
	timeout     time.Duration
	retries     int
	dedup       bool
	durable     durability
	client      clientKind
	proxy       string

	follow    bool
	followFor time.Duration

	safety  safetyFlags
	headers headerFlags

	dryRun      dryRunKind
	showRefused bool
	progress    string
	report      string // --report: a page
	json        string // --json: events; -: stdout
	quiet       bool

	given *pflag.FlagSet // as they were given; nil: none was
}

// gives reports whether a flag was given, be it with its default.
func (f *runFlags) gives(name string) bool { return f.given != nil && f.given.Changed(name) }

func newRunFlags() *runFlags {
	return &runFlags{
		selectFlags: newSelectFlags(), out: "retry.log", outFormat: string(retrylog.JSON),
		concurrency: refire.DefaultConcurrency, timeout: refire.DefaultTimeout, client: defaultClient(), progress: "auto",
		safety: newSafetyFlags(), durable: newDurability(),
	}
}

func (f *runFlags) add(fs *pflag.FlagSet) {
	f.given = fs
	fs.SortFlags = false
	f.selectFlags.add(fs)
	fs.BoolVar(&f.follow, "follow", false, "go on with what is appended, through rotations")
	fs.Var(value("TIME", parseTimeout, &f.followFor), "follow-for", "the same, for so long")
	put(fs, whatToRead, "follow", "follow-for")
	rare(fs, "follow-for")

	fs.BoolVar(&f.again, "again", false, "fire what still fails in --out once more")
	fs.BoolVar(&f.dedup, "dedup", false, "fire each method and target once")
	f.durable.addOnce(fs)
	fs.Var(value("bool", parseDryRun, &f.dryRun), "dry-run", "`curl`: print URLs (or curl commands), send nothing")
	fs.Lookup("dry-run").NoOptDefVal = "true"
	put(fs, whatToFire, "again", "dedup", "at-most-once", "dry-run")
	rare(fs, "dedup", "at-most-once")

	fs.StringVar(&f.base, "base", "", "`URL`: scheme, host and port to fire at")
	fs.StringArrayVar(&f.allowHosts, "allow-host", nil, "`HOST:PORT`: fire entries that name it there (repeat)")
	fs.StringArrayVar(&f.aliases, "alias", nil, "`ORIGIN`: means --base in the log (repeat)")
	fs.StringVar(&f.proxy, "proxy", "", "`URL`: a proxy, or env; with --client net/http")
	fs.Var(value("NAME", parseClient, &f.client), "client", "loop, or net/http (HTTP/2, proxies)")
	put(fs, where, "base", "allow-host", "alias", "proxy", "client")
	rare(fs, "alias", "client")

	f.headers.add(fs)

	fs.Var(value("N/s", parseRate, &f.rate), "rate", "requests a second at most (or N/m, N/h)")
	fs.IntVar(&f.concurrency, "concurrency", f.concurrency, "`N`: at a time, at most")
	fs.Var(value("TIME", parseTimeout, &f.timeout), "timeout", "of one attempt, all in all")
	fs.IntVar(&f.retries, "retries", 0, "`N`: more attempts after no answer, 5xx or 429")
	put(fs, howFast, "rate", "concurrency", "timeout", "retries")
	rare(fs, "timeout")

	f.safety.add(fs)

	fs.StringVar(&f.out, "out", f.out, "`FILE`: retry log; -: stdout")
	fs.BoolVar(&f.fresh, "fresh", false, "refuse an --out that is not empty")
	fs.StringVar(&f.outFormat, "out-format", f.outFormat, "`FORMAT`: json, or urls: no journal")
	f.durable.addSync(fs)
	fs.BoolVar(&f.showRefused, "show-refused", false, "list what is refused or holds no request")
	put(fs, whatToWrite, "out", "fresh", "out-format", "sync", "show-refused")
	rare(fs, "fresh", "out-format", "sync", "show-refused")
	f.addShows(fs)
}

// check finds contradictions and values out of range.
func (f *runFlags) check(args []string) error {
	if err := f.selectFlags.check(); err != nil {
		return err
	}
	switch {
	case len(args) == 0 && !f.again:
		return usage(errors.New("no LOG given"), "name the access logs to read, or - for standard input: refire run --base http://HOST access.log")
	case len(args) == 0 && (f.window.since.text != "" || f.window.until.text != ""):
		return usage(errors.New("--since and --until choose from logs, and no LOG is given"), "name the logs too, or leave them out: --again fires all that still fails")
	case len(args) == 0 && f.gives("status"):
		return usage(errors.New("--status chooses from logs, and no LOG is given"),
			"name the logs too, or leave it out: --again fires all that still fails, whatever its status is now")
	case f.base == "" && len(f.allowHosts) == 0:
		return usage(errors.New("neither --base nor --allow-host: nowhere to fire at"),
			"give --base http://HOST:PORT, the server that should get the requests")
	case f.out == "":
		return usage(errors.New("--out is empty"), "name a file, or leave --out out for retry.log")
	case f.concurrency < 1 || f.concurrency > maxConcurrency:
		return usage(fmt.Errorf("--concurrency %d is not between 1 and %d", f.concurrency, maxConcurrency), "the default is 64")
	case f.retries < 0 || f.retries > maxRetries:
		return usage(fmt.Errorf("--retries %d is not between 0 and %d", f.retries, maxRetries), "the default is 0")
	case f.again && f.fresh:
		return usage(errors.New("--again needs a retry log with outcomes, --fresh one without"), "leave one of them out")
	case f.dryRun == dryCurl && f.proxy != "":
		return usage(errors.New("--dry-run=curl prints requests that go straight to a server, and --proxy is given"), "leave one of them out")
	case f.follows() && f.dryRun != "":
		return usage(errors.New("--dry-run ends, --follow does not"), "leave one of them out")
	case f.follows() && slices.Contains(args, "-"):
		return usage(errors.New("--follow follows files; standard input (-) is read until it ends anyway"), "leave one of them out")
	case f.follows() && len(args) == 0:
		return usage(errors.New("--follow needs a LOG"), "name the log that is being written")
	case (f.again || f.fresh) && !f.journals():
		return usage(errors.New("--again and --fresh need a journal as --out"), "name a file with --out, and leave --out-format at json")
	}
	if err := f.checkShows(); err != nil {
		return err
	}
	if err := f.durable.check(f.journals() || f.dryRun != ""); err != nil {
		return err
	}
	if err := errors.Join(f.checkProxy(), f.safety.check(f.gives), f.headers.check(f.base)); err != nil {
		return err
	}
	if _, err := retrylog.ParseFormat(f.outFormat); err != nil {
		return usage(fmt.Errorf("--out-format: %w", err), "json is a retry log, urls one marked URL a line")
	}
	return nil
}

const (
	maxConcurrency = 4096
	maxRetries     = 100
	maxRate        = 1e6
	minRate        = 1.0 / (24 * 3600) // one a day
)

// journals reports whether --out is a journal.
func (f *runFlags) journals() bool { return f.out != "-" && f.outFormat == string(retrylog.JSON) }

// follows reports whether logs are followed.
func (f *runFlags) follows() bool { return f.follow || f.followFor > 0 }

// routes reads where requests may go.
func (f *runFlags) routes() (refire.Routes, error) {
	var r refire.Routes
	if err := f.noCredentials(); err != nil {
		return r, err
	}
	var err error
	if f.base != "" {
		if r.Base, err = refire.ParseOrigin(f.base); err != nil {
			return r, usage(fmt.Errorf("--base %s: %w", quoted(f.base), err), baseHint(f.base))
		}
	}
	for _, text := range f.aliases {
		o, err := refire.ParseOrigin(text)
		if err != nil {
			return r, usage(fmt.Errorf("--alias %s: %w", quoted(text), err), "for example --alias https://www.shop.example")
		}
		if r.Base.IsZero() {
			return r, usage(errors.New("--alias without --base"), "an alias is another name of the base")
		}
		r.AddAlias(o)
	}
	for _, text := range f.allowHosts {
		if err := r.Allow(text); err != nil {
			return r, usage(fmt.Errorf("--allow-host: %w", err), "for example --allow-host shop.example:443")
		}
	}
	return r, nil
}

// noCredentials refuses places with a user name or password, and does not show them: they may be in somebody's log by now.
func (f *runFlags) noCredentials() error {
	for flag, values := range map[string][]string{"--base": {f.base}, "--alias": f.aliases, "--allow-host": f.allowHosts} {
		if slices.ContainsFunc(values, func(text string) bool { return strings.Contains(text, "@") }) {
			return usage(fmt.Errorf("%s has a user name or password in it (an @), which ps shows; refire does not send it", flag),
				"--header-env Authorization=NAME sends what is in the environment's NAME, as 'Basic ...' or 'Bearer ...'")
		}
	}
	return nil
}

// baseHint adds the scheme where that is all that is missing.
func baseHint(base string) string {
	if o, err := refire.ParseOrigin("https://" + base); err == nil {
		return "for example --base " + o.String()
	}
	return "for example --base http://127.0.0.1:8080"
}

// places are where a run may fire, in words.
func (f *runFlags) places() string {
	list := f.allowHosts
	if f.base != "" {
		list = append([]string{f.base}, list...)
	}
	return strings.Join(list, ", ")
}

// parseTimeout reads "10s", "500ms", "1m".
func parseTimeout(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		if n, number := strconv.ParseFloat(text, 64); number == nil && n > 0 {
			return 0, fmt.Errorf("%q has no unit; write %ss, %sms or %sm", text, text, text, text)
		}
		return 0, fmt.Errorf("%q is no time above zero; write 10s, 500ms or 1m", text)
	}
	return d, nil
}

// parseRate reads "50/s", "50", "30/m", "0.5/s".
func parseRate(text string) (float64, error) {
	digits, unit, _ := strings.Cut(text, "/")
	per := map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600}[unit]
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || per == 0 || !(n/per >= minRate && n <= maxRate) {
		return 0, fmt.Errorf("%q is no rate; write 50/s, 30/m or 0.5/s", text)
	}
	return n / per, nil
}

// flagValue makes a pflag.Value of a parser.
type flagValue[T any] struct {
	kind  string
	parse func(string) (T, error)
	to    *T
	said  *string // the last text that it was set to
}

func value[T any](kind string, parse func(string) (T, error), to *T) pflag.Value {
	return flagValue[T]{kind, parse, to, new(string)}
}

// Set implements pflag.Value.
func (v flagValue[T]) Set(text string) error {
	parsed, err := v.parse(text)
	if err == nil {
		*v.to, *v.said = parsed, text
	}
	return err
}

// asGiven is the text of the value, for a command line.
func (v flagValue[T]) asGiven() string { return *v.said }

// Type implements pflag.Value: it stands in the help.
func (v flagValue[T]) Type() string { return v.kind }

// String implements pflag.Value.
func (v flagValue[T]) String() string {
	if v.to == nil {
		return ""
	}
	text := fmt.Sprint(*v.to)
	if text == "0" || text == "0s" {
		return ""
	}
	return text
}
