package refire

import "github.com/seed8b1f0744/aio/refire/accesslog"

// Request is one entry of a log, decided to be fired.
type Request struct {
	ID     accesslog.ID
	Method string
	Origin Origin // where it goes
	Target string // what stands in the request line there; ASCII without spaces and controls, begins with "/"

	Rewritten bool   // Target differs from what the client had sent: bytes that cannot stand in a request line are percent-encoded
	OldStatus int    // the one in the log
	Source    string // the log's name
	Offset    int64  // where the entry's line begins in its uncompressed source, in bytes
	Again     bool   // out of the journal, where it failed: see Ledger.BeginAgain
}

// URL is the absolute URL that is fired, marked.
func (r *Request) URL() string { return r.Origin.String() + Mark(r.Target) }
