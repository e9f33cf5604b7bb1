package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// topic is something about run that takes a page to say: refire help NAME. The heading is that of the flags that it is about.
type topic struct {
	name, title string
	about       heading
	text        string
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
exit code 1; one that --max ends is judged by what it fired.`}

// formatsTopic names the formats. It is about some of the flags under its heading only.
var formatsTopic = topic{"formats", "What logs may be written in", whatToRead, `What logs may be written in.

Most need no flag: the format is recognised from the first lines, several in
one log too, and refire says what it took them for. Where that is wrong, or the
format is one of your own, --format takes a name:

` + indented(formatNames()) + `

Before a name, docker:, cri: or syslog: says what is around the lines, as in
cri:json. --format takes a format string, too, nginx's ('$remote_addr ...') or
Apache's ('%h %l %u ...'); --format-from reads it from a configuration file.

In JSON lines, and in logfmt (key=value), many usual keys are recognised;
--field says which is which where they are others: --field status=code --field
target=req.uri; logfmt needs --format logfmt, too. The names: method, target,
query, proto, status, time, host, scheme; request for a whole request line, url
for one with scheme and host. A dot leads into an object.`}

// indented is text as a block of its own.
func indented(text string) string {
	return "  " + strings.ReplaceAll(wrap(text, screenWidth-2), "\n", "\n  ")
}

// topics are all of them.
var topics = []topic{safetyTopic, sendingTopic, formatsTopic}

// shows reports whether a flag is told of on the topic's page.
func (t *topic) shows(f *pflag.Flag) bool {
	return headingOf(f) == t.about && (t.name != formatsTopic.name || slices.Contains([]string{"format", "format-from", "field"}, f.Name))
}

// addTopics adds the pages of the topics. To cobra they are commands that cannot be run.
func addTopics(root *cobra.Command) {
	for _, t := range topics {
		page := &cobra.Command{Use: t.name, Short: t.title, Long: t.text}
		page.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
			fs := pflag.NewFlagSet(t.name, pflag.ContinueOnError)
			newRunFlags().add(fs)
			of := flagsByHeading(fs, t.shows)
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
