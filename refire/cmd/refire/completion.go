package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const completionHelp = `Print what makes a shell complete refire's commands, flags and their values.

  bash         source <(refire completion bash), in ~/.bashrc to keep it
  zsh          refire completion zsh > "${fpath[1]}/_refire", then a new shell
  fish         refire completion fish > ~/.config/fish/completions/refire.fish
  powershell   refire completion powershell | Out-String | Invoke-Expression`

// newCompletion is in the place of cobra's command of that name, whose help is in other words than the rest.
func newCompletion(std stdio) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:         "completion SHELL",
		Short:       "Print completions for a shell",
		Long:        completionHelp,
		Hidden:      true, // refire --help has a line about it
		Annotations: exits("0 printed; 2 usage."),
		ValidArgs:   shells,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return usage(fmt.Errorf("completion takes one of %s", strings.Join(shells, ", ")), "for example: source <(refire completion bash)")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := writeCompletion(std.out, cmd.Root(), args[0]); err != nil {
				return cannotPrint(err)
			}
			return nil
		},
	}
}

func writeCompletion(w io.Writer, root *cobra.Command, shell string) error {
	var b bytes.Buffer
	err := map[string]func() error{
		"bash":       func() error { return root.GenBashCompletionV2(&b, true) },
		"zsh":        func() error { return root.GenZshCompletion(&b) },
		"fish":       func() error { return root.GenFishCompletion(&b, true) },
		"powershell": func() error { return root.GenPowerShellCompletionWithDesc(&b) },
	}[shell]()
	if err != nil {
		return err
	}
	text := b.String()
	if shell == "bash" {
		text = withoutPackage(text)
	}
	_, err = io.WriteString(w, text)
	return err
}

// bashAlone is what cobra's script takes from the package bash-completion, for a bash without it.
const bashAlone = `
# The package bash-completion does both better, where it is there.
__refire_words()
{
    if declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
        _get_comp_words_by_ref "$@"
        return
    fi
    local line="${COMP_LINE:0:COMP_POINT}"
    read -ra words <<<"${line}"
    if [[ ${line} == *" " ]]; then
        words+=("")
    fi
    cword=$((${#words[@]} - 1))
    cur="${words[cword]}"
    prev="${words[cword > 0 ? cword - 1 : 0]}"
}

__refire_files()
{
    if declare -F _filedir >/dev/null 2>&1; then
        _filedir "$@"
        return
    fi
    local kind=-f IFS=$'\n'
    if [[ ${1-} == -d ]]; then
        kind=-d
    fi
    COMPREPLY+=($(compgen "${kind}" -- "${cur}"))
    compopt -o filenames 2>/dev/null
}

`

// bashCommas takes back what printf %q has put before commas, which mean nothing outside of braces.
const bashCommas = `    if ((${#COMPREPLY[@]})); then
        COMPREPLY=("${COMPREPLY[@]//\\,/,}")
    fi
`

// withoutPackage makes cobra's script work in a bash without the package bash-completion: there, it had an error at each TAB.
func withoutPackage(script string) string {
	first, rest, _ := strings.Cut(script, "\n")
	rest = strings.ReplaceAll(rest, `    _get_comp_words_by_ref "$@"`, `    __refire_words "$@"`)
	for _, before := range []string{`="`, "    ", "&& "} {
		rest = strings.ReplaceAll(rest, before+"_filedir", before+"__refire_files")
	}
	const end = "    __refire_process_completion_results\n"
	rest = strings.Replace(rest, end, end+bashCommas, 1)
	return first + "\n" + bashAlone + rest
}

// plainUsages takes from the usages of all flags what is for the help only: shells show them as they are.
func plainUsages(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			kind, text := pflag.UnquoteUsage(f)
			f.Usage = strings.TrimPrefix(text, kind+": ")
		})
	}
}
