package retrylog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

func numbered(i int) refire.Request {
	return refire.Request{
		ID: accesslog.ID{byte(i), byte(i >> 8), 1}, Source: "access.log", Method: "POST", Origin: refire.Origin{Scheme: "http", Host: "h", Port: 80},
		Target: fmt.Sprintf("/%d", i), OldStatus: 503,
	}
}

func answered(i int) refire.Outcome {
	return refire.Outcome{Request: numbered(i), Status: 200, Attempts: 1}
}

// TestAnnouncementsStayShort: in a run in which something is always pending, the file of announcements does not grow with the run; at any time it names what is
// pending, and nothing is lost if the run is killed then.
func TestAnnouncementsStayShort(t *testing.T) {
	const entries, pending, limit = 2000, 7, 4000
	path := filepath.Join(t.TempDir(), "retry.log")
	var written []refire.Outcome
	j, _, err := Open(path, Options{}, func(*refire.Outcome) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	j.fired.limit = limit
	for i := range entries {
		if err := j.Announce([]refire.Request{numbered(i)}, 0); err != nil {
			t.Fatal(err)
		}
		if i >= pending {
			o := answered(i - pending)
			written = append(written, o)
			if n, err := j.Append([]refire.Outcome{o}); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		if i%97 != 0 {
			continue
		}
		if info, err := os.Stat(path + FiredSuffix); err != nil || info.Size() > limit+(2*pending+4)*2*lineRoom {
			t.Fatalf("after %d: %v, %v", i, info, err)
		}
		left, err := ReadFired(path)
		if err != nil {
			t.Fatal(err)
		}
		for k := range written {
			left.Settle(&written[k])
		}
		if want := min(i+1, pending); left.Len() != want {
			t.Fatalf("after %d: %d pending, want %d", i, left.Len(), want)
		}
	}
	rest := make([]refire.Outcome, pending)
	for i := range rest {
		rest[i] = answered(entries - pending + i)
	}
	if n, err := j.Append(rest); n != pending || err != nil {
		t.Fatal(n, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := ReadFired(path); err != nil || left.there {
		t.Errorf("%+v, %v", left, err)
	}
}

// TestWithdrawnOnAFullDisk: what was withdrawn is not pending, although there was no room to say so: the next run fires it.
func TestWithdrawnOnAFullDisk(t *testing.T) {
	disk := &smallDisk{room: 1 << 20}
	var text []byte
	l := &firedLog{
		create:  func() (file, error) { return disk, nil },
		remove:  func() error { t.Error("it is taken away"); return nil },
		replace: func(b []byte) (file, error) { text = b; return &smallDisk{}, nil },
		limit:   1 << 20,
	}
	noLimit := func(int64) error { return nil }
	if err := l.announce([]refire.Request{numbered(1), numbered(2)}, 0, noLimit); err != nil {
		t.Fatal(err)
	}
	disk.room = len(disk.data)
	if err := l.withdraw([]refire.Request{numbered(1)}, 0); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
	if err := l.close(); err != nil || string(text) != l.pending[numbered(2).ID] || len(text) == 0 {
		t.Errorf("%v, %q", err, text)
	}
}

// TestNoRoomForOutcomes: what has no room for its outcome is not announced.
func TestNoRoomForOutcomes(t *testing.T) {
	disk := &smallDisk{room: 1 << 20}
	l := &firedLog{create: func() (file, error) { return disk, nil }}
	asked := int64(0)
	for i, room := range []error{nil, nil, errFull} {
		err := l.announce([]refire.Request{numbered(i)}, 0, func(bytes int64) error {
			if bytes <= asked {
				t.Errorf("room for %d bytes is asked for, and was for %d", bytes, asked)
			}
			asked = bytes
			return room
		})
		if !errors.Is(err, room) || len(l.pending) != min(i+1, 2) {
			t.Errorf("%d: %v, %d pending", i, err, len(l.pending))
		}
	}
}

// TestPlantedFiles: what somebody has put where refire makes a file of its own is not written to: not a link, which would lead to another file, nor a file of a
// stranger's.
func TestPlantedFiles(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "retry.log"), filepath.Join(dir, "victim")
	const precious = "precious"
	if err := os.WriteFile(victim, []byte(precious), 0o600); err != nil {
		t.Fatal(err)
	}
	plant := func(name string) {
		t.Helper()
		if err := errors.Join(os.RemoveAll(name), os.Symlink(victim, name)); err != nil {
			t.Skip(err)
		}
	}
	plant(path + MetaSuffix + ".part")
	if err := (&Meta{PID: 1}).Write(path); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(path + MetaSuffix); err != nil || !info.Mode().IsRegular() {
		t.Errorf("%v, %v", info, err)
	}
	if m, err := ReadMeta(path); err != nil || m == nil || m.PID != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	j, _, err := Open(path, Options{}, func(*refire.Outcome) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	plant(path + FiredSuffix)
	if err := j.Announce([]refire.Request{numbered(1)}, 0); err == nil {
		t.Error("announced in a file of somebody else's")
	}
	if err := os.Remove(path + FiredSuffix); err != nil {
		t.Fatal(err)
	}
	if err := j.Announce([]refire.Request{numbered(1)}, 0); err != nil {
		t.Fatal(err)
	}
	plant(path + FiredSuffix + ".part")
	j.fired.mu.Lock()
	err = j.fired.rewrite()
	j.fired.mu.Unlock()
	if err != nil {
		t.Error(err)
	}
	plant(fmt.Sprintf("%s.%d.saved", path, os.Getpid()))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	var changed *ChangedError
	if err := j.Check(); !errors.As(err, &changed) || !changed.Mended() {
		t.Error(err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != precious {
		t.Errorf("%q, %v", text, err)
	}
}
