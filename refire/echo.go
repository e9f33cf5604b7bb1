package refire

import (
	"hash/maphash"
	"strconv"
	"time"
)

// UserAgent is what refire calls itself in requests. Servers log it, so that it tells refire's own requests from those of others: see OwnRequest. It has no
// bytes that any server escapes.
const UserAgent = "refire/1-again"

// echoes counts entries that are just like what this run has sent: method, place, target, status, time. Where a server logs no User-Agent, nobody can tell them
// from those of others; but many of them say that the log is that of the server which is fired at, so that what fails is fired again and again. It knows
// the last failures only. It is for one loop.
type echoes struct {
	seed maphash.Seed
	last [256]struct {
		key      uint64
		from, to int64 // seconds
	}
	next  int
	alike int
}

// echoSlack is how far, in seconds, a server's clock may be from ours; logs have whole seconds.
const echoSlack = 2

func newEchoes() *echoes { return &echoes{seed: maphash.MakeSeed()} }

func (e *echoes) key(r *Request, status int) uint64 {
	var h maphash.Hash
	h.SetSeed(e.seed)
	for _, part := range [...]string{r.Method, r.Origin.String(), r.Target, strconv.Itoa(status)} {
		_, _ = h.WriteString(part)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// sent takes note of a request that failed.
func (e *echoes) sent(r *Request, from, to time.Time, status int) {
	at := &e.last[e.next%len(e.last)]
	at.key, at.from, at.to = e.key(r, status), from.Unix(), to.Unix()
	e.next++
}

// met takes note of an entry that is about to be fired.
func (e *echoes) met(r *Request) {
	if r.Logged.IsZero() || e.next == 0 {
		return
	}
	key, at := e.key(r, r.OldStatus), r.Logged.Unix()
	for i := range e.last {
		if s := &e.last[i]; s.key == key && s.from-echoSlack <= at && at <= s.to+echoSlack {
			s.key = 0
			e.alike++
			return
		}
	}
}
