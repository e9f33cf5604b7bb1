package main

import (
	"testing"
	"time"
)

func TestParseMoment(t *testing.T) {
	now := time.Date(2026, 3, 12, 15, 0, 0, 0, time.UTC)
	berlin := time.FixedZone("", 3600)
	tests := map[string]struct {
		at   time.Time
		wall bool
	}{
		"2h":                           {now.Add(-2 * time.Hour), false},
		"90m ago":                      {now.Add(-90 * time.Minute), false},
		" 3d ":                         {now.AddDate(0, 0, -3), false},
		"1d12h":                        {now.Add(-36 * time.Hour), false},
		"0s":                           {now, false},
		"500ms":                        {now.Add(-time.Second), false}, // .7 of the second before
		"2026-03-12T14:00:00Z":         {now.Add(-time.Hour), false},
		"2026-03-12T14:00:00.5Z":       {now.Add(-time.Hour + time.Second/2), false},
		"2026-03-12T15:00:00+01:00":    {now.Add(-time.Hour), false},
		"2026-03-12 15:00 +0100":       {now.Add(-time.Hour), false},
		"2026-03-12 14:00Z":            {now.Add(-time.Hour), false},
		"12/Mar/2026:15:00:00 +0100":   {now.Add(-time.Hour), false},
		"[12/Mar/2026:14:00:00 +0000]": {now.Add(-time.Hour), false},
		"2026-03-12 14:00":             {now.Add(-time.Hour), true},
		"2026-03-12T14:00":             {now.Add(-time.Hour), true},
		"2026-03-12 14:00:00":          {now.Add(-time.Hour), true},
		"12/Mar/2026:14:00":            {now.Add(-time.Hour), true},
		"2026-03-12":                   {now.Add(-15 * time.Hour), true},
	}
	for text, want := range tests {
		m, err := parseMoment(text, now.Add(200*time.Millisecond)) // the second has begun
		if err != nil || !m.time.Equal(want.at) || m.wall != want.wall || m.String() != text {
			t.Errorf("%q: %v, %v; want %v", text, m, err, want)
		}
	}
	for _, text := range []string{"", "h", "-2h", "2", "tomorrow", "24:00", "14:60", "14:", "2026-13-01", "2026-03-12 25:00", "99999999999h", "-1d", "1d-2h", "99999d", "ago", "d", "1.5d"} {
		if m, err := parseMoment(text, now); err == nil {
			t.Errorf("%q: %v (%v)", text, m.time, m.wall)
		}
	}
	for _, test := range []struct {
		moment  string
		entry   time.Time
		reached bool
	}{
		{"2026-03-12 14:00", time.Date(2026, 3, 12, 14, 0, 0, 0, berlin), true}, // as the line has it
		{"2026-03-12 14:00", time.Date(2026, 3, 12, 13, 59, 59, 999, berlin), false},
		{"2026-03-12T14:00:00Z", time.Date(2026, 3, 12, 14, 59, 59, 0, berlin), false},
		{"2026-03-12T14:00:00Z", time.Date(2026, 3, 12, 15, 0, 0, 0, berlin), true},
	} {
		m, err := parseMoment(test.moment, now)
		if err != nil || m.reached(test.entry) != test.reached {
			t.Errorf("%s at %v: %v", test.moment, test.entry, !test.reached)
		}
	}
}

// TestWindow_startedWithinASecond: what is logged in the second in which a run with --since 0s begins is in its window, for logs have whole seconds; what was
// logged in the second before is not.
func TestWindow_startedWithinASecond(t *testing.T) {
	begun := time.Date(2026, 3, 12, 15, 0, 6, 2e8, time.UTC)
	since, err := parseMoment("0s", begun)
	if err != nil {
		t.Fatal(err)
	}
	w := window{since: since}
	for stamp, want := range map[time.Time]string{
		begun.Truncate(time.Second):                              "",
		begun.Truncate(time.Second).Add(-1):                      tooEarly,
		begun.Add(-time.Second):                                  tooEarly,
		begun.Add(time.Second).Truncate(time.Second):             "",
		begun.In(time.FixedZone("", 3600)).Truncate(time.Second): "",
	} {
		if got := w.outside(stamp); got != want {
			t.Errorf("%v: %q, want %q", stamp, got, want)
		}
	}
}

// FuzzParseMoment: what is taken is a time within reach, whatever was written.
func FuzzParseMoment(f *testing.F) {
	for _, text := range []string{"2h", "1d12h", "2026-03-12 14:00", "[12/Mar/2026:14:00:00 +0000]", "9223372036854775807ns"} {
		f.Add(text)
	}
	now := time.Date(2026, 3, 12, 15, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMoment(text, now)
		if err == nil && (m.time.Year() < 0 || m.time.Year() > 9999) {
			t.Errorf("%q: %v", text, m.time)
		}
	})
}

// TestDaily: what is counted from the day, or is a time of it, is so where the log is.
func TestDaily(t *testing.T) {
	now := time.Date(2026, 3, 12, 23, 30, 0, 0, time.UTC)
	east := time.FixedZone("", 3*3600) // 02:30 of the 13th
	at := func(day, hour, minute int, zone *time.Location) time.Time {
		return time.Date(2026, 3, day, hour, minute, 0, 0, zone)
	}
	for _, test := range []struct {
		since, until string
		entry        time.Time
		want         string
	}{
		{"14:00", "", at(12, 13, 59, time.UTC), tooEarly},
		{"14:00", "", at(12, 14, 0, time.UTC), ""},
		{"14:00", "", at(12, 13, 59, east), tooEarly}, // 14:00 of the 13th lies ahead there
		{"14:00", "", at(12, 14, 0, east), ""},
		{"23:31", "", at(11, 23, 31, time.UTC), ""},
		{"2:00:30", "", at(13, 2, 0, east), tooEarly},
		{"2:00:30", "", at(13, 2, 1, east), ""},
		{"today", "", at(11, 23, 59, time.UTC), tooEarly},
		{"today", "", at(12, 0, 0, time.UTC), ""},
		{"today", "", at(12, 23, 59, east), tooEarly},
		{"yesterday", "today", at(10, 23, 59, time.UTC), tooEarly},
		{"yesterday", "today", at(11, 0, 0, time.UTC), ""},
		{"yesterday", "today", at(12, 0, 0, time.UTC), tooLate},
		{"yesterday", "14:00", at(12, 13, 59, time.UTC), ""},
		{"yesterday", "14:00", at(12, 14, 0, time.UTC), tooLate},
		{"22:00", "02:00", at(12, 23, 0, time.UTC), ""}, // until 02:00 of the 13th
		{"22:00", "02:00", at(12, 1, 0, time.UTC), tooEarly},
		{"22:00", "02:00", at(12, 23, 0, east), ""},
		{"22:00", "02:00", at(13, 2, 0, east), tooLate},
		{"22:00", "23:00", at(12, 23, 0, time.UTC), tooLate},
		{"today", "23:45", at(12, 23, 40, time.UTC), ""}, // lies ahead
		{"", "14:00", at(12, 13, 0, time.UTC), ""},
		{"", "14:00", at(12, 14, 0, time.UTC), tooLate},
		{"2h", "23:00", at(12, 22, 0, time.UTC), ""},
	} {
		var w window
		for text, m := range map[string]*moment{test.since: &w.since, test.until: &w.until} {
			if text == "" {
				continue
			}
			var err error
			if *m, err = parseMoment(text, now); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.outside(test.entry); got != test.want || w.check() != nil {
			t.Errorf("%s to %s, %v: %q, want %q; %v", test.since, test.until, test.entry, got, test.want, w.check())
		}
	}
	for _, never := range [][2]string{{"today", "yesterday"}, {"today", "today"}, {"yesterday", "yesterday"}} {
		since, _ := parseMoment(never[0], now)
		until, _ := parseMoment(never[1], now)
		if err := (&window{since, until}).check(); err == nil {
			t.Errorf("%s to %s is taken", never[0], never[1])
		}
	}
}
