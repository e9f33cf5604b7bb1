package retrylog_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

func open(t testing.TB, path string) (j *retrylog.Journal, loaded []refire.Outcome, torn int64) {
	t.Helper()
	j, r, err := retrylog.Open(path, retrylog.Options{}, func(o *refire.Outcome) error { loaded = append(loaded, *o); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return j, loaded, r.Torn
}

func contents(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestJournalGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retry.log")
	want := ""
	for n := range byte(3) {
		j, loaded, torn := open(t, path)
		if len(loaded) != int(n) || torn != 0 {
			t.Errorf("%d loaded, %d torn", len(loaded), torn)
		}
		if written, err := j.Append([]refire.Outcome{outcome(n + 1)}); written != 1 || err != nil {
			t.Errorf("%d, %v", written, err)
		}
		want += encode(t, outcome(n+1))
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
	if got := contents(t, path); got != want {
		t.Errorf("holds\n%s", got)
	}
}

// TestJournalRepairs cuts a journal at every byte: the lines before stay, the torn one goes, and the next one stands on a line of its own.
func TestJournalRepairs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retry.log")
	first, second, next := encode(t, outcome(1)), encode(t, outcome(2)), encode(t, outcome(3))
	for cut := range len(second) {
		if err := os.WriteFile(path, []byte(first+second[:cut]), 0o600); err != nil {
			t.Fatal(err)
		}
		j, loaded, torn := open(t, path)
		want, lines, lost := first+next, 1, int64(cut)
		if cut == len(second)-1 { // only the newline is missing
			want, lines, lost = first+second+next, 2, 0
		}
		if _, err := j.Append([]refire.Outcome{outcome(3)}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, path); got != want || len(loaded) != lines || torn != lost {
			t.Fatalf("cut at %d: %d loaded, %d torn, holds\n%s", cut, len(loaded), torn, got)
		}
	}
}

func TestJournalLeavesForeignFilesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	for _, text := range []string{"dear diary", encode(t, outcome(1)) + "dear diary", encode(t, outcome(1)) + `{"url":"http://x"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := retrylog.Open(path, retrylog.Options{}, func(*refire.Outcome) error { return nil })
		var foreign *retrylog.NotOursError
		if !errors.As(err, &foreign) {
			t.Errorf("%q: %v", text, err)
		}
		if got := contents(t, path); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestJournalIsForOneRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retry.log")
	j, _, _ := open(t, path)
	if !j.Locked() {
		t.Skip("no locks here")
	}
	if _, _, err := retrylog.Open(path, retrylog.Options{}, nil); !errors.Is(err, retrylog.ErrLocked) {
		t.Errorf("a second run: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, _, _ = open(t, path)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestJournalIsARegularFile(t *testing.T) {
	if _, _, err := retrylog.Open(os.DevNull, retrylog.Options{}, nil); !errors.Is(err, retrylog.ErrNotRegular) {
		t.Errorf("%s: %v", os.DevNull, err)
	}
	if _, _, err := retrylog.Open(t.TempDir(), retrylog.Options{}, nil); err == nil {
		t.Error("a directory is opened")
	}
}

// TestInUse: whoever has the retry log open is noticed, by its lock and not by the number of a process; and to ask keeps nobody from opening it.
func TestInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "retry.log")
	if used, known := retrylog.InUse(path); used || known {
		t.Error("of a file that is not there:", used, known)
	}
	for range 2 {
		j, _, err := retrylog.Open(path, retrylog.Options{}, func(*refire.Outcome) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if used, known := retrylog.InUse(path); j.Locked() != known || known && !used {
			t.Error("while it is open:", used, known)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if used, _ := retrylog.InUse(path); used {
			t.Error("after it was closed")
		}
	}
}
