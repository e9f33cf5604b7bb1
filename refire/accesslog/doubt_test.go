package accesslog_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// TestDoubt: a number that stands where the status should is none.
func TestDoubt(t *testing.T) {
	log := func(statuses ...int) string {
		var b strings.Builder
		for i := range 60 {
			fmt.Fprintf(&b, "%s\"GET / HTTP/1.1\" %d 200 1\n", prefix, statuses[i%len(statuses)])
		}
		return b.String()
	}
	for name, want := range map[string]string{
		log(200, 304, 503, 502, 499, 520, 561, 0): "",
		log(312, 318, 565, 200, 200):              "",
		log(555, 555, 503):                        "",
		log(200, 503, 301, 302, 303, 304, 305, 306, 309, 310, 312, 313, 200, 200, 200): "306, 309, 310, 312 and 313, where the status should be, are none that servers use",
		log(789):                               "789, where the status should be, is none that servers use",
		log(711, 712, 713, 714, 715, 716, 717): "711, 712, 713, 714, 715 and others, where the status should be, are none that servers use",
		log(200) + strings.ReplaceAll(log(789), "GET", "PUT")[:len(log(789))/60*5]: "",
	} {
		if got := accesslog.Detect([]byte(name)).Doubt; got != want {
			t.Errorf("%.120q: %q, want %q", name, got, want)
		}
	}
	if d := accesslog.Detect([]byte(log(789)[:len(log(789))/60*2])); d.Doubt != "" {
		t.Errorf("two lines: %v", d)
	}
}

// TestLongLinesFirst: a log is recognised though its first lines are longer than what is looked at of others.
func TestLongLinesFirst(t *testing.T) {
	line := func(pad int) string {
		return `{"method":"GET","path":"/a?b=c","status":503,"agent":"` + strings.Repeat("x", pad) + "\"}\n"
	}
	for _, log := range []string{line(70_000), line(70_000) + line(1), strings.Repeat(line(900_000), 3) + strings.Repeat(line(1), 5)} {
		lines := int64(strings.Count(log, "\n"))
		if d := accesslog.Detect([]byte(log)); d.Format != accesslog.JSON || int64(d.Matched) != lines {
			t.Errorf("detected as %v", d)
		}
		for name, s := range map[string]*accesslog.Scanner{
			"file":   accesslog.NewReaderAtScanner(strings.NewReader(log), int64(len(log)), accesslog.Options{}),
			"stream": accesslog.NewScanner(strings.NewReader(log), accesslog.Options{}),
		} {
			if n := len(collect(t, s)); int64(n) != lines || s.Stats().Entries != lines {
				t.Errorf("%s: %d of %d lines", name, n, lines)
			}
		}
	}
}
