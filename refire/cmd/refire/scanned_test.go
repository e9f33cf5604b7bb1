package main

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// TestOutage_when: the first, the last and the fullest minute, in the zone of the first, whatever the order of the entries.
func TestOutage_when(t *testing.T) {
	for want, times := range map[string][]string{
		"":                             {""},
		"at 2026-03-12 14:02:07 +0100": {"2026-03-12T14:02:07+01:00", "", "2026-03-12T13:02:07Z"},
		"from 2026-03-12 14:02:07 to 14:03:01 +0100":                                                      {"2026-03-12T13:03:01Z", "2026-03-12T14:02:07+01:00"},
		"from 2026-03-12 14:02:07 to 16:00:01 +0100, most at 14:03 (2 in a minute)":                       {"2026-03-12T14:02:07+01:00", "2026-03-12T14:03:01+01:00", "2026-03-12T13:03:59Z", "2026-03-12T16:00:01+01:00"},
		"from 2026-03-12 23:59:58 to 2026-03-13 00:00:01 +0530, most at 2026-03-13 00:00 (2 in a minute)": {"2026-03-13T00:00:01+05:30", "2026-03-12T23:59:58+05:30", "2026-03-13T00:00:00+05:30"},
	} {
		var o outage
		for _, text := range times {
			e := &accesslog.Entry{Method: "GET", Target: "/", Status: 503}
			if text != "" {
				var err error
				if e.Time, err = time.Parse(time.RFC3339, text); err != nil {
					t.Fatal(err)
				}
			}
			o.add(e)
		}
		if got := o.when(); got != want {
			t.Errorf("%v: %q, want %q", times, got, want)
		}
	}
}

// TestOutage_bounded: a log of many years is not counted by the minute, and still has a first and a last one.
func TestOutage_bounded(t *testing.T) {
	var o outage
	begin := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range maxMinutes + 10 {
		o.add(&accesslog.Entry{Method: "GET", Target: "/", Time: begin.Add(time.Duration(i) * 5 * time.Minute)})
	}
	if got := o.when(); o.minutes != nil || got != "from 2001-01-01 00:00:00 to 2001-12-14 06:05:00 +0000" {
		t.Errorf("%q, %d minutes", got, len(o.minutes))
	}
}

// TestScanning_screen: a terminal gets the first entries, and is told how many more there are.
func TestScanning_screen(t *testing.T) {
	var out, words strings.Builder
	s := &scanning{c: &console{w: &words}, out: bufio.NewWriter(&out), left: 2}
	for i := range 1500 {
		if err := s.print(&accesslog.Entry{Status: 503, Method: "GET", Target: "/", Source: "a\nb.log", Line: int64(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	s.out.Flush()
	s.more()
	if got, want := out.String(), "503\tGET\t/\ta\\nb.log:1\t\n503\tGET\t/\ta\\nb.log:2\t\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := words.String(); got != "... and 1,498 more; refire scan LOG | less shows all\n" {
		t.Error(got)
	}
	if isTerminal(&out) {
		t.Error("a builder is a terminal")
	}
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isTerminal(f) {
		t.Error("a file is a terminal")
	}
}
