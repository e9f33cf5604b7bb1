package retrylog

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/internal/plainjson"
)

// FuzzEncoder: a line is, byte for byte, what encoding/json makes of it.
func FuzzEncoder(f *testing.F) {
	f.Add("GET", "/", "access.log", "", int64(0), 503, 200, int64(5), false, 0, int64(1773324123456))
	f.Add("POST", "//x?a=<1>&\"\\#y", "a\x00b\x7f\xff\u2028\u00f6", "reset: \x1b\b\f\n\r\t", int64(1<<40), -1, 0, int64(7e18), true, 3, int64(0))
	f.Add("GET", "/", "", "", int64(-1), 0, 0, int64(-1234567), false, 0, int64(-1))
	f.Add("GET", "/", "", "", int64(0), 0, 0, int64(1), false, 0, int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, method, target, source, trouble string, offset int64, old, status int, latency int64, rewritten bool, round int, ms int64) {
		o := refire.Outcome{
			Request: refire.Request{
				ID: accesslog.ID{1, 0xab, 15: 0xff}, Method: method, Origin: refire.Origin{Scheme: "http", Host: "x", Port: 80}, Target: target,
				OldStatus: old, Source: source, Offset: offset, Rewritten: rewritten,
				Logged: time.UnixMilli(ms / 2).In(time.FixedZone("", 60*(round%1440))),
			},
			Status: status, Error: trouble, Attempts: 1, Latency: time.Duration(latency), Bytes: offset, Time: time.UnixMilli(ms), Round: round,
		}
		if _, err := o.Logged.AppendText(nil); err != nil {
			o.Logged = time.Time{} // left out
		}
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		wantErr := enc.Encode(line{
			URL: o.URL(), Method: o.Method, OldStatus: o.OldStatus, Status: o.Status, Error: o.Error, Attempts: o.Attempts,
			LatencyMS: math.Round(float64(o.Latency)/1e3) / 1e3, Bytes: o.Bytes, Source: o.Source, Offset: o.Offset,
			Time: o.Time.UTC().Truncate(time.Millisecond), Rewritten: o.Rewritten, Target: o.Target, ID: o.ID, Round: o.Round, Unsent: o.Unsent,
			Logged: o.Logged,
		})
		wanted := "before" + string(plainjson.Append(nil, want.Bytes()))
		var e Encoder
		for range 2 { // the second one finds what the first left behind
			got, err := e.Append([]byte("before"), &o)
			if (err != nil) != (wantErr != nil) {
				t.Fatalf("%v, want %v", err, wantErr)
			}
			if err == nil && string(got) != wanted {
				t.Fatalf("wrote\n%swant\n%s", got, wanted)
			}
			if err != nil && string(got) != "before" {
				t.Fatalf("with an error it wrote %q", got)
			}
		}
	})
}
