package refire

import (
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// Request is one entry of a log, decided to be fired.
type Request struct {
	ID     accesslog.ID
	Method string
	Origin Origin // where it goes
	Target string // what stands in the request line there; ASCII without spaces and controls, begins with "/"

	Rewritten bool      // Target differs from what the client had sent: bytes that cannot stand in a request line are percent-encoded
	OldStatus int       // the one in the log
	Source    string    // the log's name
	Offset    int64     // where the entry's line begins in its uncompressed source, in bytes
	Logged    time.Time // of the entry, as the log has it; zero: it has none that can be read
	Again     bool      // out of the journal, where it failed: see Ledger.BeginAgain
}

// WellFormed reports whether r can stand in a request line: its method is a token and asks for no tunnel, its target begins with "/" and needs no rewriting. What a
// Plan decided is; what a file says may not be.
func (r *Request) WellFormed() bool {
	_, rewritten := Wire(r.Target)
	return isToken(r.Method) && r.Method != "CONNECT" && strings.HasPrefix(r.Target, "/") && !rewritten
}

// URL is the absolute URL that is fired, marked.
func (r *Request) URL() string { return r.Origin.String() + Mark(r.Target) }
