package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// fieldsOf are the names of an event's fields, and those of them that may be absent.
func fieldsOf(event any) (names, optional []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeOf(event)) {
		tag, ok := f.Tag.Lookup("json")
		if !ok {
			continue // head
		}
		name, options, _ := strings.Cut(tag, ",")
		names = append(names, name)
		if options == "omitempty" {
			optional = append(optional, name)
		}
	}
	return names, optional
}

var (
	documentedField = regexp.MustCompile("`([a-z_]+)`(\\*?)")
	commonFields    = []string{"v", "event", "time"}
)

// TestEvents_documented: docs/events.md names the fields that there are, no others, and says which may be absent; its examples are such events.
func TestEvents_documented(t *testing.T) {
	page, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	events := map[string]any{"start": startEvent{}, "progress": progressEvent{}, "end": endEvent{}}
	for name, event := range events {
		names, optional := fieldsOf(event)
		_, section, found := strings.Cut(string(page), "\n### "+name+"\n")
		if !found {
			t.Fatalf("no section %s", name)
		}
		section, _, _ = strings.Cut(section, "\n### ")
		told := slices.Clone(commonFields)
		var toldOptional []string
		for line := range strings.Lines(section) {
			cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
			if !strings.HasPrefix(line, "| `") {
				continue
			}
			for _, m := range documentedField.FindAllStringSubmatch(cell, -1) {
				told = append(told, m[1])
				if m[2] != "" {
					toldOptional = append(toldOptional, m[1])
				}
			}
		}
		if slices.Sort(told); !slices.Equal(told, slices.Sorted(slices.Values(names))) {
			t.Errorf("%s: the page has %v, the program %v", name, told, names)
		}
		if slices.Sort(toldOptional); !slices.Equal(toldOptional, slices.Sorted(slices.Values(optional))) {
			t.Errorf("%s: may be absent: by the page %v, by the program %v", name, toldOptional, optional)
		}
	}
	checkStream(t, examplesIn(string(page)))
}

// examplesIn are the lines of a page that are events.
func examplesIn(page string) string {
	var b strings.Builder
	for line := range strings.Lines(page) {
		if text, ok := strings.CutPrefix(line, `    {`); ok {
			b.WriteString("{" + text)
		}
	}
	return b.String()
}

// checkStream checks that text is a stream of events, in order, with all their fields.
func checkStream(t *testing.T, text string) (last endEvent, progress int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, l := range lines {
		var h head
		if err := json.Unmarshal([]byte(l), &h); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		var event any
		switch {
		case i == 0 && h.Event == "start":
			event = &startEvent{}
		case i == len(lines)-1 && h.Event == "end":
			event = &last
		case h.Event == "progress":
			event = &progressEvent{}
			progress++
		default:
			t.Fatalf("event %d of %d is %q", i, len(lines), h.Event)
		}
		dec := json.NewDecoder(strings.NewReader(l))
		dec.DisallowUnknownFields()
		if err := dec.Decode(event); err != nil || h.V != eventVersion || h.Time.IsZero() {
			t.Errorf("%s: %v", l, err)
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(l), &fields); err != nil {
			t.Fatal(err)
		}
		names, optional := fieldsOf(reflect.ValueOf(event).Elem().Interface())
		for _, name := range names {
			if _, ok := fields[name]; !ok && !slices.Contains(optional, name) {
				t.Errorf("%s: no %s", l, name)
			}
		}
	}
	return last, progress
}

// TestEvents_run: a real run's events are such a stream, and its end says what the retry log says.
func TestEvents_run(t *testing.T) {
	dir := t.TempDir()
	s := newCounter(nil)
	defer s.Close()
	log := filepath.Join(dir, "access.log")
	writeLines(t, log, "GET /a", "GET /fail/1", "GET /gone", "GET http://other.test/", "POST /x", "GET /b", "-", "half a line")
	out, events := filepath.Join(dir, "retry.log"), filepath.Join(dir, "events")
	code := run([]string{"run", "--base", s.URL, "--out", out, "--json=" + events, "--quiet", log}, quietStdio(t))
	text, err := os.ReadFile(events)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := checkStream(t, string(text))
	if code != exitStillFails || end.ExitCode != code || end.Fired != 4 || end.Settled != 4 || end.Recovered != 2 || end.Failing != 2 ||
		end.ByStatus[503] != 1 || end.ByStatus[404] != 1 || end.Refused != 1 || end.Skipped != 1 || end.NoRequest != 1 || end.BadLines != 1 || end.Hint == "" {
		t.Errorf("code %d: %s", code, text)
	}
}

// TestEvents_progress: once a second is enough, whoever else wants to know more often.
func TestEvents_progress(t *testing.T) {
	var b bytes.Buffer
	e := &events{w: &b, enc: json.NewEncoder(&b)}
	for ms := 200; ms <= 5000; ms += 200 {
		e.progress(refire.Progress{Elapsed: time.Duration(ms) * time.Millisecond, Done: ms})
	}
	if n := strings.Count(b.String(), "\n"); n != 5 {
		t.Errorf("%d events in 5 s:\n%s", n, b.String())
	}
}

// TestEvents_held: which places are left alone, and why.
func TestEvents_held(t *testing.T) {
	var b bytes.Buffer
	e := &events{w: &b, enc: json.NewEncoder(&b)}
	place := refire.Origin{Scheme: "http", Host: "shop.test", Port: 80}
	e.progress(refire.Progress{Elapsed: time.Second, Held: []refire.Held{{Place: place, Breaker: true, Wait: 1500 * time.Millisecond, GivesUp: 4 * time.Second}, {Place: place}}})
	want := `"held":[{"place":"http://shop.test","why":"failing","wait_s":1.5,"gives_up_s":4},{"place":"http://shop.test","why":"retry-after","wait_s":0}]`
	if !strings.Contains(b.String(), want) {
		t.Errorf("%s, want %s", b.String(), want)
	}
}

// TestEvents_reader: a reader who goes away ends nothing, and is told of once.
func TestEvents_reader(t *testing.T) {
	var words strings.Builder
	c := &console{w: &words, width: func() int { return 80 }}
	e := &events{c: c, close: func() error { return nil }}
	e.enc = json.NewEncoder(failing{})
	e.progress(refire.Progress{Elapsed: time.Second})
	e.progress(refire.Progress{Elapsed: 2 * time.Second})
	e.finish(nil)
	if got := words.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "cannot write --json any more") {
		t.Errorf("%q", got)
	}
	var none *events
	none.progress(refire.Progress{})
	none.finish(nil)
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("gone") }

// writeLines writes an access log: each is the request of an entry with a 503, or a line as it is.
func writeLines(t *testing.T, name string, requests ...string) {
	t.Helper()
	var b strings.Builder
	for _, r := range requests {
		switch {
		case strings.Contains(r, "/"):
			r += " HTTP/1.1"
			fallthrough
		case r == "-":
			b.WriteString(`192.0.2.1 - - [12/Mar/2026:14:02:07 +0000] "` + r + `" 503 0 "-" "test"` + "\n")
		default:
			b.WriteString(r + "\n")
		}
	}
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// quietStdio has no input, and keeps nothing.
func quietStdio(t *testing.T) stdio {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { null.Close() })
	return stdio{null, null, null}
}
