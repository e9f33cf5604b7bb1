package report_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/report"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

var (
	zone   = time.FixedZone("", 3600)
	outage = time.Date(2026, 3, 12, 14, 2, 0, 0, zone)
	fired  = time.Date(2026, 3, 12, 15, 0, 0, 0, time.UTC)
)

func outcome(n int, target string, status int) refire.Outcome {
	var id accesslog.ID
	binary.BigEndian.PutUint64(id[:], uint64(n+1))
	return refire.Outcome{
		Request: refire.Request{
			ID: id, Method: "GET", Origin: refire.Origin{Scheme: "https", Host: "shop.test", Port: 443}, Target: target, OldStatus: 503,
			Source: "access.log", Offset: int64(n) * 100, Logged: outage.Add(time.Duration(n) * time.Second),
		},
		Status: status, Attempts: 1, Latency: time.Duration(n+1) * time.Millisecond, Time: fired.Add(time.Duration(n) * time.Second),
	}
}

func write(t testing.TB, outcomes ...refire.Outcome) *bytes.Reader {
	t.Helper()
	var text bytes.Buffer
	if _, err := retrylog.NewWriter(&text, retrylog.JSON).Append(outcomes); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(text.Bytes())
}

func gather(t testing.TB, most int, outcomes ...refire.Outcome) *report.Report {
	t.Helper()
	r := write(t, outcomes...)
	rep, _, err := report.Gather(r, r.Size(), most)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func htmlOf(t testing.TB, rep *report.Report, notes ...report.Note) string {
	t.Helper()
	var b strings.Builder
	p := &report.Page{Report: rep, Name: "retry.log", Made: fired.Add(time.Hour), By: "refire v0", Notes: notes}
	if err := p.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGather: an entry counts once, by its last line.
func TestGather(t *testing.T) {
	down := outcome(2, "/export", 0)
	down.Error, down.Logged = "timeout: too long", time.Time{}
	again := outcome(0, "/cart?b=2", 200)
	again.Round = 1
	half := outcome(3, "/avatar", 200)
	half.Error = "cut: unexpected EOF"
	rep := gather(t, 0, outcome(0, "/cart?a=1", 503), outcome(1, "/cart?b=2", 404), down, half, again)
	if rep.Lines != 5 || rep.Total() != 4 || rep.Fates != [4]int{1, 1, 2, 0} || rep.Rounds != 1 || rep.Undated != 1 {
		t.Errorf("%+v", rep)
	}
	columns, rows := rep.Matrix.Table()
	if got, want := fmt.Sprint(columns, rows), "[503] [{200 recovered [1] 1} {404 failing [1] 1} {200, answer broke off unreachable [1] 1} {no answer in time unreachable [1] 1}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var paths []string
	for _, p := range rep.Paths {
		paths = append(paths, fmt.Sprint(p.Method, " ", p.Place+p.Path, " ", p.Count, p.Outcomes))
	}
	want := "GET https://shop.test/avatar 1 map[200, answer broke off:1]; GET https://shop.test/cart 1 map[404:1]; GET https://shop.test/export 1 map[no answer in time:1]"
	if got := strings.Join(paths, "; "); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if rep.Latency.Count != 3 || len(rep.Slowest) != 3 || rep.Slowest[0].URL != "https://shop.test/avatar" {
		t.Errorf("%d answers, slowest %+v", rep.Latency.Count, rep.Slowest)
	}
	if e := rep.Entries; len(e) != 4 || e[0].Status != 404 || e[3].Fate != report.Recovered {
		t.Errorf("%+v", e)
	}
}

// TestUnknown: what nobody knows is neither failing nor unreachable, and the page tells of it only where there is any.
func TestUnknown(t *testing.T) {
	lost := outcome(1, "/pay", 0)
	lost.Method, lost.Error = "POST", "unknown: fired, and refire was stopped before the outcome was written"
	rep := gather(t, 0, outcome(0, "/a", 200), lost)
	page := htmlOf(t, rep)
	if rep.Fates != [4]int{1, 0, 0, 1} || rep.Total() != 2 || rep.Elided != 0 || report.FateOf(&lost).String() != "unknown" {
		t.Errorf("%+v", rep)
	}
	for _, want := range []string{
		"1 of 2 fired requests have recovered", "1 was under way when refire was stopped, and nobody knows what became of it.",
		`<div class="unknown"><dt>outcome unknown</dt><dd>1</dd></div>`, `<rect class="unknown" x="1" y="0" height="10" width="1"/>`,
		`<option value="unknown">`, `<tr data-fate="unknown">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if page := htmlOf(t, gather(t, 0, outcome(0, "/a", 503))); strings.Contains(page, "outcome unknown") {
		t.Error("the page tells of unknown outcomes, and there are none")
	}
}

// TestGather_bounded: a report does not grow with the log, and says how much it leaves out.
func TestGather_bounded(t *testing.T) {
	var all []refire.Outcome
	for i := range 14_000 {
		status := 200
		if i%4 != 0 {
			status = 500 + i%40
		}
		o := outcome(i, fmt.Sprintf("/p%d/%s", i, strings.Repeat("x", 400)), status)
		o.OldStatus = 500 + i%99
		o.Source = fmt.Sprintf("log%d", i%50)
		all = append(all, o)
	}
	rep := gather(t, 100, all...)
	if len(rep.Entries) != 100 || rep.Entries[99].Fate == report.Recovered || len(rep.Paths) != report.MaxPaths || len(rep.Slowest) != report.MaxSlowest ||
		rep.Elided != 10_500-report.MaxPaths || len(rep.Sources.List) != report.MaxNames || !rep.Sources.Others {
		t.Errorf("%d entries, %d paths, %d elided, %d slowest, sources %v", len(rep.Entries), len(rep.Paths), rep.Elided, len(rep.Slowest), rep.Sources)
	}
	if s := rep.Slowest; s[0].Latency != 14*time.Second || s[9].Latency != 13_991*time.Millisecond {
		t.Errorf("slowest: %v to %v", s[0].Latency, s[9].Latency)
	}
	columns, rows := rep.Matrix.Table()
	if len(columns) != report.MaxColumns || columns[len(columns)-1] != "others" || len(rows) > report.MaxRows {
		t.Errorf("%d columns %v, %d rows", len(columns), columns, len(rows))
	}
	total := 0
	for _, row := range rows {
		total += row.Total
	}
	if total != 14_000 {
		t.Errorf("the rows are %d entries", total)
	}
	if list, n := rep.Logged.Buckets(zone); n > 96 || len(list) > n {
		t.Errorf("%d buckets", n)
	}
	page := htmlOf(t, rep)
	for _, want := range []string{"100 of 14,000 are listed", "13,900 are left out, of which 10,400 did not recover", "10,480 of them were at other paths"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if len(page) > 300_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
}

// TestGather_refuses what is no retry log.
func TestGather_refuses(t *testing.T) {
	r := strings.NewReader("192.0.2.1 - - [12/Mar/2026:14:02:07 +0000] \"GET / HTTP/1.1\" 200 512\n")
	if _, _, err := report.Gather(r, r.Size(), 0); err == nil {
		t.Error("takes an access log")
	}
}

// TestTimeline: buckets keep every entry while they become wider, whatever the order of the times.
func TestTimeline(t *testing.T) {
	for name, step := range map[string]time.Duration{"seconds": 100 * time.Millisecond, "a day": time.Minute, "ages": 5000 * time.Hour} {
		for _, from := range []time.Time{outage, time.Unix(0, 0).Add(-300 * step)} {
			var all []refire.Outcome
			for i := range 600 {
				o := outcome(i, "/", 200)
				o.Logged = from.Add(time.Duration(i*7919%600) * step)
				all = append(all, o)
			}
			rep := gather(t, 0, all...)
			list, n := rep.Logged.Buckets(time.UTC)
			count := 0
			for i, b := range list {
				count += b.Total()
				if i > 0 && (b.At <= list[i-1].At || !b.Begin.Equal(list[i-1].Begin.Add(time.Duration(b.At-list[i-1].At)*rep.Logged.Width()))) {
					t.Fatalf("%s: %+v follows %+v", name, b, list[i-1])
				}
			}
			if count != 600 || n > 96 || n < 10 || list[0].Begin.After(rep.Logged.First) || rep.Logged.First.Sub(list[0].Begin) >= rep.Logged.Width() {
				t.Errorf("%s: %d entries in %d buckets of %v from %v", name, count, n, rep.Logged.Width(), list[0].Begin)
			}
		}
	}
}

// TestLatency: quantiles are never too low, and at most 1/32 too high.
func TestLatency(t *testing.T) {
	var all []refire.Outcome
	for i := range 2000 {
		o := outcome(i, "/", 200)
		o.Latency = time.Duration(i*i) * time.Microsecond
		all = append(all, o)
	}
	rep := gather(t, 0, all...)
	for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
		i := max(int(q*2000+0.999999)-1, 0)
		exact := time.Duration(i*i) * time.Microsecond
		if got := rep.Latency.Quantile(q); got < exact || got > exact+exact/32+time.Microsecond {
			t.Errorf("%g: %v, want %v", q, got, exact)
		}
	}
	n := 0
	for _, b := range rep.Latency.Bins() {
		n += b.Count
	}
	if bins := rep.Latency.Bins(); n != 2000 || bins[0].Name != "below 1 ms" || bins[len(bins)-1].Name != "2 s to 5 s" {
		t.Errorf("%d in %+v", n, bins)
	}
}
