package accesslog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// fail returns a line of a failed request for /n.
func fail(n int) string { return fmt.Sprintf(prefix+`"GET /%d HTTP/1.1" 500 1`, n) }

// fails returns n such lines, with newlines.
func fails(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(fail(i) + "\n")
	}
	return b.String()
}

func scan(t *testing.T, log string, opts accesslog.Options) ([]outcome, accesslog.Stats) {
	t.Helper()
	s := accesslog.NewScanner(strings.NewReader(log), opts)
	all := collect(t, s)
	return all, s.Stats()
}

func TestSelection(t *testing.T) {
	log := strings.Join([]string{
		fail(0), prefix + `"GET /ok HTTP/1.1" 200 1`, "", "garbage", prefix + `"-" 408 0`, prefix + `"-" 500 0`, prefix + `"GET /502 HTTP/1.1" 502 1`,
	}, "\r\n")
	all, stats := scan(t, log, accesslog.Options{Source: "s"})
	want := accesslog.Stats{
		Bytes: int64(len(log)), Lines: 7, Entries: 3, NoRequest: 2, Malformed: 1, Empty: 1, Selected: 2, SelectedNoRequest: 1, Unterminated: 1,
	}
	want.ByStatus[200], want.ByStatus[408], want.ByStatus[500], want.ByStatus[502] = 1, 1, 2, 1
	if stats != want {
		t.Errorf("stats\n got %+v\nwant %+v", counts(stats), counts(want))
	}
	var lines []int64
	for _, o := range all {
		lines = append(lines, o.entry.Line+o.bad.Line)
	}
	if fmt.Sprint(lines) != "[1 4 6 7]" {
		t.Errorf("delivered lines %v", lines)
	}
	if last := all[len(all)-1].entry; last.Target != "/502" || log[last.Offset:] != prefix+`"GET /502 HTTP/1.1" 502 1` {
		t.Errorf("last entry %+v", last)
	}
}

func TestStatsAdd(t *testing.T) {
	one, two := fails(3)+"\nx\n"+prefix+`"-" 500 1`, strings.Repeat("y", 200)+"\n"+fail(1)
	opts := accesslog.Options{MaxLineBytes: 150}
	_, sum := scan(t, one, opts)
	_, stats := scan(t, two, opts)
	sum.Add(&stats)
	_, want := scan(t, one+"\n"+two, opts)
	want.Bytes--
	want.Unterminated++
	if sum != want {
		t.Errorf("sum\n got %+v\nwant %+v", counts(sum), counts(want))
	}
}

func TestID(t *testing.T) {
	id := func(log string, i int) accesslog.ID {
		all, _ := scan(t, log, accesslog.Options{})
		return all[i].entry.ID
	}
	log := fails(3)
	if got := id(log, 2).String(); got != "46255f44a16cbee3e259ce7b7366e7a3" {
		t.Errorf("the ID of a fixed line is %s: journals written before would not match", got)
	}
	if id(log+fail(3)+"\n", 2) != id(log, 2) {
		t.Error("an ID changed because the file grew")
	}
	if id(strings.TrimSuffix(log, "\n"), 2) != id(log, 2) {
		t.Error("an ID changed because the newline of a complete line came later")
	}
	if id(log+fail(3)[:len(fail(3))-2], 3) == id(log+fail(3), 3) {
		t.Error("a line that was cut has the ID of the whole line")
	}
	if id(fail(9)+"\n"+log, 2) == id(log, 2) || id("x"+log[1:], 2) == id(log, 2) {
		t.Error("entries of different streams have the same ID")
	}
	if first := strings.Repeat("x", accesslog.MaxKeyBytes); id(first+"a\n"+log, 3) != id(first+"b\n"+log, 3) {
		t.Error("more of the first line than MaxKeyBytes goes into the ID")
	}
	var back accesslog.ID
	if err := back.UnmarshalText([]byte(id(log, 1).String())); err != nil || back != id(log, 1) {
		t.Errorf("the text of an ID reads back as %v, %v", back, err)
	}
	for _, text := range []string{"", "54c50f", strings.Repeat("g", 32)} {
		if back.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q reads as an ID", text)
		}
	}
}

// TestLongLine: a line beyond the limit is reported, costs no memory and loses nobody else.
func TestLongLine(t *testing.T) {
	const limit, length = 1000, 64 << 20
	log := io.MultiReader(strings.NewReader(fail(1)+"\n"), io.LimitReader(zeros{}, length), strings.NewReader("\n"+fail(2)+"\n"))
	s := accesslog.NewScanner(log, accesslog.Options{MaxLineBytes: limit})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	all := collect(t, s)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("a line of %d bytes took %d bytes of memory", length, used)
	}
	if len(all) != 3 || all[0].entry.Target != "/1" || all[2].entry.Target != "/2" || all[2].entry.Line != 3 {
		t.Fatalf("outcomes: %+v", all)
	}
	bad := all[1].bad
	if bad.Reason != accesslog.TooLong || bad.Length != length || bad.Offset != int64(len(fail(1))+1) || len(all[1].raw) != accesslog.MaxRawBytes {
		t.Errorf("bad line: %+v", bad)
	}
	for _, over := range []int{0, 1} {
		all, stats := scan(t, fail(1)+"\n"+fail(2), accesslog.Options{MaxLineBytes: len(fail(1)) - over})
		if stats.TooLong != int64(2*over) || len(all) != 2 {
			t.Errorf("lines %d over the limit: %+v", over, counts(stats))
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestReadErrors(t *testing.T) {
	broken := errors.New("broken disk")
	for _, size := range []int{1, 1 << 20} { // within and behind the first bytes
		log := strings.Repeat(fail(1)+"\n", 1+size/len(fail(1)))
		s := accesslog.NewScanner(io.MultiReader(strings.NewReader(log+"half a li"), iotest.ErrReader(broken)), accesslog.Options{Source: "a.log"})
		var entries int64
		var last error
		for _, err := range s.All(t.Context()) {
			if last = err; err == nil {
				entries++
			}
		}
		if want := fmt.Sprintf("accesslog: a.log: reading at byte %d: broken disk", len(log)+len("half a li")); !errors.Is(last, broken) || last.Error() != want {
			t.Errorf("error %q, want %q", last, want)
		}
		if stats := s.Stats(); stats.Bytes != int64(len(log)) || stats.Lines != entries || stats.Malformed != 0 {
			t.Errorf("%d entries, %+v", entries, counts(stats))
		}
	}
	s := accesslog.NewScanner(iotest.ErrReader(nil), accesslog.Options{})
	for _, err := range s.All(t.Context()) {
		if !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("a reader that never reads: %v", err)
		}
	}
}

func TestContextEnds(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	s := accesslog.NewScanner(io.MultiReader(strings.NewReader(fails(2)), zeros{}), accesslog.Options{})
	var entries int
	var last error
	for _, err := range s.All(ctx) {
		if last = err; err == nil {
			entries++
			cancel(cause)
		}
	}
	if entries != 2 || !errors.Is(last, context.Canceled) || !errors.Is(last, cause) {
		t.Errorf("%d entries, then %v", entries, last)
	}
}

func TestLeavingEarlyAndTwice(t *testing.T) {
	s := accesslog.NewScanner(strings.NewReader(fails(5)), accesslog.Options{})
	for range s.All(t.Context()) {
		break
	}
	for _, err := range s.All(t.Context()) {
		if !errors.Is(err, accesslog.ErrUsed) {
			t.Errorf("second All: %v", err)
		}
	}
}

// TestLiveStream: what has arrived on a pipe is delivered before the next read.
func TestLiveStream(t *testing.T) {
	r, w := io.Pipe()
	delivered := make(chan string)
	go func() {
		defer close(delivered)
		for e := range accesslog.NewScanner(r, accesslog.Options{}).All(context.Background()) {
			delivered <- e.Target
		}
	}()
	for i := range 3 {
		fmt.Fprintln(w, fail(i))
		if got := <-delivered; got != fmt.Sprintf("/%d", i) {
			t.Errorf("delivered %q", got)
		}
	}
	w.Close()
	if got, more := <-delivered; more {
		t.Errorf("delivered %q after the end", got)
	}
}

func TestBadLineWords(t *testing.T) {
	s := accesslog.NewScanner(strings.NewReader("ok\n\x1b[31m\"ü\n"), accesslog.Options{Source: "x.log"})
	var got bytes.Buffer
	for _, err := range s.All(t.Context()) {
		var bad *accesslog.BadLine
		if errors.As(err, &bad) {
			fmt.Fprintln(&got, bad, bad.Quoted())
		}
	}
	const want = `accesslog: x.log: line 1 (byte 0, 2 bytes long): no [time] followed by a "request" "ok"
accesslog: x.log: line 2 (byte 3, 8 bytes long): no [time] followed by a "request" "\x1b[31m\"\u00fc"
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", &got, want)
	}
	long := accesslog.BadLine{Length: 3, Raw: []byte("ab")}
	if long.Quoted() != `"ab"...` {
		t.Errorf("a cut line is quoted as %s", long.Quoted())
	}
}

// TestTag: the entries whose lines hold the tag are told, in whichever format and place.
func TestTag(t *testing.T) {
	log := `192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] "GET /a HTTP/1.1" 503 0 "-" "me/1-tag"
192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] "GET /b HTTP/1.1" 503 0 "-" "me/1"
{"time":"2026-03-12T14:02:00Z","method":"GET","path":"/c","status":503,"agent":"(me/1-tag)"}
{"time":"2026-03-12T14:02:00Z","method":"GET","path":"/d","status":503,"agent":""}
`
	for tag, want := range map[string]string{"me/1-tag": "/a /c ", "": "", "nobody": ""} {
		got := ""
		for e, err := range accesslog.NewScanner(strings.NewReader(log), accesslog.Options{Tag: tag}).All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Tagged {
				got += e.Target + " "
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", tag, got, want)
		}
	}
}
