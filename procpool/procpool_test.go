//go:build unix

package procpool_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

var (
	pid   = job.Define("pid", func(context.Context, int) (int, error) { return os.Getpid(), nil })
	prt   = job.Define("print", func(_ context.Context, text string) (int, error) { return fmt.Print(text) })
	warn  = job.Define("warn", func(_ context.Context, text string) (int, error) { return fmt.Fprint(os.Stderr, text) })
	blank = job.Define("blank", func(_ context.Context, n int) ([]byte, error) { return make([]byte, n), nil })
	fails = job.Define("fails", func(context.Context, int) (int, error) { return 0, errors.New("boom") })
	panik = job.Define("panics", func(context.Context, int) (int, error) { panic("boom") })
	leave = job.Define("goexit", func(context.Context, int) (int, error) { runtime.Goexit(); return 0, nil })
	fatal = job.Define("fatal", func(context.Context, int) (int, error) { os.Exit(6); return 0, nil })
	nest  = job.Define("nest", func(context.Context, int) (bool, error) { _, err := procpool.New(procpool.Config{}); return true, err })
	// note appends its number to a file.
	note = job.Define("note", func(_ context.Context, in noteArgs) (int, error) { return in.Number, appendLine(in.File, in.Number) })
	// hang touches a file, so that the test knows that it runs, and never returns.
	hang = job.Define("hang", func(_ context.Context, name string) (int, error) {
		if err := os.WriteFile(name, fmt.Append(nil, os.Getpid()), 0o666); err != nil {
			return 0, err
		}
		for {
			spins.Add(1)
		}
	})
	spins atomic.Uint64
)

type noteArgs struct {
	File   string
	Number int
}

// appendLine appends a line, as a whole or not at all.
func appendLine(name string, number int) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, number)
	return errors.Join(err, f.Close())
}

func TestExecute(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 2})
	ctx := soon(t)
	t.Run("from a goroutine", func(t *testing.T) {
		got, err := pid.In(ctx, p, 0).Await(ctx)
		if err != nil || got == os.Getpid() || got == 0 {
			t.Errorf("ran in process %d of %d, %v", got, os.Getpid(), err)
		}
	})
	t.Run("from a task", func(t *testing.T) {
		_, err := aio.Run(ctx, aio.Do(func(ctx context.Context) error {
			ticks := 0
			ticker := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for ; ; ticks++ {
					if err := aio.Yield(ctx); err != nil {
						return nil
					}
				}
			}))
			outcome, err := p.Execute(ctx, echoCall(1000))
			if err != nil || len(outcome) < 1000 {
				return fmt.Errorf("got %d bytes, %v", len(outcome), err)
			}
			if ticks == 0 {
				return errors.New("the loop stood still during the call")
			}
			ticker.Cancel(nil)
			return nil
		}))
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("in a callback", func(t *testing.T) {
		before := p.Stats()
		l := aio.Start()
		defer l.Close()
		told := make(chan error)
		call := echoCall(1)
		l.CallSoon(func() {
			_, err := p.Execute(l.Context(), call)
			told <- err
		})
		if err := <-told; !errors.Is(err, aio.ErrWouldDeadlock) {
			t.Errorf("got %v, want ErrWouldDeadlock", err)
		}
		if after := p.Stats(); after != before {
			t.Errorf("the call was taken: %+v before, %+v after", before, after)
		}
	})
	t.Run("under an ended ctx", func(t *testing.T) {
		ended, cancel := context.WithCancelCause(ctx)
		cause := errors.New("enough")
		cancel(cause)
		if _, err := p.Execute(ended, echoCall(1)); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("by many", func(t *testing.T) {
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				in := bytes.Repeat([]byte{byte(i)}, i*997)
				if out, err := echo.In(ctx, p, in).Await(ctx); err != nil || !bytes.Equal(in, out) {
					t.Errorf("call %d: got %d bytes, %v", i, len(out), err)
				}
			})
		}
		wg.Wait()
	})
	if s := p.Stats(); s.Workers > 2 || s.Busy != 0 || s.Waiting != 0 || s.Died != 0 || s.Killed != 0 || s.Done < 66 {
		t.Errorf("stats are %+v", s)
	}
}

func TestExecute_jobsThatFail(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1})
	ctx := soon(t)
	var remote *job.RemoteError
	if _, err := fails.In(ctx, p, 0).Await(ctx); !errors.As(err, &remote) || remote.Text != "boom" {
		t.Errorf("an error came as %#v", err)
	}
	var panicked *aio.PanicError
	if _, err := panik.In(ctx, p, 0).Await(ctx); !errors.As(err, &panicked) || !bytes.Contains(panicked.Stack, []byte("procpool_test")) {
		t.Errorf("a panic came as %#v", err)
	}
	for range 3 { // each leaves a stack that never unwinds
		if _, err := leave.In(ctx, p, 0).Await(ctx); !errors.Is(err, aio.ErrGoexit) {
			t.Errorf("Goexit came as %v", err)
		}
	}
	if _, err := nest.In(ctx, p, 0).Await(ctx); err == nil || !strings.Contains(err.Error(), "in a worker") {
		t.Errorf("New in a worker: %v", err)
	}
	if s := p.Stats(); s.Workers != 1 || s.Died != 0 || s.Done != 6 {
		t.Errorf("jobs that fail cost no worker; stats are %+v", s)
	}
}

func TestExecute_oneWorkerForOneAfterTheOther(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 8})
	ctx := soon(t)
	var pids []int
	for range 50 {
		got, err := pid.In(ctx, p, 0).Await(ctx)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, got)
	}
	if got := slices.Compact(pids); len(got) != 1 || p.Stats().Workers != 1 {
		t.Errorf("calls one after the other used workers %v, stats are %+v", got, p.Stats())
	}
}

func TestExecute_order(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1})
	ctx := soon(t)
	name := t.TempDir() + "/running"
	blocker, release := context.WithCancel(ctx)
	first := hang.In(blocker, p, name)
	running(t, name)
	fifth, cancel := context.WithCancel(ctx)
	lines := t.TempDir() + "/lines"
	var wg sync.WaitGroup
	for i := range 10 {
		calling := ctx
		if i == 4 {
			calling = fifth
		}
		wg.Go(func() {
			_, err := p.Execute(calling, callOf(note, noteArgs{lines, i}))
			if i == 4 && errors.Is(err, context.Canceled) {
				return
			}
			if err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		})
		eventually(t, "the call waits", func() bool { return p.Stats().Waiting == i+1 })
	}
	cancel()
	eventually(t, "the fifth has left", func() bool { return p.Stats().Waiting == 9 })
	release()
	wg.Wait()
	order, err := os.ReadFile(lines)
	if want := "0\n1\n2\n3\n5\n6\n7\n8\n9\n"; string(order) != want || err != nil {
		t.Errorf("ran in order %q, %v, want %q", order, err, want)
	}
	if _, err := first.Await(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the first: %v", err)
	}
}

// running waits until the job hang runs, and returns its process.
func running(t testing.TB, name string) (pid int) {
	t.Helper()
	eventually(t, "the job runs", func() bool {
		text, err := os.ReadFile(name)
		if err != nil || len(text) == 0 {
			return false
		}
		_, err = fmt.Sscan(string(text), &pid)
		return err == nil
	})
	return pid
}

func TestExecute_cancelKillsTheWorkerAndOnlyIt(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 2})
	ctx := soon(t)
	dir := t.TempDir()
	bystander, letGo := context.WithCancel(ctx)
	other := hang.In(bystander, p, dir+"/other")
	otherPid := running(t, dir+"/other")

	for _, how := range []string{"cancel", "deadline", "task"} {
		var err error
		name := dir + "/" + how
		switch how {
		case "cancel":
			calling, cancel := context.WithCancel(ctx)
			f := hang.In(calling, p, name)
			running(t, name)
			cancel()
			_, err = f.Await(ctx)
		case "deadline":
			calling, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			call := callOf(hang, name)
			_, err = p.Execute(calling, call)
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("deadline: %v", err)
			}
			continue
		case "task":
			_, err = aio.Run(ctx, aio.Do(func(ctx context.Context) error {
				task := aio.Go(ctx, func(ctx context.Context) ([]byte, error) { return p.Execute(ctx, callOf(hang, name)) })
				if _, err := aio.Blocking(ctx, func(context.Context) (int, error) { return running(t, name), nil }); err != nil {
					return err
				}
				task.Cancel(nil)
				_, err := task.Await(context.WithoutCancel(ctx))
				return err
			}))
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", how, err)
		}
		eventually(t, "its worker is gone", func() bool { return gone(running(t, name)) })
	}
	if gone(otherPid) || other.State() != aio.Pending {
		t.Error("another worker was hit")
	}
	// The deadline may have passed before its job began.
	if s := p.Stats(); s.Killed < 2 || s.Killed > 3 || s.Died != 0 || s.Busy != 1 {
		t.Errorf("stats are %+v", s)
	}
	letGo()
}

// callOf is a call as job.In makes it.
func callOf[In, Out any](j *job.Job[In, Out], in In) job.Call {
	var seen capture
	_, _ = j.In(context.Background(), &seen, in).Await(context.Background())
	return seen.call
}

func TestExecute_sizes(t *testing.T) {
	const limit = 64 << 20
	p := pool(t, procpool.Config{Workers: 1})
	ctx := soon(t)
	big := make([]byte, limit-1024)
	rand.Read(big[:4096])
	rand.Read(big[len(big)-4096:])
	out, err := echo.In(ctx, p, big).Await(ctx)
	if err != nil || !bytes.Equal(big, out) {
		t.Errorf("64 MiB: got %d bytes back, %v", len(out), err)
	}
	out, big = nil, nil

	var refused *job.EncodeError
	if _, err := p.Execute(ctx, job.Call{Name: "echo", Payload: make([]byte, limit+1)}); !errors.As(err, &refused) || refused.Name != "echo" {
		t.Errorf("a larger argument: %v", err)
	} else if want := fmt.Sprintf(`aio: job "echo": its argument has %d bytes encoded, more than the pool's MaxFrameBytes, %d: raise that`, limit+1, limit); !strings.HasPrefix(err.Error(), want) {
		t.Errorf("a larger argument: %v, want %s", err, want)
	}
	if _, err := p.Execute(ctx, job.Call{Name: strings.Repeat("x", 1<<17)}); !errors.As(err, &refused) {
		t.Errorf("a long name: %v", err)
	}
	before := p.Stats()
	if _, err := blank.In(ctx, p, limit+1).Await(ctx); !errors.As(err, &refused) || refused.Name != "blank" {
		t.Errorf("a larger result: %v", err)
	} else if !strings.HasPrefix(err.Error(), `aio: job "blank": its result has `) {
		t.Errorf("a larger result: %v, want the job and its result named", err)
	}
	if _, err := blank.In(ctx, p, 1).Await(ctx); err != nil {
		t.Error(err)
	}
	if s := p.Stats(); s.Died != 0 || s.Done != before.Done+2 || s.Workers != 1 {
		t.Errorf("a result too large costs no worker; stats are %+v", s)
	}
}

func TestExecute_exactlyAtTheLimit(t *testing.T) {
	call := echoCall(1000)
	ctx := soon(t)
	atLimit := pool(t, procpool.Config{Workers: 1, MaxFrameBytes: len(call.Payload)})
	if _, err := atLimit.Execute(ctx, call); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	below := pool(t, procpool.Config{Workers: 1, MaxFrameBytes: len(call.Payload) - 1})
	_, err := below.Execute(ctx, call)
	var refused *job.EncodeError
	if !errors.As(err, &refused) || below.Stats().Workers != 0 {
		t.Errorf("a byte above: %v, stats %+v", err, below.Stats())
	}
}
