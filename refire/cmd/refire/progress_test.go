package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// TestMeter_logs: how far the logs are read is told over all of them.
func TestMeter_logs(t *testing.T) {
	second := func() int32 { return 2 }
	tests := []struct {
		m    meter
		p    refire.Progress
		want string
	}{
		{meter{total: 200, logs: 1, at: second}, refire.Progress{Read: 50}, "fired 0, log read to 25%, recovered 0, "},
		{meter{total: 200, logs: 3, at: second}, refire.Progress{Read: 150, Done: 4}, "fired 4, log 2 of 3, 75% of all read, recovered 0, "},
		{meter{total: 200, logs: 3, at: second}, refire.Progress{Read: 300}, ", 100% of all read, "},
		{meter{logs: 3, at: second}, refire.Progress{}, "fired 0, log 2 of 3, recovered"},
		{meter{logs: 1, at: second}, refire.Progress{}, "fired 0, recovered"},
		{meter{logs: 3, at: second, follow: true}, refire.Progress{}, "fired 0, following, recovered"},
		{meter{total: 200, logs: 3, at: second}, refire.Progress{ReadAll: true, Admitted: 9, Done: 4}, "fired 4 of 9, recovered"},
	}
	for _, test := range tests {
		if got := test.m.line(test.p); !strings.Contains(got, test.want) {
			t.Errorf("%q has no %q", got, test.want)
		}
	}
}

// TestFit: where there is no room, what matters less goes first, and what is done stays.
func TestFit(t *testing.T) {
	m := meter{rate: 812}
	p := refire.Progress{ReadAll: true, Admitted: 20_000, Done: 12_000, Recovered: 11_000, Unreachable: 44, NoAnswer: 40, Running: 64}
	for width, want := range map[int]string{
		100: "fired 12,000 of 20,000, recovered 11,000, failing 956, unreachable 44, running 64, 812/s, ETA 10s",
		90:  "fired 12,000 of 20,000, recovered 11,000, failing 956, unreachable 44, 812/s, ETA 10s",
		66:  "fired 12,000 of 20,000, failing 956, unreachable 44, ETA 10s",
		50:  "fired 12,000 of 20,000, failing 956",
		39:  "fired 12,000 of 20,000, failing 956",
		25:  "fired 12,000 of 20,000",
		10:  "fired 12,0",
		0:   "",
	} {
		if got := fit(m.parts(p), width); got != want {
			t.Errorf("%d: %q, want %q", width, got, want)
		}
	}
	p.Held = []refire.Held{{Place: refire.Origin{Scheme: "http", Host: "shop.test", Port: 80}, Breaker: true, Wait: 3 * time.Second, GivesUp: 9 * time.Second}}
	p.Waiting = true
	for width, want := range map[int]string{
		150: "fired 12,000 of 20,000, recovered 11,000, failing 956, unreachable 44, running 64, http://shop.test keeps failing: waiting 3s, gives up in 9s",
		100: "fired 12,000 of 20,000, failing 956, http://shop.test keeps failing: waiting 3s, gives up in 9s",
		80:  "fired 12,000 of 20,000, failing 956, gives up in 9s",
	} {
		if got := fit(m.parts(p), width); got != want {
			t.Errorf("%d: %q, want %q: why nothing happens matters more, and there is no rate and no ETA", width, got, want)
		}
	}
}

// TestMeter_eta: how much is left is known, or guessed from what was read; --max and --rate bound it.
func TestMeter_eta(t *testing.T) {
	second := refire.Progress{Elapsed: time.Second, Done: 10}
	with := func(change func(*refire.Progress)) refire.Progress {
		p := second
		change(&p)
		return p
	}
	third := with(func(p *refire.Progress) { p.Read, p.Admitted = 100, 20 })
	tests := []struct {
		name string
		m    meter
		p    refire.Progress
		want string // empty: not known
		done string
	}{
		{"a third is read", meter{total: 300, logs: 1}, third, "5s", "fired 10, "},
		{"--max", meter{total: 300, logs: 1, max: 25}, third, "1.5s", "fired 10 of at most 25, "},
		{"--rate", meter{total: 300, logs: 1, limit: 1.0 / 3}, third, "2m30s", "fired 10, "},
		{"nobody knows how long the log is", meter{logs: 1}, third, "", "fired 10, "},
		{"the same log once more", meter{total: 300, logs: 1}, with(func(p *refire.Progress) {
			p.Read, p.Admitted, p.Skipped = 150, 10, map[refire.Reason]int{refire.AlreadyDone: 40, refire.Duplicate: 100}
		}), "5s", "fired 10, "},
		{"--again", meter{again: 50}, with(func(p *refire.Progress) { p.Admitted = 20 }), "4s", "fired 10 of 50, "},
		{"--again with --max", meter{again: 50, max: 30}, second, "2s", "fired 10 of 30, "},
		{"--again, and then a log", meter{again: 50, total: 300, logs: 1}, with(func(p *refire.Progress) { p.Admitted = 20 }), "", "fired 10, log read to 0%, "},
		{"--again, and in the log", meter{again: 10, total: 300, logs: 1}, third, "3s", "fired 10, log read to 33%, "},
		{"--again with nothing to do", meter{}, with(func(p *refire.Progress) { p.Done, p.ReadAll = 0, true }), "", "fired 0 of 0, "},
		{"all places are left alone", meter{again: 50}, with(func(p *refire.Progress) { p.Waiting = true }), "", "fired 10 of 50, "},
	}
	for _, test := range tests {
		m := test.m
		m.at = func() int32 { return 1 }
		m.observe(test.p)
		left, known := m.eta(test.p)
		if known != (test.want != "") || known && left.String() != test.want {
			t.Errorf("%s: %v, %v, want %q", test.name, left, known, test.want)
		}
		if got := m.line(test.p); !strings.HasPrefix(got, test.done) {
			t.Errorf("%s: %q, want %q", test.name, got, test.done)
		}
	}
}

// TestMeter_slow: at a low rate, too, it is known after few entries, and a pause does not count.
func TestMeter_slow(t *testing.T) {
	m := meter{again: 4500, limit: 20.0 / 60}
	p := refire.Progress{Done: 1}
	for second := range 60 {
		for tick := range 5 {
			p.Elapsed = time.Duration(second)*time.Second + time.Duration(tick+1)*200*time.Millisecond
			m.observe(p)
		}
		if second%3 == 2 {
			p.Done++
		}
		if got := m.line(p); !regexp.MustCompile(`, (19|20)/m, ETA (3h[345]\d|4h\d)m$`).MatchString(got) {
			t.Fatalf("after %d s: %s", second+1, got)
		}
	}
	p.Elapsed, p.Waiting = p.Elapsed+time.Hour, true
	m.observe(p)
	p.Elapsed, p.Waiting = p.Elapsed+200*time.Millisecond, false
	m.observe(p)
	if got := m.line(p); !regexp.MustCompile(`, (19|20)/m, ETA (3h[345]\d|4h\d)m$`).MatchString(got) {
		t.Errorf("after a pause: %s", got)
	}
}

func TestSpeed(t *testing.T) {
	for perSecond, want := range map[float64]string{
		0: "0/s", 1: "1/s", 3.44: "3.4/s", 9.96: "10/s", 812.4: "812/s", 12345: "12,345/s", 20.0 / 60: "20/m", 0.94: "56/m", 1.5 / 60: "1.5/m", 1.0 / 3600: "1/h",
	} {
		if got := speed(perSecond); got != want {
			t.Errorf("%g: %s, want %s", perSecond, got, want)
		}
	}
}
