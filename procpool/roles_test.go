//go:build unix

package procpool_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

// roles are what a process that a test starts does before it calls Main, by the environment variable
// roleName. Those that return call Main then, and do what programs says.
var roles = map[string]func(){
	"files": func() { fmt.Println(openFiles()); os.Exit(0) },
	"still": stand,
	"forgot": func() { // a program without Main
		_, err := procpool.New(procpool.Config{})
		fmt.Println(err)
		os.Exit(0)
	},

	// Workers that go wrong at their start.
	"exits": func() {
		noteStart()
		fmt.Fprintln(os.Stderr, "no licence found")
		os.Exit(3)
	},
	"licensed": func() { // as exits, until there is one
		if _, err := os.Stat(os.Getenv("PROCPOOL_TEST_LICENCE")); err != nil {
			noteStart()
			fmt.Fprintln(os.Stderr, "no licence found")
			os.Exit(3)
		}
	},
	"skips": func() { // Main was behind a condition
		noteStart()
		p, err := procpool.New(procpool.Config{})
		if err == nil {
			_, err = pid.In(context.Background(), p, 0).Await(context.Background())
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	},
	"slow": stand,

	// Workers that do not speak as agreed.
	"garbage":      func() { say([]byte("panic: this is no frame, and longer than the header of one\n")); stand() },
	"othername":    func() { say(procpool.Frame(procpool.Hello, 0, "another build", nil)); stand() },
	"otherversion": func() { f := hello(); f[3]++; say(f); stand() },
	"huge":         func() { say(hello()); answer(0, func(f []byte) []byte { f[30] = 0xff; return f }); stand() },
	"mute":         func() { say(hello()); closeAnswers(); stand() },
	"deaf":         func() { noteStart(); calls, _ := procpool.WorkerPipes(); calls.Close(); say(hello()); stand() },
	"torn":         func() { say(hello()); answer(0, func(f []byte) []byte { return f[:len(f)-1] }); os.Exit(4) },
	"tornbulk": func() {
		say(hello())
		answer(0, func(f []byte) []byte { f[24], f[26] = 0, 1; return f[:len(f)-2] }) // 64 KiB will follow on the socket
		sayInBulk(make([]byte, 100))
		os.Exit(4)
	},
	"wrongseq":  func() { say(hello()); answer(1, func(f []byte) []byte { return f }); stand() },
	"wrongkind": func() { say(hello()); answer(0, func(f []byte) []byte { f[4] = procpool.Hello; return f }); stand() },
	"twice": func() {
		say(hello())
		answer(0, func(f []byte) []byte { return append(f, f...) })
		answer(0, func(f []byte) []byte { return f })
		stand()
	},
}

// stand does nothing until the pool ends, or its process.
func stand() {
	_, _ = io.Copy(io.Discard, os.NewFile(5, "parent"))
	os.Exit(0)
}

func hello() []byte { return procpool.Frame(procpool.Hello, 0, procpool.Build(), nil) }

func say(p []byte) {
	_, answers := procpool.WorkerPipes()
	if _, err := answers.Write(p); err != nil {
		os.Exit(9)
	}
}

func sayInBulk(p []byte) {
	if _, err := os.NewFile(6, "bulk").Write(p); err != nil {
		os.Exit(9)
	}
}

func closeAnswers() {
	_, answers := procpool.WorkerPipes()
	answers.Close()
}

// answer answers a call with a seq that is off, and a frame that was changed.
func answer(off uint64, change func([]byte) []byte) {
	calls, _ := procpool.WorkerPipes()
	say(change(procpool.Frame(procpool.Outcome, procpool.ReadSeq(calls)+off, "", []byte("ab"))))
}

// noteStart appends a line to the file in which a test counts starts.
func noteStart() {
	if name := os.Getenv("PROCPOOL_TEST_STARTS"); name != "" {
		if err := appendLine(name, os.Getpid()); err != nil {
			os.Exit(9)
		}
	}
}

// starts is how often noteStart was called.
func starts(name string) int {
	text, _ := os.ReadFile(name)
	return bytes.Count(text, []byte("\n"))
}

// waits touches a file, and returns when there is another.
var waits = job.Define("waits", func(ctx context.Context, name string) (int, error) {
	if err := os.WriteFile(name, fmt.Append(nil, os.Getpid()), 0o666); err != nil {
		return 0, err
	}
	return aio.Poll(ctx, time.Millisecond, func() (int, bool, error) {
		_, err := os.Stat(name + ".go")
		return 7, err == nil, nil
	})
})

// programs are what a process that a test starts does after Main, as a program of its own.
var programs = map[string]func(ctx context.Context, p *procpool.Pool) error{
	"prints": func(ctx context.Context, p *procpool.Pool) error {
		n, err := prt.In(ctx, p, "aio\x01\x02\x00\x00 is printed\n").Await(ctx)
		fmt.Println("printed", n)
		return err
	},
	// interrupted decides what Ctrl-C means: the job that runs may end.
	"interrupted": func(ctx context.Context, p *procpool.Pool) error {
		ctrlC := make(chan os.Signal, 1)
		signal.Notify(ctrlC, os.Interrupt)
		name := os.Getenv("PROCPOOL_TEST_FILE")
		f := waits.In(ctx, p, name)
		<-ctrlC
		if err := os.WriteFile(name+".go", nil, 0o666); err != nil {
			return err
		}
		n, err := f.Await(ctx)
		fmt.Println("the job has ended with", n)
		return err
	},
	// dies has two workers that are busy; somebody will kill it.
	"dies": func(ctx context.Context, p *procpool.Pool) error {
		for i := range 2 {
			hang.In(ctx, p, fmt.Sprintf("%s.%d", os.Getenv("PROCPOOL_TEST_FILE"), i))
		}
		<-ctx.Done()
		return nil
	},
}

func playProgram(run func(ctx context.Context, p *procpool.Pool) error) {
	p, err := procpool.New(procpool.Config{Workers: 2, Env: os.Environ()})
	if err == nil {
		err = run(context.Background(), p)
	}
	if err != nil {
		fmt.Println(err)
	}
	p.Close()
	os.Exit(0)
}
