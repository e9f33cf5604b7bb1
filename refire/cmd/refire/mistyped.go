package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// knownCommand is the rule for the arguments of refire itself: it takes none, so that any is a command that there is not.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "refire --help lists the commands"
	switch names := likely(args[0], commandNames(root)); {
	case args[0] == "version":
		hint = "refire --version says it"
	case len(names) > 0:
		hint = "did you mean refire " + strings.Join(names, " or refire ") + "? " + hint
	}
	return usage(fmt.Errorf("unknown command %s", quoted(args[0])), hint)
}

func commandNames(root *cobra.Command) (names []string) {
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cmd.Name())
		}
	}
	return append(names, "help", "completion", "man")
}

// flagHint names the flags that an unknown one may stand for.
func flagHint(cmd *cobra.Command, err error) string {
	hint := cmd.CommandPath() + " --help lists the flags"
	if cmd.HasParent() {
		hint = cmd.CommandPath() + " --help all lists the flags"
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return hint
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if names = likely(unknown.GetSpecifiedName(), names); len(names) > 0 {
		hint = "did you mean --" + strings.Join(names, " or --") + "? " + hint
	}
	return hint
}

// likely are the names that text is at most two slips of the hand away from, and no more than half of it; or those that it begins.
func likely(text string, names []string) (list []string) {
	text = strings.ToLower(text)
	if len(text) < 2 || len(text) > 30 {
		return nil
	}
	for _, name := range names {
		if d := slips(text, name); d <= 2 && 2*d <= len(text) || strings.HasPrefix(name, text) {
			list = append(list, name)
		}
	}
	return list
}

// slips is how many letters must be added, left out, changed or swapped with the next one to make b of a (the optimal string alignment distance).
func slips(a, b string) int {
	before, last, row := []int(nil), []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			changed := last[j]
			if a[i] != b[j] {
				changed++
			}
			row[j+1] = min(changed, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
