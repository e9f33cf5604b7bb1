package job

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A message is what travels, one for the argument and one for the outcome:
//
//	version, 1 byte | kind, 1 byte | time left, uvarint | body
//
// The version is that of everything after it, so a reader that does not know it reads no further.
// The time left is in nanoseconds, of the call's deadline when it was encoded, and 0 for none: a
// duration, because the clocks of two machines differ. An outcome has none.
const version = 1

// The kinds of messages. The numbers are on the wire.
const (
	kindTyped   = 1 // body: a schema, and a value as it says
	kindBytes   = 2 // body: a []byte
	kindString  = 3 // body: a string
	kindNil     = 4 // no body: a nil []byte
	kindError   = 5 // body: an error; the job returned it
	kindPanic   = 6 // body: a panic's value and stack
	kindUnknown = 7 // body: the name, and names that are near; there is no such job
	kindEncode  = 8 // body: an error; the argument or the result could not travel
	kindEnd     = 9 // the first that is none
)

// message is a message taken apart.
type message struct {
	kind byte
	left time.Duration
	body []byte
}

// header is a message without its body, with room for one of so many bytes.
func header(kind byte, left time.Duration, body int) []byte {
	h := make([]byte, 0, 2+binary.MaxVarintLen64+body)
	return binary.AppendUvarint(append(h, version, kind), uint64(max(left, 0)))
}

// timeLeft is how long ctx's deadline is away. It is 0 also for a deadline that has passed while ctx
// has not ended: that is of another clock, a virtual one.
func timeLeft(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return max(0, time.Until(deadline))
	}
	return 0
}

var errCutShort = errors.New("the message is cut short")

func parseMessage(b []byte) (message, error) {
	switch {
	case len(b) == 0:
		return message{}, errCutShort
	case b[0] != version:
		return message{}, fmt.Errorf("the other side speaks version %d of the wire, this one speaks %d: build both with the same release of aio", b[0], version)
	case len(b) < 3:
		return message{}, errCutShort
	case b[1] == 0 || b[1] >= kindEnd:
		return message{}, fmt.Errorf("a message of kind %d, which there is not: is this a job's?", b[1])
	}
	left, n := binary.Uvarint(b[2:])
	if n <= 0 || left > 1<<63-1 {
		return message{}, errCutShort
	}
	return message{kind: b[1], left: time.Duration(left), body: b[2+n:]}, nil
}
