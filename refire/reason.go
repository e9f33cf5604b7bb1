package refire

// Reason says why an entry with a wanted status is not fired; empty: it is. The text is what people read.
type Reason string

// Entries that hold no request.
const (
	NoRequestLine Reason = "the request line is empty or -"
	NoTunnel      Reason = "CONNECT asks for a tunnel, not for a page"
	NoAsterisk    Reason = "* means the server itself, not a page"
	NoSense       Reason = "the request line makes no sense"
)

// Entries whose request is refused.
const (
	OtherHost   Reason = "names another host (not --base, --alias or --allow-host)"
	OtherScheme Reason = "names a scheme other than http and https"
	OddHost     Reason = "names a host with user name, zone id or odd bytes"
	NoBase      Reason = "names no host, and there is no --base"
	CannotSend  Reason = "this client cannot send it unchanged"
)

// IsNoRequest reports whether there was nothing to fire, rather than something that must not be.
func (r Reason) IsNoRequest() bool {
	switch r {
	case NoRequestLine, NoTunnel, NoAsterisk, NoSense:
		return true
	}
	return false
}

// Entries that are fine, and skipped.
const (
	AlreadyDone Reason = "already done (in the retry log, or met before in this run)"
	OtherPlace  Reason = "was fired at a place that is neither --base nor an --allow-host"
	Duplicate   Reason = "same method and target as another one (--dedup)"
	OtherMethod Reason = "method not asked for"
	OwnRequest  Reason = "refire's own request, which the server has logged"
	MayHaveDone Reason = "may have arrived, and goes out at most once (--at-most-once=off lifts that)"
)
