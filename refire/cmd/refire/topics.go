package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// topic is a group of run's flags that has a page of its own: refire help NAME. In the command's help stand only their names, so that it fits a screen.
type topic struct{ name, title, text string }

var safetyTopic = topic{"safety", "Not to make things worse", `How a run is kept from making things worse.

Nothing is begun faster than --rate, with no more than --concurrency under way.
That is the upper limit: a place that gets slow, or answers with 429, 502, 503,
504 or nothing more than it did, gets half of it, down to an eighth, and more
again when it is well.

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

// topics are all of them.
var topics = []topic{safetyTopic, sendingTopic}

const topicKey = "topic"

// addGroup adds flags that belong to a topic.
func addGroup(fs *pflag.FlagSet, of topic, add func(*pflag.FlagSet)) {
	group := pflag.NewFlagSet(of.name, pflag.ContinueOnError)
	group.SortFlags = false
	add(group)
	group.VisitAll(func(f *pflag.Flag) { f.Annotations = map[string][]string{topicKey: {of.name}} })
	fs.AddFlagSet(group)
}

// inTopic are the flags of fs that belong to the topic; "": to none.
func inTopic(fs *pflag.FlagSet, name string) *pflag.FlagSet {
	some := pflag.NewFlagSet(name, pflag.ContinueOnError)
	some.SortFlags = false
	fs.VisitAll(func(f *pflag.Flag) {
		if of := strings.Join(f.Annotations[topicKey], ""); of == name {
			some.AddFlag(f)
		}
	})
	return some
}

// groupedFlags names the flags of all topics, a paragraph each.
func groupedFlags(fs *pflag.FlagSet) string {
	var b strings.Builder
	for _, t := range topics {
		line := fmt.Sprintf("%s (refire help %s):", t.title, t.name)
		some := inTopic(fs, t.name)
		if !some.HasFlags() {
			continue
		}
		b.WriteString("\n")
		some.VisitAll(func(f *pflag.Flag) {
			word, _ := pflag.UnquoteUsage(f)
			next := " --" + strings.TrimSpace(f.Name+" "+word)
			if len(line)+len(next) > 78 {
				b.WriteString(line + "\n")
				line = "     "
			}
			line += next
		})
		b.WriteString(line + "\n")
	}
	return b.String()
}

// addTopics adds the pages of the topics.
func addTopics(root *cobra.Command) {
	for _, t := range topics {
		page := &cobra.Command{Use: t.name, Short: t.title, Long: t.text}
		fs := pflag.NewFlagSet(t.name, pflag.ContinueOnError)
		newRunFlags().add(fs)
		flags := inTopic(fs, t.name).FlagUsagesWrapped(80)
		page.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n\nFlags of refire run:\n%s", t.text, flags)
		})
		root.AddCommand(page)
	}
}
