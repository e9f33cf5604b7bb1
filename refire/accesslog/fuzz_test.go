package accesslog_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

const fuzzMaxLine = 300

// FuzzParse scans a log in every way the package knows, with buffers of a few bytes, and compares all of it with the reference.
func FuzzParse(f *testing.F) {
	for _, line := range wellFormed {
		f.Add([]byte(line.line+"\n"), uint8(7))
	}
	for _, line := range malformed {
		f.Add([]byte(line.line+"\r\n\n"+wellFormed[0].line), uint8(1))
	}
	long := bytes.Repeat([]byte("x"), fuzzMaxLine)
	f.Add(append(append(long, '\n', 'x', '\n'), long...), uint8(64))
	f.Add(append(append(long, "x\n"...), append(long, 'x')...), uint8(33))
	f.Fuzz(func(t *testing.T, log []byte, step uint8) {
		opts := accesslog.Options{Source: "log", Format: accesslog.Extended, Status: everyStatus, MaxLineBytes: fuzzMaxLine, Workers: 2}
		want, wantStats := reference(log, "log", everyStatus)
		streams := map[string]*accesslog.Scanner{
			"stream":       accesslog.NewScanner(bytes.NewReader(log), opts),
			"small reads":  accesslog.NewScanner(bytes.NewReader(log), opts).Tune(1+int(step), 1, 1),
			"single bytes": accesslog.NewScanner(iotest.OneByteReader(bytes.NewReader(log)), opts),
			"file":         accesslog.NewReaderAtScanner(bytes.NewReader(log), int64(len(log)), opts),
			"segments": accesslog.NewReaderAtScanner(bytes.NewReader(log), int64(len(log)), opts).
				Tune(1+int(step)/3, 1+int64(step), 1),
		}
		for name, s := range streams {
			got := collect(t, s)
			compare(t, name, got, want)
			if stats := s.Stats(); stats != wantStats {
				t.Fatalf("%s: stats\n got %+v\nwant %+v", name, counts(stats), counts(wantStats))
			}
		}
		none := opts
		none.Status = mustSet(t, "999")
		s := accesslog.NewScanner(bytes.NewReader(log), none)
		collect(t, s)
		stats := s.Stats()
		wantStats.Selected, wantStats.SelectedNoRequest = stats.Selected, stats.SelectedNoRequest
		if stats != wantStats {
			t.Fatalf("the status selection changes the counts:\n got %+v\nwant %+v", counts(stats), counts(wantStats))
		}
	})
}

var everyStatus = func() accesslog.StatusSet {
	set, err := accesslog.ParseStatusSet("000-999")
	if err != nil {
		panic(err)
	}
	return set
}()

// outcome is what a scan yields for a line.
type outcome struct {
	entry accesslog.Entry
	bad   accesslog.BadLine
	raw   string
	isBad bool
}

// collect scans to the end; an error that is no bad line fails the test.
func collect(t *testing.T, s *accesslog.Scanner) []outcome {
	t.Helper()
	var all []outcome
	for entry, err := range s.All(context.Background()) {
		var bad *accesslog.BadLine
		switch {
		case errors.As(err, &bad):
			o := outcome{isBad: true, bad: *bad, raw: string(bad.Raw)}
			o.bad.Raw = nil
			all = append(all, o)
		case err != nil:
			t.Fatalf("All: %v", err)
		default:
			all = append(all, outcome{entry: entry})
		}
	}
	return all
}

// compare checks entries and bad lines, and that no ID appears twice.
func compare(t *testing.T, name string, got, want []outcome) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d outcomes, want %d", name, len(got), len(want))
	}
	ids := map[accesslog.ID]bool{}
	for i := range got {
		g, w := got[i], want[i]
		if !g.isBad {
			if ids[g.entry.ID] || g.entry.ID == (accesslog.ID{}) {
				t.Fatalf("%s: entry %d: ID %v appears twice, or is zero", name, i, g.entry.ID)
			}
			ids[g.entry.ID] = true
		}
		for _, e := range []*accesslog.Entry{&g.entry, &w.entry} { // what the reference does not know
			e.ID, e.Time, e.Host = accesslog.ID{}, time.Time{}, ""
		}
		if g.isBad != w.isBad || g.entry != w.entry || g.raw != w.raw {
			t.Fatalf("%s: outcome %d\n got %+v\nwant %+v", name, i, g, w)
		}
		gb, wb := g.bad, w.bad
		if gb.Source != wb.Source || gb.Offset != wb.Offset || gb.Line != wb.Line || gb.Length != wb.Length || gb.Reason != wb.Reason {
			t.Fatalf("%s: bad line %d\n got %+v\nwant %+v", name, i, gb, wb)
		}
	}
}

// reference scans with the naive parser.
func reference(log []byte, source string, selected accesslog.StatusSet) (all []outcome, stats accesslog.Stats) {
	lines, offsets := naiveLines(log)
	for i, line := range lines {
		stats.Lines++
		stats.Bytes += int64(len(line))
		raw, terminated := bytes.CutSuffix(line, []byte("\n"))
		if !terminated {
			stats.Unterminated++
		}
		var e naiveEntry
		if len(raw) > fuzzMaxLine {
			e = naiveEntry{kind: "bad", reason: accesslog.TooLong}
			stats.TooLong++
		} else {
			e = naiveParse(raw)
			raw = bytes.TrimSuffix(raw, []byte("\r"))
		}
		switch e.kind {
		case "empty":
			stats.Empty++
			continue
		case "bad":
			if e.reason != accesslog.TooLong {
				stats.Malformed++
			}
			all = append(all, outcome{isBad: true, raw: string(raw[:min(len(raw), fuzzMaxLine)]), bad: accesslog.BadLine{
				Source: source, Offset: offsets[i], Line: int64(i + 1), Length: int64(len(raw)), Reason: e.reason,
			}})
			continue
		}
		chosen := selected.Contains(e.status)
		stats.ByStatus[e.status]++
		count(e.kind == "entry", &stats.Entries, &stats.NoRequest)
		if chosen {
			count(e.kind == "entry", &stats.Selected, &stats.SelectedNoRequest)
			all = append(all, outcome{entry: accesslog.Entry{
				Method: e.method, Target: e.target, Proto: e.proto, Status: e.status,
				Source: source, Offset: offsets[i], Line: int64(i + 1), NoRequest: e.kind == "norequest",
			}})
		}
	}
	return all, stats
}

func count(which bool, yes, no *int64) {
	if which {
		*yes++
	} else {
		*no++
	}
}

// counts is Stats without the table, to be printed.
func counts(s accesslog.Stats) any {
	return struct{ Bytes, Lines, Entries, NoRequest, Malformed, TooLong, Empty, Selected, SelectedNoRequest, Unterminated int64 }{
		s.Bytes, s.Lines, s.Entries, s.NoRequest, s.Malformed, s.TooLong, s.Empty, s.Selected, s.SelectedNoRequest, s.Unterminated,
	}
}

func mustSet(t testing.TB, text string) accesslog.StatusSet {
	t.Helper()
	set, err := accesslog.ParseStatusSet(text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}
