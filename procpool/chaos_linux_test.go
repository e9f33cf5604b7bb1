package procpool_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

var (
	chaosFor  = flag.Duration("chaos", 0, "how long TestChaos goes on; 0: a moment")
	chaosSeed = flag.Uint64("chaos.seed", 0, "what TestChaos does, but not when; 0: another each time")
)

type chaosCall struct {
	File   string
	Number int
	End    string // how the job ends; empty: well
	Late   bool   // after it has written its line, not before
	Pause  time.Duration
}

// chaotic appends its number to a file, and may take its worker with it.
var chaotic = job.Define("chaotic", func(_ context.Context, in chaosCall) (int, error) {
	<-time.After(in.Pause)
	if in.Late || in.End == "" {
		if err := appendLine(in.File, in.Number); err != nil {
			return 0, err
		}
	}
	switch in.End {
	case "error":
		return 0, errors.New("as told")
	case "hang":
		select {}
	case "":
		return in.Number, nil
	default:
		return end.Call(context.Background(), in.End)
	}
})

// chaos is what one run has seen.
type chaos struct {
	t       *testing.T
	pool    *procpool.Pool
	file    string
	mu      sync.Mutex
	outcome map[int]error  // guarded by mu; by number
	kinds   map[string]int // guarded by mu
	next    int            // guarded by mu
}

// Workers are killed at random while 16 tasks submit numbered jobs: every call has one outcome, jobs
// that succeeded ran once, those that failed at most once, and nothing is left behind.
//
//	go test ./procpool -run TestChaos -chaos 1m -chaos.seed 1
func TestChaos(t *testing.T) {
	seed, lasts := *chaosSeed, *chaosFor
	if seed == 0 {
		seed = rand.Uint64()>>1 + 1
	}
	if lasts == 0 {
		lasts = time.Second
	}
	t.Logf("to run it again: -chaos %v -chaos.seed %d", lasts, seed)
	filesBefore := channels()
	p, err := procpool.New(procpool.Config{Workers: 4, MinWorkers: 1, MaxCalls: 40, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	c := &chaos{t: t, pool: p, file: t.TempDir() + "/lines", outcome: map[int]error{}, kinds: map[string]int{}}
	over, cancel := context.WithTimeout(context.Background(), lasts)
	defer cancel()
	var killer sync.WaitGroup
	killer.Go(func() { c.kill(over, rand.New(rand.NewPCG(seed, 0))) })
	_, err = aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		return aio.WithGroup(ctx, func(ctx context.Context) error {
			for i := range 16 {
				aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					return c.submit(ctx, over, rand.New(rand.NewPCG(seed, uint64(i)+1)))
				}))
			}
			return nil
		})
	}))
	killer.Wait()
	if err != nil {
		t.Errorf("the loop: %v", err)
	}
	if s := p.Stats(); s.Busy != 0 || s.Waiting != 0 {
		t.Errorf("after all calls, stats are %+v", s)
	}
	if err := p.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	c.judge()
	if left := children(); len(left) > 0 {
		t.Errorf("children are left: %v", left)
	}
	if now := channels(); now != filesBefore {
		t.Errorf("%d pipes and sockets are open, %d were before", now, filesBefore)
	}
	t.Logf("%d calls: %v; stats %+v", c.next, c.kinds, p.Stats())
}

// submit makes calls, one after the other, until over.
func (c *chaos) submit(ctx, over context.Context, random *rand.Rand) error {
	for over.Err() == nil {
		c.mu.Lock()
		in := chaosCall{File: c.file, Number: c.next, Late: random.IntN(2) == 0, Pause: time.Duration(random.IntN(3000)) * time.Microsecond}
		c.next++
		c.mu.Unlock()
		patience := time.Minute
		switch n := random.IntN(100); {
		case n < 3:
			in.End = "exit"
		case n < 5:
			in.End = "kill"
		case n < 6:
			in.End = "memory"
		case n < 7:
			in.End = "panic"
		case n < 9:
			in.End = "error"
		case n < 11:
			in.End, patience = "hang", time.Duration(random.IntN(20))*time.Millisecond
		case n < 20:
			patience = time.Duration(random.IntN(6000)) * time.Microsecond
		}
		calling, cancel := aio.WithTimeout(ctx, patience)
		var err error
		if random.IntN(2) == 0 {
			_, err = chaotic.In(calling, c.pool, in).Await(calling)
		} else {
			var outcome []byte
			outcome, err = c.pool.Execute(calling, callOf(chaotic, in))
			if err == nil {
				_, err = decoded(outcome)
			}
		}
		cancel()
		c.note(in, err)
	}
	return nil
}

// decoded is an outcome as job decodes it.
func decoded(outcome []byte) (int, error) {
	return chaotic.In(context.Background(), fixed(outcome), chaosCall{}).Await(context.Background())
}

// fixed is an executor that has the outcome already.
type fixed []byte

func (f fixed) Execute(context.Context, job.Call) ([]byte, error) { return f, nil }
func (f fixed) Close() error                                      { return nil }

// note takes down the outcome of a call, which must be one that it can have.
func (c *chaos) note(in chaosCall, err error) {
	var died *procpool.WorkerDied
	var remote *job.RemoteError
	kind := ""
	switch {
	case err == nil:
		kind = "done"
	case errors.As(err, &died):
		kind = "died"
	case errors.As(err, &remote) && in.End == "error":
		kind = "failed"
	case errors.Is(err, context.DeadlineExceeded):
		kind = "cancelled"
	default:
		c.t.Errorf("call %d (%q) ended with %v", in.Number, in.End, err)
	}
	if err == nil && in.End != "" {
		c.t.Errorf("call %d was to end by %s, and succeeded", in.Number, in.End)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, twice := c.outcome[in.Number]; twice {
		c.t.Errorf("call %d has two outcomes", in.Number)
	}
	c.outcome[in.Number] = err
	c.kinds[kind]++
}

// kill kills workers until over, which are the only children of this process.
func (c *chaos) kill(over context.Context, random *rand.Rand) {
	for over.Err() == nil {
		select {
		case <-over.Done():
		case <-time.After(time.Duration(random.IntN(40)) * time.Millisecond):
		}
		victims := children()
		if len(victims) == 0 {
			continue
		}
		pid, err := strconv.Atoi(victims[random.IntN(len(victims))])
		if err != nil {
			c.t.Error(err)
			return
		}
		victim, err := os.FindProcess(pid) // holds on to the process, whoever has the number later
		if err != nil {
			continue
		}
		if isChild(pid) {
			if random.IntN(2) == 0 && hasBegun(pid) {
				_ = victim.Signal(syscall.SIGSTOP)
				<-time.After(time.Duration(random.IntN(20)) * time.Millisecond)
			}
			_ = victim.Kill()
		}
		_ = victim.Release()
	}
}

// judge compares outcomes with what jobs have written.
func (c *chaos) judge() {
	text, err := os.ReadFile(c.file)
	if err != nil {
		c.t.Fatal(err)
	}
	ran := map[int]int{}
	for line := range strings.Lines(string(text)) {
		n, err := strconv.Atoi(strings.TrimSuffix(line, "\n"))
		if err != nil {
			c.t.Errorf("a torn line: %q", line)
		}
		ran[n]++
	}
	for n := range c.next {
		err, ended := c.outcome[n]
		switch {
		case !ended:
			c.t.Errorf("call %d has no outcome", n)
		case err == nil && ran[n] != 1:
			c.t.Errorf("call %d succeeded and ran %d times", n, ran[n])
		case ran[n] > 1:
			c.t.Errorf("call %d ran %d times, and ended with %v", n, ran[n], err)
		}
	}
	if c.kinds["done"] == 0 || c.kinds["died"] == 0 || c.kinds["cancelled"] == 0 {
		c.t.Errorf("this was no chaos: %v", c.kinds)
	}
}

// isChild reports whether a process is a child of this one.
func isChild(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	return err == nil && len(rest) > 2 && strings.HasPrefix(rest[2:], fmt.Sprintf("%d ", os.Getpid()))
}

// hasBegun reports whether a child runs its program. Until then its parent's thread waits for it, and the garbage collector, and so everybody, for that
// thread: a child that is stopped there stops this process, too, which then cannot end it.
func hasBegun(pid int) bool {
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && strings.Contains(string(args), procpool.WorkerArg)
}
