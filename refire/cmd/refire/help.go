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
	where       heading = "Where, and with what (refire help sending)"
	howFast     heading = "How fast, how gently (refire help safety)"
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

// flagGroups are flags by their headings.
type flagGroups struct {
	flags map[heading][]*pflag.Flag
	width int // of the longest name
}

// flagsByHeading takes those that show chooses.
func flagsByHeading(fs *pflag.FlagSet, show func(*pflag.Flag) bool) flagGroups {
	g := flagGroups{flags: map[heading][]*pflag.Flag{}}
	fs.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && show(f) {
			g.flags[headingOf(f)] = append(g.flags[headingOf(f)], f)
			g.width = max(g.width, len(flagName(f)))
		}
	})
	if len(g.flags) > 1 {
		g.flags[anything] = slices.DeleteFunc(g.flags[anything], func(f *pflag.Flag) bool { return f.Name == "help" })
	}
	return g
}

// list is the flags under a heading, without it.
func (g flagGroups) list(h heading) string {
	var b strings.Builder
	for _, f := range g.flags[h] {
		text := wrap(flagText(f), screenWidth-g.width-4)
		fmt.Fprintf(&b, "  %-*s  %s\n", g.width, flagName(f), strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", g.width+4)))
	}
	return b.String()
}

// flagList is what the help says about a command's flags. The rare ones are only named, unless all are asked for.
func flagList(cmd *cobra.Command, all bool) string {
	var names []string // of those that are not shown
	shown := flagsByHeading(cmd.LocalFlags(), func(f *pflag.Flag) bool {
		show := all || f.Annotations[isRare] == nil
		if !show {
			names = append(names, "--"+f.Name)
		}
		return show
	})
	text := ""
	for _, h := range headings {
		if list := shown.list(h); list != "" {
			text += fmt.Sprintf("%s:\n%s", h, list)
		}
	}
	if len(names) > 0 {
		text += "\n" + wrap(cmd.CommandPath()+" --help all explains the others: "+strings.Join(names, ", "), screenWidth) + "\n"
	}
	return text
}

// flagName is a flag with its letter and the name of its value, in brackets where it may be left out.
func flagName(f *pflag.Flag) string {
	kind, _ := pflag.UnquoteUsage(f)
	name := "--" + f.Name
	switch {
	case kind != "" && f.NoOptDefVal != "":
		name += "[=" + kind + "]"
	case kind != "":
		name += " " + kind
	}
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
		if f := cmd.LocalFlags().Lookup("format"); !all || f == nil || headingOf(f) != whatToRead {
			return ""
		}
		return wrap("Formats (refire help formats): "+formatNames()+"; docker:, cri: or syslog: before one; or a format string of nginx or Apache.", screenWidth) + "\n\n"
	})
	cobra.AddTemplateFunc("topicList", topicList)
	root.SetHelpTemplate(helpTemplate)
	print := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		at := slices.IndexFunc(args, func(arg string) bool { return arg == "--help" || arg == "-h" })
		all = all || at >= 0 && slices.Contains(args[at+1:], helpAll)
		print(cmd, args)
	})
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND | TOPIC] [all]",
		Short: "Help about a command, or a topic",
		ValidArgsFunction: func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			return helpArgs(root, args, begun), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if n := len(args) - 1; n >= 0 && args[n] == helpAll {
				args, all = args[:n], true
			}
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usage(errors.New("there is no command and no topic "+quoted(strings.Join(args, " "))), helpHint(root, args))
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	})
}

// helpHint names the command or topic that may be meant.
func helpHint(root *cobra.Command, args []string) string {
	hint := "refire --help lists the commands and topics"
	names := commandNames(root)
	for _, t := range topics {
		names = append(names, t.name)
	}
	if names = likely(args[0], names); len(names) > 0 {
		hint = "did you mean refire help " + strings.Join(names, " or ") + "? " + hint
	}
	return hint
}

// helpArgs are what a shell may offer after help.
func helpArgs(root *cobra.Command, args []string, begun string) []string {
	if len(args) > 0 {
		return beginning([]string{helpAll}, begun, "")
	}
	var list []string
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() || cmd.IsAdditionalHelpTopicCommand() {
			list = append(list, cmd.Name()+"\t"+cmd.Short)
		}
	}
	return beginning(list, begun, "")
}

const helpTemplate = `{{.Long}}

Usage: {{.UseLine}}{{if .HasAvailableSubCommands}} COMMAND{{end}}
{{if .HasExample}}
Examples:
{{.Example}}
{{end}}{{if .HasAvailableSubCommands}}
Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name 10}} {{.Short}}{{end}}{{end}}

refire COMMAND --help says more, with the exit codes; refire help TOPIC, about:
{{topicList}}
refire completion bash|zsh|fish|powershell prints completions,
refire man the manual page (refire man | man -l -).
{{end}}{{if .HasAvailableLocalFlags}}
{{flagList .}}
{{end}}{{formatList .}}{{with index .Annotations "` + exitCodes + `"}}Exit codes: {{.}}
{{end}}`
