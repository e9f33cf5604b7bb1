package accesslog

import (
	"bytes"
	"fmt"
	"strconv"
)

// MaxRawBytes is how much of a bad line a BadLine keeps.
const MaxRawBytes = 512

// BadLine is a line that is no entry. It is delivered, as an error that does not end the scan, so that nothing disappears
// without a word; the scan goes on with the next line.
type BadLine struct {
	Source string
	Offset int64 // where the line begins
	Line   int64 // its number, from 1
	Length int64 // its length in bytes, without the line end
	Reason Reason
	Raw    []byte // its first bytes, at most MaxRawBytes and Options.MaxLineBytes; written by strangers: print Quoted instead
}

// Reason says why a line is bad.
type Reason uint8

// The reasons.
const (
	NoRequestField  Reason = iota + 1 // nothing that looks like `[time] "`
	RequestUnclosed                   // the request's closing quote is missing
	NoStatus                          // no three-digit status after the request
	TooLong                           // longer than Options.MaxLineBytes
	Misfit                            // not a line of the format
	NoFields                          // no "#Fields:" line before it that names a request and a status
	Continued                         // the rest of a line that a container runtime has cut into pieces
	RequestCut                        // the server has logged the beginning of the request only
	Ambiguous                         // it can be read in two ways, of which a client may have written one
)

// String returns the reason in words.
func (r Reason) String() string {
	switch r {
	case NoRequestField:
		return `no [time] followed by a "request"`
	case RequestUnclosed:
		return "the request has no closing quote"
	case NoStatus:
		return "no status after the request"
	case TooLong:
		return "the line is longer than the limit"
	case Misfit:
		return "the line does not fit the format"
	case NoFields:
		return "no #Fields: line before it that names a request and a status"
	case Continued:
		return "a later piece of a line that was cut into pieces"
	case RequestCut:
		return "only the beginning of the request was logged (HAProxy: tune.http.logurilen)"
	case Ambiguous:
		return "it can be read in two ways, and a client may have written one of them"
	}
	return "reason " + strconv.Itoa(int(r))
}

func newBadLine(content []byte, reason Reason) *BadLine {
	return &BadLine{Length: int64(len(content)), Reason: reason, Raw: bytes.Clone(content[:min(len(content), MaxRawBytes)])}
}

// Error returns the place and the reason, without the line itself.
func (b *BadLine) Error() string {
	return fmt.Sprintf("accesslog: %s: line %d (byte %d, %d bytes long): %v", b.Source, b.Line, b.Offset, b.Length, b.Reason)
}

// Quoted returns Raw in double quotes, with everything but printable ASCII escaped, and "..." where it was cut.
func (b *BadLine) Quoted() string {
	s := strconv.QuoteToASCII(string(b.Raw))
	if int64(len(b.Raw)) < b.Length {
		s += "..."
	}
	return s
}
