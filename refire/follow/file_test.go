package follow_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio/refire/follow"
)

// follower reads a log in a goroutine of a bubble: real files, virtual time.
type follower struct {
	t      *testing.T
	name   string
	cancel context.CancelCauseFunc
	stop   chan struct{}
	mu     sync.Mutex
	got    []string // guarded by mu: a string for each generation
	ends   []error  // with which each generation ended
	err    error    // Next's
	done   chan struct{}
}

var errOver = errors.New("over")

func start(t *testing.T, name string, first *os.File) *follower {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	f := &follower{t: t, name: name, cancel: cancel, stop: make(chan struct{}), done: make(chan struct{})}
	file := follow.New(ctx, name, first, follow.Config{Stop: f.stop})
	go func() {
		defer close(f.done)
		defer file.Close()
		buf := make([]byte, 7)
		for {
			if f.err = file.Next(ctx); f.err != nil {
				return
			}
			f.mu.Lock()
			f.got = append(f.got, "")
			f.mu.Unlock()
			for {
				n, err := file.Read(ctx, buf)
				f.mu.Lock()
				f.got[len(f.got)-1] += string(buf[:n])
				f.mu.Unlock()
				if err == nil {
					continue
				}
				f.ends = append(f.ends, err)
				if err != io.EOF && !errors.Is(err, follow.ErrTruncated) {
					return
				}
				break
			}
		}
	}()
	return f
}

// want lets time pass, and compares what was read: a string for each generation.
func (f *follower) want(generations ...string) {
	f.t.Helper()
	pass(2*follow.DefaultQuiet + time.Millisecond)
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if strings.Join(f.got, "|") != strings.Join(generations, "|") || len(f.got) != len(generations) {
		f.t.Errorf("got %q, want %q", f.got, generations)
	}
}

// end cancels, and compares how the generations ended.
func (f *follower) end(ends ...error) {
	f.t.Helper()
	f.cancel(errOver)
	<-f.done
	if len(f.ends) != len(ends) {
		f.t.Fatalf("ended with %v, want %v", f.ends, ends)
	}
	for i := range ends {
		if !errors.Is(f.ends[i], ends[i]) {
			f.t.Errorf("ended with %v, want %v", f.ends, ends)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// pass lets the bubble's time pass.
func pass(d time.Duration) { time.Sleep(d) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func bubble(t *testing.T, test func(t *testing.T, name string)) {
	name := filepath.Join(t.TempDir(), "access.log")
	synctest.Test(t, func(t *testing.T) { test(t, name) })
}

func TestFile_growth(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		write(t, name, "one\ntw")
		f := start(t, name, nil)
		f.want("one\ntw")
		write(t, name, "o\n")
		f.want("one\ntwo\n")
		write(t, name, "three\n")
		f.want("one\ntwo\nthree\n")
		f.end(errOver)
	})
}

func TestFile_appearsLater(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		f := start(t, name, nil)
		f.want()
		write(t, name, "")
		f.want("")
		write(t, name, "one\n")
		f.want("one\n")
		f.end(errOver)
	})
	bubble(t, func(t *testing.T, name string) {
		f := start(t, name, nil)
		f.want()
		f.end()
		if f.err != errOver {
			t.Error(f.err)
		}
	})
}

// TestFile_rename: the old file is finished, with what is written to it after the new one has appeared.
func TestFile_rename(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		write(t, name, "one\n")
		f := start(t, name, nil)
		f.want("one\n")
		must(t, os.Rename(name, name+".1"))
		write(t, name+".1", "two\n")
		f.want("one\ntwo\n")
		write(t, name, "three\n")
		pass(follow.DefaultQuiet / 2)
		write(t, name+".1", "late\n")
		f.want("one\ntwo\nlate\n", "three\n")
		write(t, name, "four\n")
		f.want("one\ntwo\nlate\n", "three\nfour\n")
		must(t, os.Remove(name))
		f.want("one\ntwo\nlate\n", "three\nfour\n")
		write(t, name, "five\n")
		f.want("one\ntwo\nlate\n", "three\nfour\n", "five\n")
		f.end(io.EOF, io.EOF, errOver)
	})
}

func TestFile_truncate(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		write(t, name, "one\ntw")
		f := start(t, name, nil)
		f.want("one\ntw")
		must(t, os.Truncate(name, 0))
		f.want("one\ntw", "")
		write(t, name, "a\n")
		f.want("one\ntw", "a\n")

		// truncated and longer than before by the next look
		must(t, os.Truncate(name, 0))
		write(t, name, "b and more\n")
		f.want("one\ntw", "a\n", "b and more\n")

		// truncated and as long as before
		must(t, os.Truncate(name, 0))
		write(t, name, "c and more\n")
		f.want("one\ntw", "a\n", "b and more\n", "c and more\n")
		f.end(follow.ErrTruncated, follow.ErrTruncated, follow.ErrTruncated, errOver)
	})
}

// TestFile_slowReader: while nobody reads, the log is rotated several times; no generation is missed.
func TestFile_slowReader(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		write(t, name, "0")
		file := follow.New(t.Context(), name, nil, follow.Config{})
		defer file.Close()
		for i := range 5 {
			must(t, os.Rename(name, name+"."+string(rune('a'+i))))
			write(t, name, string(rune('1'+i)))
			pass(2 * follow.DefaultEvery)
		}
		buf := make([]byte, 7)
		for i := range 6 {
			must(t, file.Next(t.Context()))
			if n, err := file.Read(t.Context(), buf); err != nil || string(buf[:n]) != string(rune('0'+i)) {
				t.Fatalf("generation %d: %q, %v", i, buf[:n], err)
			}
			if i < 5 {
				if n, err := file.Read(t.Context(), buf); err != io.EOF {
					t.Fatalf("generation %d: %q, %v", i, buf[:n], err)
				}
			}
		}
		if file.Offset() != 1 {
			t.Error(file.Offset())
		}
	})
}

// TestFile_first: what is open already is read, although its name is another file's by now.
func TestFile_first(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		write(t, name, "one\n")
		first, err := os.Open(name)
		must(t, err)
		must(t, os.Rename(name, name+".1"))
		write(t, name, "two\n")
		f := start(t, name, first)
		f.want("one\n", "two\n")
		f.end(io.EOF, errOver)
	})
}

// TestFile_stop: what is there is read first.
func TestFile_stop(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		write(t, name, strings.Repeat("x", 100))
		first, err := os.Open(name)
		must(t, err)
		must(t, os.Rename(name, name+".1"))
		write(t, name, "two\n")
		f := start(t, name, first)
		close(f.stop)
		<-f.done
		if strings.Join(f.got, "|") != strings.Repeat("x", 100)+"|two\n" {
			t.Errorf("%q", f.got)
		}
		if last := f.ends[len(f.ends)-1]; last != follow.ErrStopped {
			t.Error(last)
		}
	})
	bubble(t, func(t *testing.T, name string) {
		f := start(t, name, nil)
		close(f.stop)
		<-f.done
		if f.err != follow.ErrStopped {
			t.Error(f.err)
		}
	})
}

func TestFile_cannotOpen(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		must(t, os.Mkdir(name, 0o700))
		f := start(t, name, nil)
		<-f.done
		if f.err == nil || !strings.Contains(f.err.Error(), "no regular file") {
			t.Error(f.err)
		}
	})
	bubble(t, func(t *testing.T, name string) {
		write(t, name, "one\n")
		f := start(t, name, nil)
		f.want("one\n")
		must(t, os.Remove(name))
		must(t, os.Mkdir(name, 0o700))
		<-f.done
		if len(f.ends) != 1 || !strings.Contains(f.ends[0].Error(), "no regular file") {
			t.Error(f.ends)
		}
	})
}

// TestFile_notYet: what cannot be opened may be a moment later.
func TestFile_notYet(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		write(t, name, "one\n")
		f := start(t, name, nil)
		f.want("one\n")
		must(t, os.Remove(name))
		must(t, os.Mkdir(name, 0o700))
		pass(10 * follow.DefaultEvery)
		must(t, os.Remove(name))
		write(t, name, "two\n")
		f.want("one\n", "two\n")
		f.end(io.EOF, errOver)
	})
}

// TestFile_limit: no more files are held open than the limit says, reading goes on, and each generation for which there was no room is told of.
func TestFile_limit(t *testing.T) {
	bubble(t, func(t *testing.T, name string) {
		const more = 10
		atEnd := 0
		var missed atomic.Int32
		file := follow.New(t.Context(), name, nil, follow.Config{AtEnd: func() { atEnd++ }, Missed: func() { missed.Add(1) }})
		defer file.Close()
		for i := range follow.MaxGenerations + more {
			write(t, name, "x")
			pass(2 * follow.DefaultEvery)
			if i < follow.MaxGenerations+more-1 {
				must(t, os.Rename(name, fmt.Sprint(name, i)))
			}
		}
		if n := missed.Load(); n != more-1 { // the last one may be read yet
			t.Errorf("%d missed, want %d", n, more-1)
		}
		n := 0
		for ; ; n++ {
			must(t, file.Next(t.Context()))
			if _, err := file.Read(t.Context(), make([]byte, 7)); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*follow.DefaultQuiet)
			_, err := file.Read(ctx, make([]byte, 7))
			cancel()
			if err != io.EOF {
				break
			}
		}
		if n != follow.MaxGenerations || atEnd == 0 || missed.Load() != more-1 { // and the one that bears the name now
			t.Errorf("%d generations, %d waits, %d missed", n, atEnd, missed.Load())
		}
	})
}
