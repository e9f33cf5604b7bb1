package procpool

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// WorkerDied is the outcome of the call whose worker ended under it, and what is wrapped by the error
// of a call for which no worker could be started. The call may have been run in part or as a whole.
type WorkerDied struct {
	Pid    int              // of the process that was the worker
	State  *os.ProcessState // how it ended: exit status or signal; nil if the system did not tell
	Stderr string           // the last lines it wrote, 16 KiB of them, made printable

	job   string // that it had; "" if none
	why   string // what it did wrong, if it was killed for that
	early bool   // before it reached Main
}

func (e *WorkerDied) Error() string {
	var b strings.Builder
	b.WriteString("aio: ")
	if e.job != "" {
		fmt.Fprintf(&b, "job %q: ", e.job)
	}
	if e.why != "" {
		fmt.Fprintf(&b, "worker %d was killed: %s", e.Pid, e.why)
	} else {
		fmt.Fprintf(&b, "worker %d died: ", e.Pid)
		if e.State != nil {
			b.WriteString(e.State.String())
		} else {
			b.WriteString("how is not known")
		}
		if e.early {
			b.WriteString(", before it reached procpool.Main (is that the first statement of main?)")
		}
	}
	if words := lastWords(e.Stderr, e.mayBeCrash()); words != "" {
		fmt.Fprintf(&b, ": %s", words)
	}
	return b.String()
}

// mayBeCrash reports whether Go's runtime may have given up: it exits with 2, or by a signal.
func (e *WorkerDied) mayBeCrash() bool {
	return e.State == nil || e.State.ExitCode() == 2 || e.State.ExitCode() < 0
}

// crashSign is how a line begins by which Go's runtime, or a worker of ours, says why it gives up.
var crashSign = regexp.MustCompile(`^(panic|fatal error|aio|SIG[A-Z0-9]+): `)

// lastWords is the line of a worker's last ones that tells most: where it says why it crashed, or
// else the last one. Calls before may have left lines that look like it.
func lastWords(stderr string, crash bool) string {
	last, sign := "", ""
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if crash && crashSign.MatchString(line) {
			sign = line
		}
		if line != "" {
			last = line
		}
	}
	return cut(cmp.Or(sign, last))
}

// cut shortens a line for a message.
func cut(line string) string {
	const most = 240
	if len(line) <= most {
		return line
	}
	return strings.ToValidUTF8(line[:most], "") + "..."
}
