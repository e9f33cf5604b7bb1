package refire

import (
	"context"
	"hash/maphash"
	"slices"
	"strconv"
	"time"

	"github.com/seed8b1f0744/aio"
)

// echoes are refire's own requests, as far as a server may have logged them among the failures that are looked for. Who reads the log of the very server that
// he fires at finds what failed again there, fires it again, and so on without end. A line does not say who sent the request; but of entries with the same
// method, place, target and status, of the time at which refire sent that, as many as it sent are as good as its own.
//
// It holds about 50 bytes for each request that failed. It is for one goroutine, or one loop, at a time.
type echoes struct {
	seed    maphash.Seed
	spans   map[uint64][]span    // of those that have ended, by method, place, target and status
	flights map[uint64][]*flight // of those under way, by method, place and target
}

// span is when a request was under way, in seconds, both included.
type span struct{ from, to int64 }

// flight is a request that is under way.
type flight struct {
	key   uint64
	began time.Time
	over  bool
	ended *aio.Promise[struct{}] // resolved when it is over; nil: nobody waits for that
}

// Logs have whole seconds, and a server's clock need not be ours. How long a server went on after no answer had come, nobody knows.
const (
	echoSlack     = 2
	echoSlackLate = 60
)

// noAnswer stands for the status of a request that got none: the server may have logged any.
const noAnswer = 0

func newEchoes() *echoes {
	return &echoes{seed: maphash.MakeSeed(), spans: map[uint64][]span{}, flights: map[uint64][]*flight{}}
}

func (e *echoes) key(r *Request, status int) uint64 {
	var h maphash.Hash
	h.SetSeed(e.seed)
	for _, part := range [...]string{r.Method, r.Origin.String(), r.Target, strconv.Itoa(status)} {
		_, _ = h.WriteString(part)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// load takes note of what an earlier run tells: when the last attempt was under way; of those before it, that there were some.
func (e *echoes) load(o *Outcome, wanted func(status int) bool) {
	if o.Unsent || o.Attempts < 1 {
		return
	}
	began := o.Time.Add(-o.Latency)
	e.sent(&o.Request, began, o.Time, o.Status, wanted)
	for n := 1; n < o.Attempts; n++ {
		e.sent(&o.Request, began.Add(-time.Duration(n)*time.Minute), began, noAnswer, wanted)
	}
}

func (e *echoes) sent(r *Request, from, to time.Time, status int, wanted func(status int) bool) {
	if status == noAnswer || wanted(status) {
		key := e.key(r, status)
		e.spans[key] = append(e.spans[key], span{from.Unix(), to.Unix()})
	}
}

// take reports whether an entry is an echo, of which each request has one. One without a time is none.
func (e *echoes) take(r *Request) bool {
	return !r.Logged.IsZero() && (e.takeAs(r, r.OldStatus, echoSlack) || e.takeAs(r, noAnswer, echoSlackLate))
}

func (e *echoes) takeAs(r *Request, status int, late int64) bool {
	if len(e.spans) == 0 {
		return false
	}
	key, at := e.key(r, status), r.Logged.Unix()
	spans := e.spans[key]
	i := slices.IndexFunc(spans, func(s span) bool { return s.from-echoSlack <= at && at <= s.to+late })
	if i < 0 {
		return false
	}
	if spans = slices.Delete(spans, i, i+1); len(spans) > 0 {
		e.spans[key] = spans
	} else {
		delete(e.spans, key)
	}
	return true
}

// depart notes that a request goes out.
func (e *echoes) depart(r *Request, now time.Time) *flight {
	f := &flight{key: e.key(r, noAnswer), began: now}
	e.flights[f.key] = append(e.flights[f.key], f)
	return f
}

// arrive notes what has become of it.
func (e *echoes) arrive(r *Request, f *flight, now time.Time, answer *Answer, wanted func(status int) bool) {
	if flights := slices.DeleteFunc(e.flights[f.key], func(other *flight) bool { return other == f }); len(flights) > 0 {
		e.flights[f.key] = flights
	} else {
		delete(e.flights, f.key)
	}
	if !answer.Unsent {
		e.sent(r, f.began, now, answer.Status, wanted)
	}
	if f.over = true; f.ended != nil {
		f.ended.Resolve(struct{}{})
	}
}

// settle waits for the requests of which the entry may be an echo: the server logs one before we have read its answer. In a task; it suspends.
func (e *echoes) settle(ctx context.Context, r *Request) error {
	if r.Logged.IsZero() || len(e.flights) == 0 {
		return nil
	}
	for _, f := range slices.Clone(e.flights[e.key(r, noAnswer)]) {
		if f.over || f.began.Unix()-echoSlack > r.Logged.Unix() {
			continue
		}
		if f.ended == nil {
			f.ended = aio.NewPromise[struct{}]()
		}
		if _, err := f.ended.Await(ctx); err != nil {
			return err
		}
	}
	return nil
}
