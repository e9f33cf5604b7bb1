package main

import (
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
	m := meter{total: 200, logs: 2}
	if left, known := m.eta(refire.Progress{Read: 50, Done: 1, Elapsed: time.Minute}); !known || left != 3*time.Minute {
		t.Errorf("%v, %v", left, known)
	}
}

// TestFit: where there is no room, what matters less goes first, and what is done stays.
func TestFit(t *testing.T) {
	m := meter{rate: 812}
	p := refire.Progress{ReadAll: true, Admitted: 20_000, Done: 12_000, Recovered: 11_000, Unreachable: 44, NoAnswer: 40, Running: 64}
	for width, want := range map[int]string{
		100: "fired 12,000 of 20,000, recovered 11,000, failing 956, unreachable 44, running 64, 812/s, ETA 10s",
		90:  "fired 12,000 of 20,000, recovered 11,000, failing 956, unreachable 44, 812/s, ETA 10s",
		66:  "fired 12,000 of 20,000, recovered 11,000, failing 956, ETA 10s",
		50:  "fired 12,000 of 20,000, recovered 11,000, ETA 10s",
		39:  "fired 12,000 of 20,000, ETA 10s",
		25:  "fired 12,000 of 20,000",
		10:  "fired 12,0",
		0:   "",
	} {
		if got := fit(m.parts(p), width); got != want {
			t.Errorf("%d: %q, want %q", width, got, want)
		}
	}
	p.Held = []refire.Held{{Place: refire.Origin{Scheme: "http", Host: "shop.test", Port: 80}, Breaker: true, Wait: 3 * time.Second}}
	if got, want := fit(m.parts(p), 80), "fired 12,000 of 20,000, ETA 10s, http://shop.test keeps failing: waiting 3s"; got != want {
		t.Errorf("%q, want %q: why nothing happens matters more", got, want)
	}
}
