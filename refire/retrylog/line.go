package retrylog

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/internal/plainjson"
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
	Logged    time.Time    `json:"logged,omitzero"` // with the log's zone
	Rewritten bool         `json:"rewritten,omitempty"`
	Unsent    bool         `json:"unsent,omitempty"`
	Target    string       `json:"target"` // as it was sent
	ID        accesslog.ID `json:"id"`
	Round     int          `json:"round,omitempty"`
}

// beginning is how every line begins.
const beginning = `{"url":"http`

// Encoder writes outcomes as lines. The zero value is ready; it is for one goroutine at a time.
//
// It writes what encoding/json does of a line (a test compares them), without reflection: a run does this for each request.
type Encoder struct {
	buf bytes.Buffer // for what is not plain
	enc *json.Encoder
}

// Append appends o's line, newline included, to dst.
func (e *Encoder) Append(dst []byte, o *refire.Outcome) ([]byte, error) {
	at, err := o.Time.UTC().Truncate(time.Millisecond).AppendText(make([]byte, 0, len(time.RFC3339Nano)))
	if err != nil {
		return dst, fmt.Errorf("retrylog: %w", err)
	}
	b := e.appendText(append(dst, `{"url":`...), o.URL())
	b = e.appendText(append(b, `,"method":`...), o.Method)
	b = strconv.AppendInt(append(b, `,"old_status":`...), int64(o.OldStatus), 10)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(o.Status), 10)
	if o.Error != "" {
		b = e.appendText(append(b, `,"error":`...), o.Error)
	}
	b = strconv.AppendInt(append(b, `,"attempts":`...), int64(o.Attempts), 10)
	b = strconv.AppendFloat(append(b, `,"latency_ms":`...), math.Round(float64(o.Latency)/1e3)/1e3, 'f', -1, 64)
	b = strconv.AppendInt(append(b, `,"bytes":`...), o.Bytes, 10)
	b = e.appendText(append(b, `,"source":`...), o.Source)
	b = strconv.AppendInt(append(b, `,"offset":`...), o.Offset, 10)
	b = append(append(append(b, `,"time":"`...), at...), '"')
	b = appendLogged(b, o.Logged)
	if o.Rewritten {
		b = append(b, `,"rewritten":true`...)
	}
	if o.Unsent {
		b = append(b, `,"unsent":true`...)
	}
	b = e.appendText(append(b, `,"target":`...), o.Target)
	b = append(hex.AppendEncode(append(b, `,"id":"`...), o.ID[:]), '"')
	if o.Round != 0 {
		b = strconv.AppendInt(append(b, `,"round":`...), int64(o.Round), 10)
	}
	return append(b, '}', '\n'), nil
}

// appendLogged appends the field, if there is such a time and it can be written: it is for people, and no reason to lose an outcome.
func appendLogged(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	if b, err := t.AppendText(append(dst, `,"logged":"`...)); err == nil {
		return append(b, '"')
	}
	return dst
}

// appendText appends text in quotes. What is not plain ASCII is left to encoding/json.
func (e *Encoder) appendText(dst []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7F || c == '"' || c == '\\' {
			return e.appendOdd(dst, text)
		}
	}
	return append(append(append(dst, '"'), text...), '"')
}

func (e *Encoder) appendOdd(dst []byte, text string) []byte {
	if e.enc == nil {
		e.enc = json.NewEncoder(&e.buf)
		e.enc.SetEscapeHTML(false) // an "&" in a URL stays one that grep finds
	}
	e.buf.Reset()
	_ = e.enc.Encode(text) // a string in memory: nothing can fail
	return plainjson.Append(dst, bytes.TrimSuffix(e.buf.Bytes(), []byte("\n")))
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
			Logged: l.Logged,
		},
		Status: l.Status, Error: l.Error, Attempts: l.Attempts, Latency: time.Duration(l.LatencyMS * 1e6).Round(time.Microsecond),
		Bytes: l.Bytes, Time: l.Time, Round: l.Round, Unsent: l.Unsent,
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
