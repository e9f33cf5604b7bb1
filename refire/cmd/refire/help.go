package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// heading is what a flag stands under in the help of its command. A flag of run or scan is put under one where it is registered.
type heading string

// The headings.
const (
	anything    heading = "Flags"
	whatToRead  heading = "What to read"
	whatToFire  heading = "What to fire"
	where       heading = "Where"
	howFast     heading = "How fast"
	whatToWrite heading = "What to write"
)

var headings = []heading{anything, whatToRead, whatToFire, where, howFast, whatToWrite}

// Annotations of flags.
const (
	underHeading = "heading"
	isRare       = "rare"
)

// put puts flags under a heading, in this order.
func put(fs *pflag.FlagSet, h heading, names ...string) {
	for _, name := range names {
		annotate(fs, name, underHeading, string(h))
	}
}

// rare leaves flags to the help that shows all: the others are what a first look needs, and fit a screen.
func rare(fs *pflag.FlagSet, names ...string) {
	for _, name := range names {
		annotate(fs, name, isRare, "true")
	}
}

func annotate(fs *pflag.FlagSet, name, key, value string) {
	if err := fs.SetAnnotation(name, key, []string{value}); err != nil {
		panic(err) // there is no such flag
	}
}

func headingOf(f *pflag.Flag) heading {
	if h := f.Annotations[underHeading]; len(h) > 0 {
		return heading(h[0])
	}
	return anything
}

// screenWidth is what no line of the help is longer than.
const screenWidth = 79

// flagList is what the help says about a command's flags. The rare ones are only named, unless all are asked for.
func flagList(cmd *cobra.Command, all bool) string {
	shown := map[heading][]*pflag.Flag{}
	var names []string // of those that are not
	grouped, width := false, 0
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		h := headingOf(f)
		switch {
		case f.Hidden:
		case f.Annotations[isRare] != nil && !all:
			names = append(names, "--"+f.Name)
		default:
			shown[h] = append(shown[h], f)
			grouped = grouped || h != anything
			width = max(width, len(flagName(f)))
		}
	})
	if grouped {
		shown[anything] = slices.DeleteFunc(shown[anything], func(f *pflag.Flag) bool { return f.Name == "help" })
	}
	var b strings.Builder
	for _, h := range headings {
		if len(shown[h]) > 0 {
			fmt.Fprintf(&b, "%s:\n", h)
		}
		for _, f := range shown[h] {
			fmt.Fprintf(&b, "  %-*s  %s\n", width, flagName(f), flagText(f))
		}
	}
	if len(names) > 0 {
		fmt.Fprintf(&b, "\n%s\n", wrap(cmd.CommandPath()+" --help all explains the others: "+strings.Join(names, ", "), screenWidth))
	}
	return b.String()
}

// flagName is a flag with its letter and the name of its value.
func flagName(f *pflag.Flag) string {
	kind, _ := pflag.UnquoteUsage(f)
	name := strings.TrimSpace("--" + f.Name + " " + kind)
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	return name
}

// flagText is what a flag is for. A usage that begins with `KIND`: names its value only for flagName.
func flagText(f *pflag.Flag) string {
	kind, text := pflag.UnquoteUsage(f)
	if strings.HasPrefix(f.Usage, "`"+kind+"`: ") {
		text = strings.TrimPrefix(text, kind+": ")
	}
	switch f.DefValue {
	case "", "0", "false", "[]":
		return text
	}
	return text + " (default " + f.DefValue + ")"
}

// wrap breaks text at spaces.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

// helpAll is what asks for the whole help, after --help or as help's last argument.
const helpAll = "all"

// setHelp makes the help of root and of its commands.
func setHelp(root *cobra.Command) {
	all := false
	cobra.AddTemplateFunc("flagList", func(cmd *cobra.Command) string { return flagList(cmd, all) })
	cobra.AddTemplateFunc("formatList", func(cmd *cobra.Command) string {
		if !all || cmd.LocalFlags().Lookup("format") == nil {
			return ""
		}
		return wrap("Formats: "+formatNames()+"; docker:, cri: or syslog: before one; or a format string of nginx or Apache.", screenWidth) + "\n\n"
	})
	root.SetHelpTemplate(helpTemplate)
	print := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		at := slices.IndexFunc(args, func(arg string) bool { return arg == "--help" || arg == "-h" })
		all = all || at >= 0 && slices.Contains(args[at+1:], helpAll)
		print(cmd, args)
	})
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND] [all]",
		Short: "Help about a command",
		RunE: func(_ *cobra.Command, args []string) error {
			if n := len(args) - 1; n >= 0 && args[n] == helpAll {
				args, all = args[:n], true
			}
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usage(errors.New("there is no command "+quoted(strings.Join(args, " "))), "refire --help lists the commands")
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	})
}

const helpTemplate = `{{.Long}}

Usage: {{.UseLine}}{{if .HasAvailableSubCommands}} COMMAND{{end}}
{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{if .HasAvailableSubCommands}}
Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name 10}} {{.Short}}{{end}}{{end}}

refire COMMAND --help says more, with the exit codes.
refire completion bash|zsh|fish|powershell prints completions.
{{end}}{{if .HasAvailableLocalFlags}}
{{flagList .}}
{{end}}{{formatList .}}{{with index .Annotations "` + exitCodes + `"}}Exit codes: {{.}}
{{end}}`
