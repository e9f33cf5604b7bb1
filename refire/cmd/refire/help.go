package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// seldom are the flags of a command that --help leaves out, so that the others fit on a screen; --help-all has them.
var seldom = map[string][]string{
	"run": {
		"max-line", "show-bad", "show-refused", "follow-for", "dedup", "fresh", "out-format", "allow-host", "alias", "client", "proxy", "json", "progress",
	},
}

// addHelp adds --help-all where --help does not say all.
func addHelp(root *cobra.Command) {
	cobra.AddTemplateFunc("flagsOf", flagsOf)
	for _, cmd := range root.Commands() {
		if seldom[cmd.Name()] == nil {
			continue
		}
		all := cmd.Flags().Bool("help-all", false, "help with all flags")
		run := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if *all {
				return cmd.Help()
			}
			return run(cmd, args)
		}
	}
}

// flagsOf is the table of a command's flags.
func flagsOf(cmd *cobra.Command) string {
	own := inTopic(cmd.LocalFlags(), "")
	if f := cmd.Flags().Lookup("help-all"); f == nil || f.Changed {
		text := own.FlagUsagesWrapped(80)
		for _, t := range topics {
			if some := inTopic(cmd.LocalFlags(), t.name); some.HasFlags() {
				text += "\n" + t.title + " (refire help " + t.name + "):\n" + some.FlagUsagesWrapped(80)
			}
		}
		return text
	}
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	shown.SortFlags = false
	var left []string
	own.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(seldom[cmd.Name()], f.Name) {
			left = append(left, "--"+f.Name)
			return
		}
		shown.AddFlag(f)
	})
	return shown.FlagUsagesWrapped(80) + groupedFlags(cmd.LocalFlags()) + fmt.Sprintf("\nAnd (%s --help-all):\n%s\n", cmd.CommandPath(), wrapped(left, "  ", 80))
}

// wrapped joins words into lines of at most width.
func wrapped(words []string, indent string, width int) string {
	var b strings.Builder
	line := indent
	for _, w := range words {
		if len(line)+len(w) >= width {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += w + " "
	}
	return b.String() + strings.TrimRight(line, " ")
}
