package aio_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// A program that was stopped and goes on has had no slow step, whatever the clock says; and the
// watchdog still sees one afterwards. The stop takes real time, which nobody but the kernel can
// fake.
func TestSlowStep_stoppedProgram(t *testing.T) {
	const asked = "AIO_TEST_STOPPED"
	if os.Getenv(asked) != "" {
		stoppedProgram()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), asked+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	lines := bufio.NewScanner(out)
	var told []string
	steps := func(n int) {
		for n > 0 && lines.Scan() {
			if line, ok := strings.CutPrefix(lines.Text(), "slow: "); ok {
				told = append(told, line)
			} else {
				n--
			}
		}
	}
	for range 4 {
		steps(2)
		if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
			t.Fatalf("the program did not stop: %v, %v", status, err)
		}
		<-time.After(4 * stoppedLimit)
		if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	steps(2)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		if line, ok := strings.CutPrefix(lines.Text(), "slow: "); ok {
			told = append(told, line)
		}
	}
	if want := []string{"culprit", "culprit has ended"}; !slices.Equal(told, want) {
		t.Errorf("told of %q, want only %q", told, want)
	}
}

const stoppedLimit = 100 * time.Millisecond

// stoppedProgram has steps of half the limit, of which most are looked at when the program is
// stopped, and after a SIGTERM one that is slow.
func stoppedProgram() {
	release, over := make(chan struct{}), make(chan struct{})
	var terminate aio.Event
	l := aio.Start(aio.WithSlowStep(stoppedLimit), aio.WithHooks(aio.Hooks{SlowStep: func(s aio.SlowStep) {
		switch {
		case s.Stack != nil && s.Task.Name == "culprit":
			fmt.Println("slow: culprit")
			close(release)
		case s.Task.Name == "culprit":
			fmt.Println("slow: culprit has ended")
			close(over)
		default:
			fmt.Printf("slow: %+v after %v, CPU %v, at %s\n%s\n", s.Task, s.Took, s.CPU, s.At, s.Stack)
		}
	}}))
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() { <-signals; terminate.Set() }()
	aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
		for !terminate.IsSet() {
			<-time.After(stoppedLimit / 2)
			fmt.Println("step")
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
	on := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
		if err := terminate.Wait(ctx); err != nil {
			return err
		}
		<-release
		return nil
	}), aio.Named("culprit"))
	if _, err := on.Await(context.Background()); err != nil {
		fmt.Println("slow:", err)
	}
	<-over
	_ = l.Close()
}

// What CPU a step is said to have got is since the watchdog looked at it, and on a thread of its own only that thread's. Somebody else
// burns meanwhile what the step does not.
func TestSlowStep_cpu(t *testing.T) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Error(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	const burnt = 100 * time.Millisecond
	for name, opts := range map[string][]aio.Option{"": nil, "debug": {aio.WithDebug()}, "OnThread": {aio.OnThread()}} {
		t.Run(name, func(t *testing.T) {
			for used() < 2*burnt { // so that all from the beginning would be seen to be too much
			}
			told, over := make(chan struct{}), make(chan aio.SlowStep, 1)
			l := start(t, append(opts, aio.WithSlowStep(5*time.Millisecond), aio.WithHooks(aio.Hooks{SlowStep: func(s aio.SlowStep) {
				switch {
				case s.Task.Name != "waits":
				case s.Stack != nil:
					close(told)
				default:
					over <- s
				}
			}}))...)
			release := make(chan struct{})
			before := used()
			aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { <-release; return nil }), aio.Named("waits"))
			<-told
			for from := used(); used() < from+burnt; {
			}
			close(release)
			s := <-over
			least, most := burnt, used()-before
			if name == "OnThread" {
				least, most = 0, burnt/2
			}
			if s.CPU < least || s.CPU > most {
				t.Errorf("it is said to have got %v, want %v to %v", s.CPU, least, most)
			}
		})
	}
}
