package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

func TestWholeLength(t *testing.T) {
	const gib = 1 << 30
	for _, test := range []struct{ length, packed, want int64 }{
		{0, 20, 0},
		{70, 95, 70},                      // packing made it longer
		{10_000_000, 600_000, 10_000_000}, // well packed
		{10_000_000, 4_000_000, 10_000_000},
		{gib, 500 << 20, 5 * gib}, // the trailer's 32 bits have come round
		{2 * gib, 1100 << 20, 10 * gib},
		{300, 50_000, -1}, // several archives, one after the other
		{-1, 50_000, -1},
	} {
		if got := wholeLength(test.length, test.packed); got != test.want {
			t.Errorf("%d packed to %d: %d, want %d", test.length, test.packed, got, test.want)
		}
	}
}

// TestReading_share: a packed log counts as much as it is long, not as little as it is packed; with one whose length nobody knows there is no share.
func TestReading_share(t *testing.T) {
	var text []byte
	for range 3000 {
		text = append(text, failedEntry("/a")...)
	}
	dir := t.TempDir()
	open := func(kind string) *log {
		data, err := []byte(text), error(nil)
		if kind != "" {
			data, err = pack(kind, text)
		}
		name := filepath.Join(dir, "access.log."+kind)
		if err == nil {
			err = os.WriteFile(name, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		l, err := openLog(name, stdio{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.close() })
		l.note(accesslog.Options{})
		return l
	}
	whole := int64(len(text))
	packed, bare, unknown := open("gzip"), open(""), open("xz")
	r := &reading{logs: []*log{packed, bare}, flags: newRunFlags()}
	if got := r.total(); got != 2*whole {
		t.Errorf("%d bytes in all, want %d", got, 2*whole)
	}
	for _, l := range r.logs {
		if half, end := l.read(whole/2), l.read(whole); half != whole/2 || end != whole {
			t.Errorf("%s: half of it is %d, all is %d, of %d", l.name, half, end, whole)
		}
	}
	r.logs = append(r.logs, unknown)
	if got := r.total(); got != 0 {
		t.Errorf("%d bytes, and one log's length is not known", got)
	}
	if got := unknown.read(whole); got != 0 {
		t.Errorf("%d of a log whose length is not known", got)
	}
}
