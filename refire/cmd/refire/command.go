package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed8b1f0744/aio/refire/internal/shell"
	"github.com/spf13/pflag"
)

// onlyOnce are flags of a run that its next one does without: what it reads, how it is shown, and limits for just this time.
var onlyOnce = []string{
	"again", "fresh", "dry-run", "status", "since", "until", "format", "format-from", "field", "max-line", "show-bad", "follow", "follow-for", "canary", "max",
	"deadline", "ramp", "show-refused", "report", "json", "quiet", "progress",
}

// againCommand is what fires once more what still fails, to be copied; empty: nothing does, or the command line holds a password.
func (f *runFlags) againCommand() string {
	if !f.journals() {
		return ""
	}
	return f.command(onlyOnce, "--again")
}

// againHint is a hint that ends with that command.
func (f *runFlags) againHint(words string) string {
	switch command := f.againCommand(); {
	case !f.journals():
		return ""
	case command != "":
		return words + ":\n  " + command
	}
	return words + ": the same command with --again, and without LOG"
}

// elsewhereCommand fires logs into a retry log that is not there yet.
func (f *runFlags) elsewhereCommand(logs []string) string {
	words := []string{"--out", unusedName(f.out)}
	if slices.ContainsFunc(logs, func(name string) bool { return strings.HasPrefix(name, "-") }) {
		words = append(words, "--")
	}
	for _, name := range logs {
		if name == "-" || strings.HasPrefix(name, "/dev/") { // a pipe, which has been read
			return ""
		}
		words = append(words, name)
	}
	return f.command([]string{"again", "fresh", "out"}, words...)
}

// command is the command line of a run with the flags that were given, but for some, and with more words behind them; empty: it holds a password, or
// what a terminal does not show.
func (f *runFlags) command(without []string, more ...string) string {
	if f.given == nil || strings.Contains(f.proxy, "@") {
		return ""
	}
	words := []string{ownName(), "run"}
	if strings.Contains(words[0], " ") { // go run PACKAGE
		words = append(strings.Fields(words[0]), "run")
	}
	f.given.Visit(func(flag *pflag.Flag) {
		if !slices.Contains(without, flag.Name) {
			words = append(words, flagWordsOf(flag)...)
		}
	})
	words = append(words, more...)
	for i := range words {
		if safe(words[i]) != words[i] { // it would be shown in another way than it is
			return ""
		}
		words[i] = shell.Word(words[i])
	}
	return strings.Join(words, " ")
}

// flagWordsOf is a flag as it is given.
func flagWordsOf(f *pflag.Flag) (words []string) {
	values := []string{f.Value.String()}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		values = list.GetSlice()
	}
	if said, ok := f.Value.(interface{ asGiven() string }); ok {
		values = []string{said.asGiven()}
	}
	for _, value := range values {
		switch {
		case f.NoOptDefVal != "" && value == f.NoOptDefVal:
			words = append(words, "--"+f.Name)
		case f.NoOptDefVal != "":
			words = append(words, "--"+f.Name+"="+value)
		default:
			words = append(words, "--"+f.Name, value)
		}
	}
	return words
}

// unusedName is a name like this one that no file has: retry-2.log for retry.log.
func unusedName(name string) string {
	end := filepath.Ext(name)
	stem := strings.TrimSuffix(name, end)
	for n := 2; n < 100; n++ {
		if other := fmt.Sprintf("%s-%d%s", stem, n, end); !exists(other) {
			return other
		}
	}
	return name + ".new"
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
