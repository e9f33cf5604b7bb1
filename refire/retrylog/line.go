package retrylog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// line is an outcome as it stands in the file. The order of the fields is what a half written line is recognised by: the first one stays first.
type line struct {
	URL       string       `json:"url"` // marked
	Method    string       `json:"method"`
	OldStatus int          `json:"old_status"`
	Status    int          `json:"status"`
	Error     string       `json:"error,omitempty"`
	Attempts  int          `json:"attempts"`
	LatencyMS float64      `json:"latency_ms"`
	Bytes     int64        `json:"bytes"`
	Source    string       `json:"source"`
	Offset    int64        `json:"offset"`
	Time      time.Time    `json:"time"`
	Rewritten bool         `json:"rewritten,omitempty"`
	Target    string       `json:"target"` // as it was sent
	ID        accesslog.ID `json:"id"`
	Round     int          `json:"round,omitempty"`
}

// beginning is how every line begins.
const beginning = `{"url":"http`

// Encoder writes outcomes as lines. The zero value is ready; it is for one goroutine at a time.
type Encoder struct {
	buf bytes.Buffer
	enc *json.Encoder
}

// Append appends o's line, newline included, to dst.
func (e *Encoder) Append(dst []byte, o *refire.Outcome) ([]byte, error) {
	if e.enc == nil {
		e.enc = json.NewEncoder(&e.buf)
		e.enc.SetEscapeHTML(false) // an "&" in a URL stays one that grep finds
	}
	e.buf.Reset()
	err := e.enc.Encode(line{
		URL: o.URL(), Method: o.Method, OldStatus: o.OldStatus, Status: o.Status, Error: o.Error, Attempts: o.Attempts,
		LatencyMS: math.Round(float64(o.Latency)/1e3) / 1e3, Bytes: o.Bytes, Source: o.Source, Offset: o.Offset,
		Time: o.Time.UTC().Truncate(time.Millisecond), Rewritten: o.Rewritten, Target: o.Target, ID: o.ID, Round: o.Round,
	})
	if err != nil {
		return dst, fmt.Errorf("retrylog: %w", err)
	}
	return append(dst, e.buf.Bytes()...), nil
}

var errNotOurs = errors.New("not an outcome that refire wrote")

// Decode reads a line that Append wrote, with or without its newline. Fields that it does not know are left alone, so that a later version may add some.
func Decode(text []byte) (refire.Outcome, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return refire.Outcome{}, fmt.Errorf("%w: %w", errNotOurs, err)
	}
	o := refire.Outcome{
		Request: refire.Request{
			ID: l.ID, Method: l.Method, Target: l.Target, Rewritten: l.Rewritten, OldStatus: l.OldStatus, Source: l.Source, Offset: l.Offset,
		},
		Status: l.Status, Error: l.Error, Attempts: l.Attempts, Latency: time.Duration(l.LatencyMS * 1e6).Round(time.Microsecond),
		Bytes: l.Bytes, Time: l.Time, Round: l.Round,
	}
	if err := restoreOrigin(&o, l.URL); err != nil {
		return refire.Outcome{}, err
	}
	switch {
	case o.ID == accesslog.ID{}:
		return refire.Outcome{}, fmt.Errorf("%w: no id", errNotOurs)
	case !o.WellFormed():
		return refire.Outcome{}, fmt.Errorf("%w: method or target cannot stand in a request", errNotOurs)
	case o.Attempts < 1, o.Time.IsZero(), o.Status < 0, o.Status > 999, o.Round < 0, o.Round > refire.MaxRound:
		return refire.Outcome{}, fmt.Errorf("%w: a field is missing or out of range", errNotOurs)
	}
	return o, nil
}

// restoreOrigin finds the origin in url and checks that the rest is the marked target.
func restoreOrigin(o *refire.Outcome, url string) error {
	begin := strings.Index(url, "://") + len("://")
	slash := strings.IndexByte(url[min(begin, len(url)):], '/')
	if begin < len("://") || slash < 0 {
		return fmt.Errorf("%w: url is not absolute", errNotOurs)
	}
	origin, err := refire.ParseOrigin(url[:begin+slash])
	if err != nil {
		return fmt.Errorf("%w: url %w", errNotOurs, err)
	}
	o.Origin = origin
	if o.URL() != url {
		return fmt.Errorf("%w: url is not the marked target", errNotOurs)
	}
	return nil
}
