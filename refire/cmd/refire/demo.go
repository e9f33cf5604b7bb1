package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// sampleLog is an access log of a made-up shop during an outage, with one odd line of each kind.
//
//go:embed demo.log
var sampleLog []byte

const demoHelp = `Show what refire does, in a few seconds and on this machine only: start a flaky
server on the loopback interface, write an access log of its outage, fire the
failed requests again, and once more what still failed. The two logs stay where
the demo says.`

func newDemo(std stdio) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:         "demo [flags]",
		Short:       "See all of it in a few seconds, on this machine only",
		Long:        demoHelp,
		Example:     "  refire demo\n  refire demo --dir .",
		Annotations: exits("0 it was shown; 2 usage; 3 it could not run."),
		Args:        cobra.NoArgs,
		RunE:        func(*cobra.Command, []string) error { return runDemo(dir, std) },
	}
	cmd.Flags().StringVar(&dir, "dir", "", "put the logs into this `DIR` (default: a new temporary one)")
	return cmd
}

func runDemo(dir string, std stdio) error {
	logs, err := prepareDemo(dir)
	if err == nil {
		err = os.Chdir(filepath.Dir(logs.access)) // so that the commands are short
	}
	if err != nil {
		return cannotRun(err, "give another --dir")
	}
	server, err := startDemoServer()
	if err != nil {
		return cannotRun(fmt.Errorf("cannot listen on the loopback interface: %w", err), "")
	}
	defer server.close()
	d := &demo{std: std, base: server.base(), logs: logs, name: ownName()}
	if err := d.play(); err != nil {
		return err
	}
	d.farewell()
	return nil
}

// demoLogs are the two files that the demo leaves behind.
type demoLogs struct{ access, retry string }

func prepareDemo(dir string) (demoLogs, error) {
	var err error
	if dir == "" {
		if dir, err = os.MkdirTemp("", "refire-demo-"); err != nil {
			return demoLogs{}, err
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return demoLogs{}, err
	}
	logs := demoLogs{filepath.Join(dir, "access.log"), filepath.Join(dir, "retry.log")}
	for _, name := range []string{logs.access, logs.retry} {
		if _, err := os.Lstat(name); err == nil {
			return demoLogs{}, fmt.Errorf("%s is there already, and the demo overwrites nothing", name)
		}
	}
	return logs, os.WriteFile(logs.access, sampleLog, 0o600)
}

type demo struct {
	std  stdio
	base string
	logs demoLogs
	name string // of this program, from where it was started
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.std.err, format+"\n", args...) }

// play runs the commands as a user would.
func (d *demo) play() error {
	d.say("A shop had an outage. Its access log is\n%s.\nIts server is up again at %s, more or less.\n", d.logs.access, d.base)
	d.say("1. What failed? Nothing is fired.\n")
	access := filepath.Base(d.logs.access) // the other one is --out's default
	if err := d.run("scan", access); err != nil {
		return err
	}
	d.say("\n2. Fire it again. Only GET and HEAD, only at --base, whatever a line says.\n")
	run := []string{"run", "--base", d.base, "--timeout", "700ms"}
	if err := d.run(append(run, access)...); err != nil {
		return err
	}
	d.say("\n3. Some pages needed a moment longer. Fire what still fails once more.\n")
	return d.run(append(run, "--again")...)
}

// run runs refire itself; that some requests still fail is part of the show.
func (d *demo) run(args ...string) error {
	d.say("$ refire %s", strings.Join(args, " "))
	quiet := d.std
	if args[0] == "scan" {
		quiet.out = &firstLines{w: d.std.err, left: 4}
	}
	if code := run(args, quiet); code != exitRecovered && code != exitStillFails {
		return &failure{code: code}
	}
	return nil
}

func (d *demo) farewell() {
	d.say("\nThe retry log has a line for each outcome, the last one about an entry counts:")
	if text, err := os.ReadFile(d.logs.retry); err == nil {
		first, _, _ := strings.Cut(string(text), "\n")
		d.say("%s", first)
	}
	d.say("\nTry next:")
	refire := d.name
	fmt.Fprintf(d.std.out, "  %s scan %s\n", refire, d.logs.access)
	fmt.Fprintf(d.std.out, "  %s report %s\n", refire, d.logs.retry)
	fmt.Fprintf(d.std.out, "  %s report --html %s %s\n", refire, filepath.Join(filepath.Dir(d.logs.retry), "out.html"), d.logs.retry)
	fmt.Fprintf(d.std.out, "  %s run --base http://127.0.0.1:8080 --dry-run --show-refused --show-bad %s\n", refire, d.logs.access)
	fmt.Fprintf(d.std.out, "  %s run --base http://127.0.0.1:8080 your-access.log\n", refire)
}

// ownName is how to start this program once more: by its name if the shell finds it, else as it was started.
func ownName() string {
	if _, err := exec.LookPath("refire"); err == nil {
		return "refire"
	}
	if strings.Contains(filepath.ToSlash(os.Args[0]), "/go-build") { // go run, which removes the program
		return "go run ./refire/cmd/refire"
	}
	return os.Args[0]
}

// firstLines lets the first lines through and counts the rest.
type firstLines struct {
	w          io.Writer
	left, more int
}

func (f *firstLines) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		if f.left > 0 {
			f.left--
			if _, err := io.WriteString(f.w, line); err != nil {
				return 0, err
			}
		} else {
			f.more++
		}
	}
	if f.more > 0 {
		fmt.Fprintf(f.w, "... and %s\n", number(f.more)+" more")
	}
	return len(p), nil
}
