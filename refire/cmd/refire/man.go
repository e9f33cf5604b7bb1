package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newMan prints the manual page, made of what --help says. It is hidden: whoever packages refire needs it, once.
func newMan(std stdio) *cobra.Command {
	return &cobra.Command{
		Use:     "man",
		Short:   "Print the manual page",
		Long:    "Print the manual page, in the form that man reads.",
		Example: "  refire man > refire.1\n  refire man | man -l -",
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := newDataWriter(std.out)
			writeMan(out, cmd.Root())
			if err := out.Flush(); err != nil {
				return cannotPrint(err)
			}
			return nil
		},
	}
}

// writeMan writes a page over all commands. cobra can write one for each, for which it needs a Markdown parser in the program.
func writeMan(w io.Writer, root *cobra.Command) {
	fmt.Fprintf(w, ".TH REFIRE 1 \"\" \"%s\" \"User Commands\"\n", roff(strings.SplitN(version(), ",", 2)[0]))
	fmt.Fprintf(w, ".SH NAME\nrefire \\- %s\n.SH SYNOPSIS\n", roff(strings.ToLower(root.Short[:1])+root.Short[1:]))
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			fmt.Fprintf(w, ".B refire %s\n%s\n.br\n", roff(cmd.Name()), roff(strings.TrimSpace(strings.TrimPrefix(cmd.Use, cmd.Name()))))
		}
	}
	fmt.Fprintf(w, ".SH DESCRIPTION\n%s", roffText(root.Long))
	manExamples(w, root)
	for _, cmd := range root.Commands() {
		if !cmd.IsAvailableCommand() {
			continue
		}
		fmt.Fprintf(w, ".SH REFIRE %s\n%s", roff(strings.ToUpper(cmd.Name())), roffText(cmd.Long))
		manFlags(w, cmd)
		manExamples(w, cmd)
		if text := cmd.Annotations[exitCodes]; text != "" {
			fmt.Fprintf(w, ".SS Exit codes\n%s", roffText(text))
		}
	}
	for _, t := range topics {
		fmt.Fprintf(w, ".SH REFIRE HELP %s\n%s", roff(strings.ToUpper(t.name)), roffText(t.text))
	}
}

func manFlags(w io.Writer, cmd *cobra.Command) {
	of := flagsByHeading(cmd.LocalFlags(), func(f *pflag.Flag) bool { return f.Name != "help" })
	for _, h := range headings {
		if len(of.flags[h]) == 0 {
			continue
		}
		fmt.Fprintf(w, ".SS %s\n", roff(string(h)))
		for _, f := range of.flags[h] {
			fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(flagName(f)), roff(flagText(f)))
		}
	}
}

func manExamples(w io.Writer, cmd *cobra.Command) {
	if cmd.Example != "" {
		fmt.Fprintf(w, ".SS Examples\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
}

// roffText writes paragraphs; lines that are indented stay as they are.
func roffText(text string) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if strings.HasPrefix(paragraph, "  ") {
			b.WriteString(".nf\n" + roff(paragraph) + "\n.fi\n")
			continue
		}
		b.WriteString(roff(paragraph) + "\n")
	}
	return b.String()
}

// roff escapes what troff would act on.
func roff(text string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, `-`, `\-`).Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
