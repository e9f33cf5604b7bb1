//go:build unix

package procpool_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

func TestNew_withoutMain(t *testing.T) {
	out, err := programAs(t, "forgot").Output()
	if err != nil || !strings.Contains(string(out), "aio: procpool.New without procpool.Main") {
		t.Errorf("got %q, %v", out, err)
	}
}

// programAs is this program, to be started as another.
func programAs(t testing.TB, role string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(soon(t), self)
	cmd.Env = as(role)
	cmd.Stderr = os.Stderr
	return cmd
}

// A worker that lost its environment, where a pool tells it what it is, must not take itself for the
// program.
func TestMain_withoutOrders(t *testing.T) {
	cmd := programAs(t, "prints")
	var stderr bytes.Buffer
	cmd.Args, cmd.Stderr = append(cmd.Args, "aio-procpool-worker"), &stderr
	out, err := cmd.Output()
	if err == nil || len(out) > 0 || !strings.Contains(stderr.String(), "its environment was changed on the way") {
		t.Errorf("got %q, %v, stderr %q", out, err, &stderr)
	}
}

func TestNew_refuses(t *testing.T) {
	for _, c := range []procpool.Config{
		{Workers: -1}, {MinWorkers: -1}, {MaxCalls: -1}, {MaxAge: -1}, {MaxMemoryBytes: -1}, {MaxFrameBytes: -1}, {StartTimeout: -1},
		{Workers: 1, MinWorkers: 2},
	} {
		p, err := procpool.New(c)
		if err == nil {
			t.Errorf("%+v was taken", c)
			p.Close()
			continue
		}
		mentions(t, err, "Config")
	}
}

// Workers that end at once are not started for ever: neither by us nor by each other.
func TestStart_givesUp(t *testing.T) {
	for _, c := range []struct{ role, words string }{
		{"exits", "no licence found"},
		{"skips", "aio: procpool.New in a process that was started as a worker"},
	} {
		t.Run(c.role, func(t *testing.T) {
			counted := filepath.Join(t.TempDir(), "starts")
			p := pool(t, procpool.Config{Workers: 4, Stderr: &output{}, Env: append(as(c.role), "PROCPOOL_TEST_STARTS="+counted)})
			ctx := soon(t)
			var waiting []*aio.Task[[]byte]
			_, err := aio.Run(ctx, aio.Do(func(ctx context.Context) error {
				for range 10 {
					waiting = append(waiting, aio.Go(ctx, func(ctx context.Context) ([]byte, error) { return p.Execute(ctx, echoCall(1)) }))
				}
				_, err := aio.GatherAll(ctx, waiting...)
				return err
			}))
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range waiting {
				_, err := call.Result()
				died := diedOf(t, err)
				mentions(t, err, "no worker could be started in", "before it reached procpool.Main", c.words, "exit status")
				if !strings.Contains(died.Stderr, c.words) {
					t.Errorf("stderr is %q", died.Stderr)
				}
			}
			eventually(t, "no worker is left", func() bool { return p.Stats().Workers == 0 })
			// Four at once, before any had failed; then one at a time.
			if n := starts(counted); n < 3 || n > 6 {
				t.Errorf("%d workers were started", n)
			}
			if s := p.Stats(); s.Waiting != 0 || s.Busy != 0 || s.Died == 0 {
				t.Errorf("stats are %+v", s)
			}
		})
	}
}

// After giving up, a later call is worth another try.
func TestStart_recovers(t *testing.T) {
	licence := filepath.Join(t.TempDir(), "licence")
	p := pool(t, procpool.Config{Workers: 1, MinWorkers: 1, Stderr: &output{}, Env: append(as("licensed"), "PROCPOOL_TEST_LICENCE="+licence)})
	ctx := soon(t)
	for range 2 {
		_, err := p.Execute(ctx, echoCall(1))
		diedOf(t, err)
	}
	if err := os.WriteFile(licence, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := p.Execute(ctx, echoCall(1)); err != nil {
			t.Error(err)
		}
	}
}

// stay says that it runs, waits until it may return, and says where it ran.
var stay = job.Define("stay", func(ctx context.Context, name string) (int, error) {
	if err := os.WriteFile(name, fmt.Append(nil, os.Getpid()), 0o666); err != nil {
		return 0, err
	}
	return aio.Poll(ctx, time.Millisecond, func() (int, bool, error) {
		_, err := os.Stat(name + ".out")
		return os.Getpid(), err == nil, nil
	})
})

// While one worker serves, calls wait for it, though others cannot be started.
func TestStart_failsBesideOneThatServes(t *testing.T) {
	dir := t.TempDir()
	licence, name := filepath.Join(dir, "licence"), filepath.Join(dir, "stay")
	if err := os.WriteFile(licence, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	p := pool(t, procpool.Config{Workers: 2, Stderr: &output{}, Env: append(as("licensed"), "PROCPOOL_TEST_LICENCE="+licence)})
	ctx := soon(t)
	first := stay.In(ctx, p, name)
	server := running(t, name)
	if err := os.Remove(licence); err != nil {
		t.Fatal(err)
	}
	second := make(chan *aio.Future[int])
	go func() { second <- pid.In(ctx, p, 0) }()
	eventually(t, "some workers have ended at their start", func() bool { return p.Stats().Died >= 5 })
	if s := p.Stats(); s.Waiting != 1 || s.Busy != 1 {
		t.Errorf("stats are %+v", s)
	}
	if err := os.WriteFile(name+".out", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*aio.Future[int]{first, <-second} {
		if got, err := f.Await(ctx); got != server || err != nil {
			t.Errorf("ran in worker %d, %v, want %d", got, err, server)
		}
	}
}

// That a worker once served helps no call that waits for one.
func TestStart_givesUpLater(t *testing.T) {
	licence := filepath.Join(t.TempDir(), "licence")
	if err := os.WriteFile(licence, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	p := pool(t, procpool.Config{Workers: 1, MaxCalls: 1, Stderr: &output{}, Env: append(as("licensed"), "PROCPOOL_TEST_LICENCE="+licence)})
	ctx := soon(t)
	if _, err := p.Execute(ctx, echoCall(1)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(licence); err != nil {
		t.Fatal(err)
	}
	_, err := p.Execute(ctx, echoCall(1))
	diedOf(t, err)
	mentions(t, err, "no worker could be started in 3 tries", "no licence found")
}

func TestStart_tooSlow(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1, StartTimeout: 50 * time.Millisecond, Env: as("slow")})
	_, err := p.Execute(soon(t), echoCall(1))
	diedOf(t, err)
	mentions(t, err, "had not reached procpool.Main after 50ms")
}

func TestStart_minWorkers(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 3, MinWorkers: 2, Stderr: &output{}})
	ctx := soon(t)
	if s := p.Stats(); s.Workers != 2 {
		t.Errorf("after New, stats are %+v", s)
	}
	if _, err := fatal.In(ctx, p, 0).Await(ctx); err == nil {
		t.Error("the job ended its worker, without an error")
	}
	eventually(t, "the worker is replaced", func() bool { s := p.Stats(); return s.Workers == 2 && s.Died == 1 })
}

// Workers that do not speak as agreed cost their call, and nothing else.
func TestRogue(t *testing.T) {
	for _, c := range []struct{ role, words string }{
		{"garbage", `it begins with "panic: t"`},
		{"othername", "another build"},
		{"otherversion", "version 2, ours is 1"},
		{"huge", "at most 67108864 may be"},
		{"mute", "closed its end of a pipe"},
		{"torn", "exit status 4"},
		{"tornbulk", "exit status 4"},
		{"wrongseq", "it answered call 2 when it had call 1"},
		{"wrongkind", "a frame of kind 1"},
	} {
		t.Run(c.role, func(t *testing.T) {
			t.Parallel()
			p := pool(t, procpool.Config{Workers: 1, Env: as(c.role)})
			_, err := p.Execute(soon(t), echoCall(1))
			diedOf(t, err)
			mentions(t, err, c.words)
			eventually(t, "its worker is gone", func() bool { return p.Stats().Workers == 0 })
			if s := p.Stats(); s.Busy != 0 || s.Waiting != 0 || s.Died == 0 || s.Killed != 0 {
				t.Errorf("stats are %+v", s)
			}
		})
	}
}

// What no worker can have read is given to another, once.
func TestRogue_deaf(t *testing.T) {
	counted := filepath.Join(t.TempDir(), "starts")
	p := pool(t, procpool.Config{Workers: 1, Env: append(as("deaf"), "PROCPOOL_TEST_STARTS="+counted)})
	_, err := p.Execute(soon(t), echoCall(1))
	diedOf(t, err)
	mentions(t, err, "closed its end of a pipe")
	if n := starts(counted); n != 2 {
		t.Errorf("the call was offered to %d workers, want 2", n)
	}
}

func TestRogue_answersTwice(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1, Env: as("twice")})
	ctx := soon(t)
	if out, err := p.Execute(ctx, echoCall(1)); string(out) != "ab" || err != nil {
		t.Errorf("the first call: %q, %v", out, err)
	}
	_, err := p.Execute(ctx, echoCall(1))
	diedOf(t, err)
	mentions(t, err, "it answered call 1 when it had call 2")
	if out, err := p.Execute(ctx, echoCall(1)); string(out) != "ab" || err != nil {
		t.Errorf("another worker: %q, %v", out, err)
	}
}

// What jobs print goes where the program prints, and disturbs nothing.
func TestStdout(t *testing.T) {
	out, err := programAs(t, "prints").Output()
	const want = "aio\x01\x02\x00\x00 is printed\nprinted 19\n"
	if string(out) != want || err != nil {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}

// What workers write to stderr arrives in whole lines, whoever else writes, and before Close returns.
func TestStderr(t *testing.T) {
	var out output
	p, err := procpool.New(procpool.Config{Workers: 2, Stderr: &out})
	if err != nil {
		t.Fatal(err)
	}
	ctx := soon(t)
	long := strings.Repeat("x", 20_000)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			for range 20 {
				for _, part := range []string{"first half, ", fmt.Sprintf("second half %d%s\n", i, long)} {
					if _, err := warn.In(ctx, p, part).Await(ctx); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if _, err := warn.In(ctx, p, "no newline").Await(ctx); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	for _, w := range out.writes {
		if !strings.HasSuffix(w, "\n") {
			t.Errorf("a Write of %d bytes that ends with %q", len(w), w[max(0, len(w)-20):])
		}
	}
	all := out.String()
	if n := strings.Count(all, "second half"); n != 40 || len(all) < 40*len(long) {
		t.Errorf("%d lines arrived, %d bytes", n, len(all))
	}
	if !strings.Contains(all, "no newline\n") {
		t.Error("the last line is missing")
	}
}
