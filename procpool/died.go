package procpool

import (
	"fmt"
	"os"
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
	if words := lastWords(e.Stderr); words != "" {
		fmt.Fprintf(&b, ": %s", words)
	}
	return b.String()
}

// lastWords is the line of a worker's last ones that tells most: where Go's runtime says why it gives
// up, or else the last one.
func lastWords(stderr string) string {
	last := ""
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		for _, sign := range []string{"panic: ", "fatal error: ", "SIG", "aio: "} {
			if strings.HasPrefix(line, sign) {
				return cut(line)
			}
		}
		if line != "" {
			last = line
		}
	}
	return cut(last)
}

// cut shortens a line for a message.
func cut(line string) string {
	const most = 240
	if len(line) <= most {
		return line
	}
	return strings.ToValidUTF8(line[:most], "") + "..."
}
