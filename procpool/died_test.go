//go:build unix

package procpool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

// end has the worker end in the given way.
var end = job.Define("end", func(_ context.Context, how string) (int, error) {
	fmt.Fprintln(os.Stderr, "last words of", how)
	switch how {
	case "exit":
		os.Exit(7)
	case "panic":
		go func() { panic("in a goroutine of the job") }()
	case "segv":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "memory":
		if err := limitMemory(1 << 30); err != nil {
			return 0, err
		}
		for {
			hoard = append(hoard, make([]byte, 64<<20))
		}
	}
	select {}
})

func TestWorkerDied(t *testing.T) {
	var out output
	p := pool(t, procpool.Config{Workers: 1, Stderr: &out})
	ctx := soon(t)
	for _, c := range []struct{ how, state, words string }{
		{"exit", "exit status 7", "last words of exit"},
		{"panic", "exit status 2", "panic: in a goroutine of the job"},
		{"segv", "exit status 2", "SIGSEGV: segmentation violation"},
		{"kill", "signal: killed", "last words of kill"},
		{"memory", "exit status 2", "fatal error: "},
	} {
		t.Run(c.how, func(t *testing.T) {
			if c.how == "memory" && runtime.GOOS != "linux" {
				t.Skip("no limit that holds everywhere")
			}
			before := p.Stats().Died
			_, err := end.In(ctx, p, c.how).Await(ctx)
			died := diedOf(t, err)
			if c.how == "memory" && strings.Contains(died.Stderr, "ThreadSanitizer") {
				c.state, c.words = "exit status 66", "unable to mmap" // with -race not only Go's runtime asks for memory
			}
			mentions(t, err, fmt.Sprintf("aio: job %q: worker %d died: %s", end.Name(), died.Pid, c.state), c.words)
			if died.State == nil || died.State.String() != c.state || died.State.Pid() != died.Pid {
				t.Errorf("state is %v", died.State)
			}
			if !strings.HasPrefix(died.Stderr, "last words of "+c.how) || !strings.Contains(died.Stderr, c.words) {
				t.Errorf("stderr is %q", died.Stderr)
			}
			if !strings.Contains(out.String(), c.words) {
				t.Errorf("passed on was %q", out.String())
			}
			if got, err := pid.In(ctx, p, 0).Await(ctx); err != nil || got == died.Pid {
				t.Errorf("the next call: worker %d, %v", got, err)
			}
			if s := p.Stats(); s.Died != before+1 || s.Killed != 0 || s.Workers != 1 || s.Busy != 0 {
				t.Errorf("stats are %+v", s)
			}
		})
	}
}

// What happens to one call is no other's business.
func TestWorkerDied_othersGoOn(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 2, Stderr: &output{}})
	ctx := soon(t)
	name := t.TempDir() + "/n"
	calling, cancel := context.WithCancel(ctx)
	other := hang.In(calling, p, name)
	otherPid := running(t, name)
	for range 3 {
		_, err := end.In(ctx, p, "kill").Await(ctx)
		diedOf(t, err)
	}
	if gone(otherPid) {
		t.Error("the other worker is gone")
	}
	cancel()
	if _, err := other.Await(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the other call: %v", err)
	}
}

// A worker that is killed while it has nothing to do fails no call.
func TestWorkerDied_idle(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1})
	ctx := soon(t)
	for i := range 5 {
		victim, err := pid.In(ctx, p, 0).Await(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "its end is known", func() bool { return p.Stats().Died == uint64(i)+1 })
		if s := p.Stats(); s.Workers != 0 {
			t.Errorf("stats are %+v", s)
		}
	}
}

func TestExecute_killsWhatAJobHasStarted(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1, Stderr: &output{}})
	ctx := soon(t)
	for _, how := range []string{"cancel", "exit"} {
		calling, cancel := context.WithCancel(ctx)
		name := t.TempDir() + "/pid"
		f := family.In(calling, p, familyArgs{name, how == "exit"})
		child := running(t, name)
		if how == "cancel" {
			cancel()
		}
		_, err := f.Await(ctx)
		if err == nil {
			t.Errorf("%s: no error", how)
		}
		eventually(t, "the job's child is gone", func() bool { return gone(child) })
		cancel()
	}
}

type familyArgs struct {
	File string
	Exit bool
}

// family starts a process that waits for the end of a pipe which it holds itself, and ends or hangs.
var family = job.Define("family", func(_ context.Context, in familyArgs) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer w.Close()
	child, err := os.StartProcess(self, []string{"still"}, &os.ProcAttr{Env: as("still"), Files: []*os.File{r, os.Stdout, os.Stderr, nil, nil, r, w}})
	if err != nil {
		return 0, err
	}
	if err := os.WriteFile(in.File, fmt.Append(nil, child.Pid), 0o666); err != nil {
		return 0, err
	}
	if in.Exit {
		os.Exit(5)
	}
	select {}
})

// halt stops a process, and waits until it does nothing any more.
func halt(t testing.TB, pid int) {
	t.Helper()
	if pid <= 0 {
		t.Fatalf("%d is no process: the signal would be for this group", pid)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process has stopped", func() bool { return halted(pid) })
}

// A stopped worker answers nothing, and can be killed.
func TestExecute_stoppedWorker(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1})
	ctx := soon(t)
	victim, err := pid.In(ctx, p, 0).Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	halt(t, victim)
	// The argument is too large for a pipe: one part of it stays here.
	for _, size := range []int{1, 1 << 20} {
		calling, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		if _, err := p.Execute(calling, echoCall(size)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		cancel()
		next, err := pid.In(ctx, p, 0).Await(ctx)
		if err != nil || next == victim {
			t.Fatalf("the next call: worker %d, %v", next, err)
		}
		victim = next
		halt(t, victim)
	}
	defer procpool.EndWithin(10 * time.Millisecond)()
	if err := p.Close(); err != nil { // it does not wait for the stopped one for ever
		t.Errorf("Close: %v", err)
	}
	if !gone(victim) {
		t.Error("a worker has outlived its pool")
	}
}
