package retrylog_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// TestReserve: room that is taken is no part of the file, at its beginning, later, and when all is written.
func TestReserve(t *testing.T) {
	name := filepath.Join(t.TempDir(), "retry.log")
	for range 2 {
		j, repairs, err := retrylog.Open(name, retrylog.Options{}, func(*refire.Outcome) error { return nil })
		if err != nil || repairs.Torn != 0 {
			t.Fatal(repairs, err)
		}
		before, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Reserve(64); err != nil {
			t.Error(err)
		}
		if after, err := os.Stat(name); err != nil || after.Size() != before.Size() {
			t.Errorf("%d bytes, and %d before; %v", after.Size(), before.Size(), err)
		}
		o := refire.Outcome{Request: refire.Request{ID: accesslog.ID{1}, Source: "access.log", OldStatus: 503, Method: "GET", Origin: refire.Origin{Scheme: "http", Host: "h", Port: 80}, Target: "/"}, Status: 200, Attempts: 1, Time: time.Unix(1e9, 0)}
		if n, err := j.Append([]refire.Outcome{o}); n != 1 || err != nil {
			t.Error(n, err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}
