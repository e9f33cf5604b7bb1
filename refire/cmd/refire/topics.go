package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// topic is something about run that takes a page to say: refire help NAME. The heading is that of the flags that it is about; only has their names, if it is not
// about all of them.
type topic struct {
	name, title string
	about       heading
	text        string
	only        []string
}

// isAbout reports whether the page lists the flag.
func (t *topic) isAbout(f *pflag.Flag) bool {
	return headingOf(f) == t.about && (t.only == nil || slices.Contains(t.only, f.Name))
}

var safetyTopic = topic{"safety", "How a run is kept from making things worse", howFast, `How a run is kept from making things worse.

Nothing is begun faster than --rate, with no more than --concurrency under way.
That is the upper limit: a place that gets slow, or answers with 429, 502, 503,
504 or nothing more than it did, gets half of it, down to an eighth, and more
again when it is well.

Recovered is a whole 2xx or 3xx; no redirect is followed. Half of them or more
being redirects is told: a login or a maintenance page answers so, too.

A Retry-After (429, 503) is heeded by all that would go to that place, for up
to 2 minutes. After --breaker failures in a row (a 500 is none) a place is left
alone, but for one request after 1 s, 2 s, 4 s, ... 30 s; the first answer ends
that. After 2 minutes without one it is given up; after 10 s, if there was none
at all in this run. With --follow, it is waited for.

--retries wait a random time of up to 0.5 s, 1 s, 2 s, ... 30 s; those that do
not help are bounded by --retry-budget, beside the first 100.

What was not fired in the end is not in the retry log: the same command goes on
with it. A run that --canary, --deadline or a place that stays away ends has
exit code 1; one that --max ends is judged by what it fired.`, nil}

// topics are all of them.
var topics = []topic{formatsTopic, safetyTopic, sendingTopic}

// addTopics adds the pages of the topics. To cobra they are commands that cannot be run.
func addTopics(root *cobra.Command) {
	for _, t := range topics {
		page := &cobra.Command{Use: t.name, Short: t.title, Long: t.text}
		page.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
			fs := pflag.NewFlagSet(t.name, pflag.ContinueOnError)
			newRunFlags().add(fs)
			of := flagsByHeading(fs, t.isAbout)
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n\nFlags of refire run:\n%s", t.text, of.list(t.about))
		})
		root.AddCommand(page)
	}
}

// topicList names the topics.
func topicList() string {
	var b strings.Builder
	for _, t := range topics {
		fmt.Fprintf(&b, "  %-10s %s\n", t.name, t.title)
	}
	return b.String()
}
