package retrylog

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

var errFull = errors.New("no space left on device")

// smallDisk is a file with room for so many bytes.
type smallDisk struct {
	data     []byte
	room     int
	stuck    bool // Truncate fails too
	failSync bool
}

func (d *smallDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room-len(d.data))
	d.data = append(d.data, p[:n]...)
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func (d *smallDisk) Truncate(size int64) error {
	if d.stuck {
		return errFull
	}
	d.data = d.data[:size]
	return nil
}

func (d *smallDisk) Sync() error {
	if d.failSync {
		return errFull
	}
	return nil
}

func (d *smallDisk) ReadAt(p []byte, off int64) (int, error) { return copy(p, d.data[off:]), nil }
func (d *smallDisk) Close() error                            { return nil }

// journalOn opens a journal on a disk, with announcements on another one.
func journalOn(t testing.TB, disk file, s Sync) *Journal {
	t.Helper()
	j, _, err := open(disk, 0, &firedLog{remove: func() error { return nil }}, &Fired{}, Options{Sync: s}, func(*refire.Outcome) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func outcomes(n int) []refire.Outcome {
	list := make([]refire.Outcome, n)
	for i := range list {
		list[i] = refire.Outcome{
			Request: refire.Request{ID: accesslog.ID{byte(i + 1)}, Method: "GET", Origin: refire.Origin{Scheme: "http", Host: "h", Port: 80}, Target: "/"},
			Status:  200, Attempts: 1, Time: time.Unix(1e9, 0),
		}
	}
	return list
}

// TestFullDisk fills the disk after every possible byte: what Append says is written is what the file holds, in whole lines.
func TestFullDisk(t *testing.T) {
	list := outcomes(3)
	var enc Encoder
	var all []byte
	for i := range list {
		all, _ = enc.Append(all, &list[i])
	}
	for room := range len(all) {
		for _, stuck := range []bool{false, true} {
			disk := &smallDisk{room: room, stuck: stuck}
			j := journalOn(t, disk, SyncNever)
			written, err := j.Append(list)
			if !errors.Is(err, errFull) {
				t.Fatalf("room for %d: %v", room, err)
			}
			whole := bytes.Count(all[:room], []byte("\n"))
			if written != whole {
				t.Fatalf("room for %d: says %d lines, %d fit", room, written, whole)
			}
			read := 0
			ext, err := Read(bytes.NewReader(disk.data), func(*refire.Outcome) error { read++; return nil })
			if err != nil {
				t.Fatalf("room for %d: what is left is not a retry log: %v", room, err)
			}
			if !stuck && (read != whole || ext.Torn > 0) {
				t.Fatalf("room for %d: holds %d lines and %d torn bytes, want %d", room, read, ext.Torn, whole)
			}
			if n, err := j.Append(list); n != 0 || err == nil {
				t.Fatalf("room for %d: goes on writing after a failure", room)
			}
		}
	}
}

func TestSyncFails(t *testing.T) {
	disk := &smallDisk{room: 1 << 20, failSync: true}
	j := journalOn(t, disk, SyncAlways)
	if n, err := j.Append(outcomes(2)); n != 2 || !errors.Is(err, errFull) {
		t.Errorf("%d, %v", n, err)
	}
	if err := j.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close: %v", err)
	}
}

func TestWriter(t *testing.T) {
	list := outcomes(2)
	var urls, lines strings.Builder
	for f, to := range map[Format]*strings.Builder{URLs: &urls, JSON: &lines} {
		if n, err := NewWriter(to, f).Append(list); n != 2 || err != nil {
			t.Errorf("%s: %d, %v", f, n, err)
		}
	}
	if want := "http://h/?retry=True\nhttp://h/?retry=True\n"; urls.String() != want {
		t.Errorf("urls: %q", urls.String())
	}
	n := 0
	if _, err := Read(strings.NewReader(lines.String()), func(*refire.Outcome) error { n++; return nil }); n != 2 || err != nil {
		t.Errorf("json: %d, %v", n, err)
	}
	disk := &smallDisk{room: len("http://h/?retry=True\n") + 3}
	if n, err := NewWriter(disk, URLs).Append(list); n != 1 || !errors.Is(err, errFull) {
		t.Errorf("full: %d, %v", n, err)
	}
}
