package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/spf13/pflag"
)

// safetyFlags keep a run from making things worse.
type safetyFlags struct {
	perHost     int
	ramp        time.Duration
	canary      int
	max         int
	deadline    time.Duration
	retryBudget retryBudget
	breaker     int
}

func newSafetyFlags() safetyFlags {
	return safetyFlags{retryBudget: refire.DefaultBudgetShare, breaker: refire.DefaultBreakerAfter}
}

func (f *safetyFlags) add(fs *pflag.FlagSet) {
	fs.IntVar(&f.canary, "canary", 0, "`N`: fire so many first; go on if most recover")
	fs.Var(value("N", parseMax, &f.max), "max", "fire no more entries; the next run goes on")
	fs.Var(value("TIME", parseTimeout, &f.ramp), "ramp", "rise to full concurrency and rate over TIME")
	fs.Var(value("TIME", parseTimeout, &f.deadline), "deadline", "begin nothing after TIME; the next run goes on")
	fs.IntVar(&f.perHost, "per-host", 0, "`N`: at a time at each place (else --concurrency)")
	fs.IntVar(&f.breaker, "breaker", f.breaker, "`N`: leave a place alone after so many failures in a row; 0: never")
	fs.Var(value("SHARE", parseRetryBudget, &f.retryBudget), "retry-budget", "of entries, for retries that do not help; any: no bound")
	put(fs, howFast, "canary", "max", "ramp", "deadline", "per-host", "breaker", "retry-budget")
	rare(fs, "max", "ramp", "deadline", "per-host", "breaker", "retry-budget")
}

// check takes a number of 0 only where that means something: it may be what is left of a budget, and must not mean "no limit".
func (f *safetyFlags) check(given func(name string) bool) error {
	for _, n := range []struct {
		name  string
		value int
		least int
	}{{"canary", f.canary, 1}, {"per-host", f.perHost, 1}, {"breaker", f.breaker, 0}} {
		if given(n.name) && (n.value < n.least || n.value > math.MaxInt32) {
			return usage(fmt.Errorf("--%s %d is not between %d and %d", n.name, n.value, n.least, math.MaxInt32), "leave it out for no such limit")
		}
	}
	if f.max > 0 && f.canary > f.max {
		return usage(fmt.Errorf("--canary %d is more than --max %d", f.canary, f.max), "a canary is the first few of many")
	}
	return nil
}

// options are those of the run; one that follows waits for a place that is away as long as it takes.
func (f *safetyFlags) options(follows bool) refire.Safety {
	s := refire.Safety{
		PerHost: f.perHost, Ramp: f.ramp, Canary: f.canary, Max: f.max, Deadline: f.deadline, RetryShare: float64(f.retryBudget),
		Breaker: refire.Breaker{After: f.breaker},
	}
	if f.breaker == 0 {
		s.Breaker.After = -1
	}
	if f.retryBudget == 0 {
		s.RetryShare = math.SmallestNonzeroFloat64 // 0 is the default
	}
	if follows {
		s.Patience = -1
	}
	return s
}

// retryBudget is a share of the entries; below 0: no bound.
type retryBudget float64

func (b retryBudget) String() string {
	if b < 0 {
		return "any"
	}
	return strconv.FormatFloat(float64(b)*100, 'g', 4, 64) + "%"
}

func parseRetryBudget(text string) (retryBudget, error) {
	if text == "any" {
		return -1, nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !(percent >= 0 && percent <= 10_000) {
		return 0, fmt.Errorf("%q is no share; write 10%%, 0%% or any", text)
	}
	return retryBudget(percent / 100), nil
}

// parseMax takes no 0: nothing would be fired, and without --max everything is.
func parseMax(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is no whole number from 1", text)
	}
	return int(n), nil
}

// stoppedShort is for runs that their own safety ended: nil for other errors.
func (e *ended) stoppedShort() *failure {
	var canary *refire.CanaryError
	var away *refire.AwayError
	rest := "; what was not fired is in no retry log"
	if e.flags.journals() {
		rest = "; the same command fires the rest"
	}
	switch {
	case errors.Is(e.err, refire.ErrDeadline):
		return &failure{exitStillFails, fmt.Errorf("--deadline %v has come before all was fired", e.flags.safety.deadline), "give it more time" + rest}
	case errors.As(e.err, &canary):
		return &failure{exitStillFails, canary, "see what they got in " + e.flags.out + "; when the server is well, " + rest[2:]}
	case errors.As(e.err, &away):
		return &failure{exitStillFails, away, e.whenUp(rest[2:])}
	}
	return nil
}

// whenUp is the hint where a place was given up.
func (e *ended) whenUp(rest string) string {
	if e.NoAnswer == e.Done && e.flags.proxy != "" && e.tally.ByTrouble[refire.AtProxy] > 0 {
		return e.flags.proxyHint(e.read.plan.Routes.Origins(), rest)
	}
	if e.NoAnswer == e.Done {
		return fmt.Sprintf("nothing at all answered at %s: is it up, and are scheme and port right?\n%s", e.asked(), rest)
	}
	return "is it up? " + rest
}

// sayCut tells what safety left out of a run.
func (e *ended) sayCut(c *console) {
	e.read.sayCircles(&e.Progress)
	if e.Enough {
		c.say("refire: --max %s: stopped there; the same command goes on with the rest, if there is any", number(e.flags.safety.max))
	}
	if e.NotRetried > 0 {
		c.say("refire: %s were not tried again: their retries had not helped before (--retry-budget %v)", plural(e.NotRetried, "entry"), e.flags.safety.retryBudget)
	}
}
