// Command refire fires again the requests that an access log says had failed.
package main

import (
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes, judged over the whole journal. Refused entries and malformed lines do not change them.
const (
	exitRecovered   = 0 // or there was nothing to do
	exitStillFails  = 1
	exitUsage       = 2
	exitCannotRun   = 3
	exitHungUp      = 129
	exitInterrupted = 130
	exitTerminated  = 143
)

func main() { os.Exit(run(os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr})) }

// stdio is where data comes from and goes to, and where words go.
type stdio struct {
	in  *os.File
	out io.Writer
	err *os.File
}

func run(args []string, std stdio) int {
	stdlog.SetOutput(io.Discard) // net/http writes there about odd servers; what matters of it is in the outcome
	root := newRoot(std)
	root.SetArgs(args)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		plainUsages(root)
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	err := root.Execute()
	if err == nil {
		return exitRecovered
	}
	var f *failure
	if !errors.As(err, &f) { // cobra's own: an unknown command or flag
		f = usage(errors.New(strings.Join(strings.Fields(err.Error()), " ")), "refire --help lists the commands, refire run --help the flags")
	}
	f.print(newConsole(std.err))
	return f.code
}

// failure is an error with its exit code and with what to do about it.
type failure struct {
	code int
	err  error  // nil: the code says it all
	hint string // one or more lines
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit code %d", f.code)
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

func (f *failure) print(c *console) {
	if f.err != nil {
		c.say("refire: %s", strings.TrimPrefix(f.err.Error(), "refire: "))
	}
	c.hint(f.hint)
}

func usage(err error, hint string) *failure     { return &failure{exitUsage, err, hint} }
func cannotRun(err error, hint string) *failure { return &failure{exitCannotRun, err, hint} }

const rootHelp = `refire reads access logs, finds the requests that ended in a 5xx, fires those
URLs again at the server you name, and writes each one, marked retry=True, with
its new status to a retry log. Started again, it goes on where it was.`

const rootExample = `  refire demo                                        see all of it, here only
  refire scan access.log                             what failed? fires nothing
  refire run --base https://shop.example --rate 20/s access.log  fire it gently
  refire run --base https://shop.example --again     what still fails, once more
  refire report retry.log                            the summary, later
  refire export retry.log > retry.csv                a table of the outcomes`

// exitCodes is the annotation of a command with its exit codes, for the help.
const exitCodes = "exit codes"

func exits(text string) map[string]string { return map[string]string{exitCodes: text} }

func newRoot(std stdio) *cobra.Command {
	root := &cobra.Command{
		Use:           "refire",
		Short:         "Fire again what an access log says had failed",
		Long:          rootHelp,
		Example:       rootExample,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		Version:       version(),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.Flags().BoolP("version", "v", false, "say which version this is")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(flagError(err), flagHint(cmd, err))
	})
	root.CompletionOptions.DisableDefaultCmd = true
	setHelp(root)
	root.AddCommand(newRun(std), newScan(std), newReport(std), newExport(std), newDemo(std), newMan(std), newCompletion(std))
	addTopics(root)
	addCompletions(root)
	return root
}

// flagError says what is wrong with a flag's value in our words.
func flagError(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	name := "--" + invalid.GetFlag().Name
	var number *strconv.NumError
	cause := errors.Unwrap(invalid)
	switch isNumber := errors.As(cause, &number); {
	case isNumber && invalid.GetFlag().Value.Type() == "bool":
		return fmt.Errorf("%s takes no value", name)
	case isNumber:
		return fmt.Errorf("%s %s is no whole number", name, quoted(invalid.GetValue()))
	case cause == nil:
		return err
	}
	return fmt.Errorf("%s: %w", name, plainError(cause))
}
