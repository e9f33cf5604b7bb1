package retrylog_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

func outcome(n byte) refire.Outcome {
	return refire.Outcome{
		Request: refire.Request{
			ID: accesslog.ID{n, 1}, Method: "GET", Origin: refire.Origin{Scheme: "http", Host: "base.test", Port: 8080}, Target: "/a?b=<1>&c",
			OldStatus: 503, Source: "access.log", Offset: int64(n) * 100,
		},
		Status: 200, Attempts: 1, Latency: 1234 * time.Microsecond, Bytes: 56, Time: time.Date(2026, 3, 12, 14, 2, 3, 456e6, time.UTC),
	}
}

func encode(t testing.TB, outcomes ...refire.Outcome) string {
	t.Helper()
	var enc retrylog.Encoder
	var text []byte
	for i := range outcomes {
		var err error
		if text, err = enc.Append(text, &outcomes[i]); err != nil {
			t.Fatal(err)
		}
	}
	return string(text)
}

// TestLine holds the form that others read.
func TestLine(t *testing.T) {
	const want = `{"url":"http://base.test:8080/a?b=<1>&c&retry=True","method":"GET","old_status":503,"status":200,"attempts":1,"latency_ms":1.234,"bytes":56,` +
		`"source":"access.log","offset":700,"time":"2026-03-12T14:02:03.456Z","target":"/a?b=<1>&c","id":"07010000000000000000000000000000"}` + "\n"
	if got := encode(t, outcome(7)); got != want {
		t.Errorf("wrote\n%swant\n%s", got, want)
	}
	o := outcome(7)
	o.Status, o.Error, o.Rewritten, o.Round = 0, "timeout: \"x\"\n", true, 2
	o.Logged = time.Date(2026, 3, 12, 15, 0, 0, 0, time.FixedZone("", 3600))
	var fields map[string]any
	if err := json.Unmarshal([]byte(encode(t, o)), &fields); err != nil {
		t.Fatal(err)
	}
	if fields["status"] != 0.0 || fields["error"] != o.Error || fields["rewritten"] != true || fields["round"] != 2.0 ||
		fields["logged"] != "2026-03-12T15:00:00+01:00" {
		t.Errorf("%v", fields)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := encode(t, outcome(7))
	for name, text := range map[string]string{
		"nothing":                  "",
		"no JSON":                  "GET /x",
		"an array":                 "[]",
		"another object":           `{"a":1}`,
		"two objects":              good + good,
		"half":                     good[:len(good)/2],
		"no id":                    strings.Replace(good, `"id":"07010`, `"id":"00000`, 1),
		"a short id":               strings.Replace(good, `"id":"07010`, `"id":"0701`, 1),
		"an unmarked url":          strings.Replace(good, `&retry=True`, ``, 1),
		"another target":           strings.Replace(good, `"target":"/a`, `"target":"/b`, 1),
		"a relative url":           strings.Replace(good, `"url":"http://base.test:8080`, `"url":"`, 1),
		"an odd origin":            strings.Replace(good, `"url":"http://base`, `"url":"http://u@base`, 1),
		"no attempts":              strings.Replace(good, `"attempts":1`, `"attempts":0`, 1),
		"a status that is none":    strings.Replace(good, `"status":200`, `"status":1000`, 1),
		"no time":                  strings.Replace(good, `"time":"2026-03-12T14:02:03.456Z",`, ``, 1),
		"a target with a space":    strings.NewReplacer(`:8080/a`, `:8080/a HTTP/1.1 X`, `"target":"/a`, `"target":"/a HTTP/1.1 X`).Replace(good),
		"a method with a newline":  strings.Replace(good, `"method":"`, `"method":"A\r\n`, 1),
		"a method that tunnels":    strings.Replace(good, `"method":"GET"`, `"method":"CONNECT"`, 1),
		"an offset that is no int": strings.Replace(good, `"offset":700`, `"offset":"700"`, 1),
	} {
		if o, err := retrylog.Decode([]byte(text)); err == nil {
			t.Errorf("%s: taken as %+v", name, o)
		}
	}
	later := strings.Replace(good, `"attempts":1`, `"attempts":1,"a_later_version":{"has":["more"]}`, 1)
	if _, err := retrylog.Decode([]byte(later)); err != nil {
		t.Errorf("a field of a later version: %v", err)
	}
}

// FuzzRoundTrip: what is written is read back.
func FuzzRoundTrip(f *testing.F) {
	f.Add("GET", "/", "access.log", "", int64(0), 503, 200, 1, int64(5), false)
	f.Add("POST", "//x?retry=True#y", "a\x00b", "reset: \x1b", int64(1<<40), 999, 0, 3, int64(7e9), true)
	f.Fuzz(func(t *testing.T, method, target, source, trouble string, offset int64, old, status, attempts int, latency int64, rewritten bool) {
		line, _ := refire.Wire("/" + target)
		o := outcome(1)
		o.Method, o.Target = method, line
		if !o.WellFormed() || attempts < 1 || status < 0 || status > 999 || latency < 0 {
			t.Skip()
		}
		o.Source, o.Error = strings.ToValidUTF8(source, "?"), strings.ToValidUTF8(trouble, "?")
		o.Offset, o.OldStatus, o.Status, o.Attempts, o.Rewritten = offset, old, status, attempts, rewritten
		o.Logged = time.Unix(latency, 0).UTC()
		o.Latency = time.Duration(latency % int64(time.Hour)).Round(time.Microsecond)
		text := encode(t, o)
		if strings.Count(text, "\n") != 1 || text[len(text)-1] != '\n' {
			t.Fatalf("not one line: %q", text)
		}
		if o.Logged.Year() > 9999 || o.Logged.Year() < 0 {
			o.Logged = time.Time{} // left out
		}
		back, err := retrylog.Decode([]byte(text))
		if err != nil || back != o {
			t.Fatalf("%v\nwrote %+v\nread  %+v", err, o, back)
		}
	})
}

// FuzzRead: whatever a file holds, its whole lines are either all read or it is refused, and a torn end of a real log is always recognised.
func FuzzRead(f *testing.F) {
	whole := encode(f, outcome(1), outcome(2), outcome(3))
	f.Add(whole, 10, 0)
	f.Add(whole, len(whole)-1, 3)
	f.Add("{\"url\":\"http", 0, 0)
	f.Add("some other file\n", 5, 0)
	f.Fuzz(func(t *testing.T, text string, cut, zeros int) {
		var read []refire.Outcome
		ext, err := retrylog.Read(strings.NewReader(text), func(o *refire.Outcome) error { read = append(read, *o); return nil })
		if err == nil {
			if ext.Bytes+ext.Torn != int64(len(text)) || int(ext.Lines) != len(read) {
				t.Fatalf("%+v, %d outcomes of %d bytes", ext, len(read), len(text))
			}
		}
		cut = min(max(cut, 0), len(whole))
		tail := whole[:cut] + strings.Repeat("\x00", min(max(zeros, 0), 100))
		lines := strings.Count(whole[:cut], "\n")
		n := 0
		ext, err = retrylog.Read(strings.NewReader(tail), func(*refire.Outcome) error { n++; return nil })
		if cut == 0 && tail != "" { // zeros are nobody's
			if err == nil {
				t.Fatal("zeros are taken for a torn line")
			}
			return
		}
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if n != lines && !(n == lines+1 && ext.Unends) {
			t.Fatalf("cut at %d: %d lines of %d, %+v", cut, n, lines, ext)
		}
	})
}

func TestReadRefusesForeignFiles(t *testing.T) {
	good := encode(t, outcome(1))
	for name, text := range map[string]string{
		"words":                            "dear diary",
		"words and a newline":              "dear diary\n",
		"an access log":                    `192.0.2.1 - - [12/Mar/2026:14:02:07 +0000] "GET / HTTP/1.1" 200 5` + "\n",
		"an empty line":                    "\n",
		"one of ours, then another":        good + "dear diary\n",
		"one of ours, then words":          good + "dear diary",
		"somebody else's JSON":             `{"url":"http://x/","a":1}`,
		"somebody else's JSON, then ours":  `{"url":"http://x/","a":1}` + "\n" + good,
		"a whole line that is torn inside": good[:40] + "\n",
		"zeros":                            strings.Repeat("\x00", 5000),
		"half of somebody else's JSON":     `{"url":"http://bookmark.example/", "title":"my half bookm`,
	} {
		_, err := retrylog.Read(strings.NewReader(text), func(*refire.Outcome) error { return nil })
		if _, foreign := err.(*retrylog.NotOursError); !foreign {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := retrylog.Read(strings.NewReader(`{"url":"http`+strings.Repeat("x", 66<<20)), nil); err == nil {
		t.Error("a line without end is taken for a torn one")
	}
}

func TestFailedYieldsWhatFailed(t *testing.T) {
	a, b, c := outcome(1), outcome(2), outcome(3)
	b.Status, c.Status, c.Error, c.Method = 500, 0, "refused: x", "HEAD"
	var got []byte
	source := retrylog.Failed(strings.NewReader(encode(t, a, b, c)))
	err := source(t.Context(), func(r refire.Request, _ int64) error {
		if !r.Again {
			t.Errorf("%+v", r)
		}
		got = append(got, r.ID[0])
		return nil
	})
	if err != nil || !slices.Equal(got, []byte{2, 3}) {
		t.Errorf("%v, %v", got, err)
	}
}
