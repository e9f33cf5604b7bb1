package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// packedLogs are n packed logs of so many failed entries each, /0/0 and so on.
func packedLogs(t *testing.T, n, entries int) []*log {
	t.Helper()
	dir := t.TempDir()
	var logs []*log
	for k := range n {
		var b strings.Builder
		for i := range entries {
			b.WriteString(failedEntry(fmt.Sprintf("/%d/%d", k, i)))
		}
		data, err := pack("gzip", []byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, fmt.Sprint(k))
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := openLog(name, stdio{})
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, l)
	}
	return logs
}

func failedEntry(target string) string {
	return fmt.Sprintf("192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] \"GET %s HTTP/1.1\" 503 0 \"-\" \"-\"\n", target)
}

// TestReadAhead: the same in the same order, although what is read ahead does not fit.
func TestReadAhead(t *testing.T) {
	const n, entries = 5, 30_000 // more than aheadBytes
	logs := packedLogs(t, n, entries)
	var got []string
	for i, l := range logs {
		readAhead(t.Context(), logs, i, accesslog.Options{})
		stats, err := l.scan(t.Context(), accesslog.Options{}, func(e *accesslog.Entry, bad *accesslog.BadLine) error {
			got = append(got, e.Target)
			return nil
		})
		if err != nil || stats.Selected != entries || l.trouble != nil {
			t.Errorf("log %d: %d entries, %v, %v", i, stats.Selected, err, l.trouble)
		}
	}
	leaveAll(logs)
	var want []string
	for k := range n {
		for i := range entries {
			want = append(want, fmt.Sprintf("/%d/%d", k, i))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d entries, want %d, in their order", len(got), len(want))
	}
}

// TestReadAhead_left: whoever ends early leaves nothing behind, also of logs that were read ahead and wait for room.
func TestReadAhead_left(t *testing.T) {
	logs := packedLogs(t, 3, 30_000)
	enough := errors.New("enough")
	ctx, stop := context.WithCancel(t.Context())
	readAhead(ctx, logs, 0, accesslog.Options{})
	_, err := logs[0].scan(ctx, accesslog.Options{}, func(*accesslog.Entry, *accesslog.BadLine) error { return enough })
	if err != enough {
		t.Error(err)
	}
	if logs[1].ahead != nil {
		if _, err := logs[1].scan(ctx, accesslog.Options{}, func(*accesslog.Entry, *accesslog.BadLine) error { return enough }); err != enough {
			t.Error(err)
		}
	}
	stop()
	leaveAll(logs) // comes back only when they have ended
	for _, l := range logs {
		if l.ahead != nil && !l.ahead.over {
			t.Errorf("%s is still being read", l.name)
		}
	}
}
