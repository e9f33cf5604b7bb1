package accesslog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// logFile writes a log to a file and opens it.
func logFile(t *testing.T, log string) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(name, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func fileScanner(t *testing.T, f *os.File, opts accesslog.Options) *accesslog.Scanner {
	t.Helper()
	opts.Source = "access.log"
	s, err := accesslog.NewFileScanner(f, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mixed is a log of many kinds of lines, longer than what is read at once.
func mixed() string {
	var b strings.Builder
	for i := 0; b.Len() < 200_000; i++ {
		switch i % 7 {
		case 0:
			b.WriteString(fail(i) + "\n")
		case 1:
			b.WriteString("\r\n")
		case 2:
			b.WriteString(strings.Repeat("long ", i%90) + "\n")
		case 3:
			b.WriteString(prefix + "\"-\" 500 0\r\n")
		default:
			b.WriteString(prefix + `"GET /fine HTTP/1.1" 200 1 "-" "agent"` + "\n")
		}
	}
	return b.String() + fail(0)
}

// TestFileEqualsStream: however a file is shared out, the outcome is that of reading it line by line.
func TestFileEqualsStream(t *testing.T) {
	log := mixed()
	opts := accesslog.Options{Source: "access.log", MaxLineBytes: 300}
	f := logFile(t, log)
	stream := accesslog.NewScanner(strings.NewReader(log), opts)
	want := collect(t, stream)
	for _, workers := range []int{1, 2, 5} {
		for _, stride := range []int64{100, 1000, 70_000, 150_000, 1 << 20} {
			opts.Workers = workers
			s := fileScanner(t, f, opts).Tune(997, stride, 1)
			got := collect(t, s)
			compare(t, fmt.Sprintf("%d workers, segments of %d", workers, stride), got, want)
			for i := range got {
				if got[i].entry.ID != want[i].entry.ID {
					t.Fatalf("entry %d has another ID in the file", i)
				}
			}
			if s.Stats() != stream.Stats() {
				t.Errorf("stats %+v, want %+v", counts(s.Stats()), counts(stream.Stats()))
			}
		}
	}
}

// TestSubmit: a scan ends with the same outcome whatever becomes of the workers.
func TestSubmit(t *testing.T) {
	log := mixed()
	f := logFile(t, log)
	want := collect(t, accesslog.NewScanner(strings.NewReader(log), accesslog.Options{Source: "access.log"}))
	var late []func()
	for name, submit := range map[string]func(context.Context, func()) error{
		"nil":      nil,
		"refuses":  func(context.Context, func()) error { return errors.New("closed") },
		"one only": oneOnly(),
		"waits":    func(ctx context.Context, _ func()) error { <-ctx.Done(); return ctx.Err() },
		"late":     func(_ context.Context, f func()) error { late = append(late, f); return nil },
		"in place": func(_ context.Context, f func()) error { f(); return nil },
	} {
		s := fileScanner(t, f, accesslog.Options{Workers: 3, Submit: submit}).Tune(997, 5000, 1)
		got := collect(t, s)
		if len(got) != len(want) || s.Stats().Bytes != int64(len(log)) {
			t.Fatalf("%s: %d outcomes, want %d; %d bytes, want %d", name, len(got), len(want), s.Stats().Bytes, len(log))
		}
		for i := range got {
			if got[i].entry.Offset != want[i].entry.Offset || got[i].entry.Target != want[i].entry.Target || got[i].bad.Offset != want[i].bad.Offset {
				t.Fatalf("%s: outcome %d is %+v, want %+v", name, i, got[i], want[i])
			}
		}
	}
	if len(late) != 3 {
		t.Errorf("%d late workers", len(late))
	}
	for _, work := range late {
		work() // finds the scan over and returns
	}
}

// oneOnly runs the first call and refuses the others.
func oneOnly() func(context.Context, func()) error {
	taken := false
	return func(_ context.Context, call func()) error {
		if taken {
			return errors.New("full")
		}
		taken = true
		go call()
		return nil
	}
}

// TestLeavingAFileEarly: when the loop is left, by break, panic or a cancelled context, no worker runs on, and its body is not entered again.
func TestLeavingAFileEarly(t *testing.T) {
	f := logFile(t, fails(5000))
	for name, leave := range map[string]func(cancel context.CancelFunc) bool{
		"break":  func(context.CancelFunc) bool { return false },
		"cancel": func(cancel context.CancelFunc) bool { cancel(); return true },
		"panic":  func(context.CancelFunc) bool { panic("leave") },
	} {
		var running sync.WaitGroup
		submit := func(_ context.Context, work func()) error { running.Go(work); return nil }
		ctx, cancel := context.WithCancel(t.Context())
		s := fileScanner(t, f, accesslog.Options{Workers: 2, Submit: submit}).Tune(1000, 10_000, 1)
		var last error
		func() {
			defer func() {
				if v := recover(); v != nil && v != "leave" {
					t.Errorf("%s: another panic: %v", name, v)
				}
			}()
			for _, err := range s.All(ctx) {
				if last = err; !leave(cancel) {
					break
				}
			}
		}()
		cancel()
		running.Wait() // ends at once; a worker that ran on would block here for good
		if name == "cancel" && !errors.Is(last, context.Canceled) {
			t.Errorf("cancel: the last error is %v", last)
		}
	}
}

// TestGrowingFile: lines appended before the scan has reached the end are read, a half line at the end is delivered as it is.
func TestGrowingFile(t *testing.T) {
	for _, size := range []int{0, 3, 3000} { // nothing, less than the first read, more
		f := logFile(t, fails(size))
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		s := fileScanner(t, f, accesslog.Options{}).Tune(1000, 20_000, 1)
		if _, err := f.WriteAt([]byte(fails(2)+fail(2)[:50]), info.Size()); err != nil {
			t.Fatal(err)
		}
		all := collect(t, s)
		stats := s.Stats()
		if stats.Entries != int64(size+2) || stats.Malformed != 1 || stats.Unterminated != 1 {
			t.Errorf("%d lines grown by 2.5: %+v", size, counts(stats))
		}
		if last := all[len(all)-1]; last.bad.Reason != accesslog.RequestUnclosed {
			t.Errorf("the half line: %+v", last)
		}
	}
}

// readerAt is a file that changes under the reader.
type readerAt func(p []byte, off int64) (int, error)

func (f readerAt) ReadAt(p []byte, off int64) (int, error) { return f(p, off) }

// TestChangedFile: a file that shrinks or is rewritten ends the scan with an error, and what came before is delivered.
func TestChangedFile(t *testing.T) {
	log := fails(5000)
	size := int64(len(log))
	for _, test := range []struct {
		name, want string
		read       readerAt
	}{
		{"shrinks", "it shrank from", func(p []byte, off int64) (int, error) {
			return strings.NewReader(log[:150_000]).ReadAt(p, off)
		}},
		{"shrinks to nothing", "it shrank from", func(p []byte, off int64) (int, error) {
			if off > 100_000 {
				return 0, io.EOF
			}
			return strings.NewReader(log).ReadAt(p, off)
		}},
		{"is empty at once", "it shrank from", func([]byte, int64) (int, error) { return 0, io.EOF }},
		{"is rewritten", "around byte", func(p []byte, off int64) (int, error) {
			if off == 99_999 { // where a segment looks for its first line
				return strings.NewReader(log[7:]).ReadAt(p, off)
			}
			return strings.NewReader(log).ReadAt(p, off)
		}},
	} {
		for _, workers := range []int{1, 3} {
			s := accesslog.NewReaderAtScanner(test.read, size, accesslog.Options{Source: "a.log", Workers: workers}).Tune(1000, 10_000, 1)
			var last error
			var entries int
			for _, err := range s.All(t.Context()) {
				if last = err; err == nil {
					entries++
				}
			}
			if !errors.Is(last, accesslog.ErrChanged) || !strings.Contains(last.Error(), test.want) || !strings.Contains(last.Error(), "a.log") {
				t.Errorf("%s: error %v", test.name, last)
			}
			if test.name != "is empty at once" && entries < 1000 {
				t.Errorf("%s: only %d entries before it", test.name, entries)
			}
		}
	}
}

// TestEnd: a line that begins before the end is read whole, also when it was not when the end was taken; what begins there is not read.
func TestEnd(t *testing.T) {
	const whole = 3000
	text := fails(whole + 2)
	begins := int64(len(fails(whole)))
	for _, test := range []struct {
		end     int64
		entries int64
	}{{begins, whole}, {begins + 1, whole + 1}, {int64(len(text)) - 1, whole + 2}, {int64(len(text)) + 9, whole + 2}, {0, whole + 2}, {1, 1}} {
		for name, s := range map[string]*accesslog.Scanner{
			"file":   fileScanner(t, logFile(t, text), accesslog.Options{End: test.end}).Tune(1000, 20_000, 1),
			"stream": accesslog.NewScanner(strings.NewReader(text), accesslog.Options{End: test.end}).Tune(1000, 20_000, 1),
		} {
			if got := len(collect(t, s)); int64(got) != test.entries || s.Stats().Lines != test.entries {
				t.Errorf("%s up to %d: %d entries, %+v, want %d", name, test.end, got, counts(s.Stats()), test.entries)
			}
		}
	}
}

// TestFileMemory: what a scan holds does not grow with the file, even if every line is delivered.
func TestFileMemory(t *testing.T) {
	line := []byte("x\n") // bad, so delivered, and as many as can be
	const size = 256 << 20
	file := readerAt(func(p []byte, off int64) (int, error) {
		n := min(int64(len(p)), size-off)
		if n <= 0 {
			return 0, io.EOF
		}
		for i := range p[:n] {
			p[i] = line[(off+int64(i))%2]
		}
		return int(n), nil
	})
	s := accesslog.NewReaderAtScanner(file, size, accesslog.Options{})
	var peak uint64
	n := 0
	for range s.All(t.Context()) {
		if n++; n > 2_000_000 {
			break
		}
		if n%200_000 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
	}
	if peak > 32<<20 {
		t.Errorf("%d MiB live while scanning", peak>>20)
	}
}

func TestNotRegularFiles(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := accesslog.NewFileScanner(dir, accesslog.Options{}); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	closed := logFile(t, "")
	closed.Close()
	if _, err := accesslog.NewFileScanner(closed, accesslog.Options{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed file: %v", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		defer w.Close()
		io.Copy(w, bytes.NewReader([]byte(fails(3))))
	}()
	if s := fileScanner(t, r, accesslog.Options{}); len(collect(t, s)) != 3 {
		t.Errorf("a pipe: %+v", counts(s.Stats()))
	}
}

// TestFile_rewritten: a file that is truncated while it is read, and is longer than before by the next read, ends the scan; nothing of the new text is an entry,
// however much of its beginning is as before.
func TestFile_rewritten(t *testing.T) {
	line := func(target string) string {
		return fmt.Sprintf("192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] \"GET /%s HTTP/1.1\" 503 0\n", target)
	}
	for _, same := range []int{0, 100} {
		for _, workers := range []int{1, 3} {
			was := strings.Repeat(line("same"), same) + strings.Repeat(line("was"), 3000)
			f := logFile(t, was)
			s := fileScanner(t, f, accesslog.Options{Workers: workers, Submit: func(context.Context, func()) error { return errors.New("none") }}).Tune(1000, 1<<20, 1)
			n, later := 0, 0
			var last error
			for e, err := range s.All(t.Context()) {
				if last = err; err != nil {
					continue
				}
				if n++; strings.HasPrefix(e.Target, "/later") {
					later++
				}
				if n == same+10 {
					text := strings.Repeat(line("same"), same) + strings.Repeat(line("later"), 5000)
					if err := errors.Join(f.Truncate(0), writeAt(f, text)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if !errors.Is(last, accesslog.ErrChanged) || later > 0 || n < same+10 {
				t.Errorf("%d lines as before: %v, %d entries, %d of the new text", same, last, n, later)
			}
		}
	}
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}
