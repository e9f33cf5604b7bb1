//go:build unix

package procpool_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/doors"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

// linger notes in a folder that it runs, and returns when there is a file "go" in it.
var linger = job.Define("linger", func(ctx context.Context, dir string) (int, error) {
	if err := appendLine(filepath.Join(dir, "ran"), 1); err != nil {
		return 0, err
	}
	return aio.Poll(ctx, time.Millisecond, func() (int, bool, error) {
		_, err := os.Stat(filepath.Join(dir, "go"))
		return 1, err == nil, nil
	})
})

// lingerCall is the call as it travels.
func lingerCall(t testing.TB, dir string) job.Call {
	var c keeps
	_, _ = linger.In(context.Background(), &c, dir).Await(context.Background())
	if c.call.Name == "" {
		t.Fatal("the call was not encoded")
	}
	return c.call
}

// keeps is an executor that keeps the call.
type keeps struct {
	job.Executor
	call job.Call
}

func (k *keeps) Accept(_ context.Context, c job.Call) (func(context.Context) ([]byte, error), error) {
	k.call = c
	return nil, aio.ErrFull
}

// lingerTrial is a door to a pool with one worker, and, if it is busy, a call that this has.
func lingerTrial(busy bool, through func(ctx context.Context, p *procpool.Pool, c job.Call) error) func(testing.TB) doors.Trial {
	return func(t testing.TB) doors.Trial {
		p := pool(t, procpool.Config{Workers: 1, MinWorkers: 1})
		mine, others := t.TempDir(), t.TempDir()
		c := lingerCall(t, mine)
		if _, err := pid.In(context.Background(), p, 0).Await(context.Background()); err != nil { // now there is a worker
			t.Fatal(err)
		}
		var before *aio.Future[int]
		if busy {
			before = linger.In(context.Background(), p, others)
		}
		return doors.Trial{
			Call: func(ctx context.Context) error { return through(ctx, p, c) },
			Let: func() {
				for _, dir := range []string{mine, others} {
					if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o666); err != nil {
						t.Error(err)
					}
				}
			},
			Ran: func() int {
				text, err := os.ReadFile(filepath.Join(mine, "ran"))
				if err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Error(err)
				}
				return bytes.Count(text, []byte("\n")) + int(p.Stats().Killed) // a worker that had the call, and was stopped
			},
			Close: func() {
				if before != nil {
					if _, err := before.Await(context.Background()); err != nil {
						t.Errorf("the call before: %v", err)
					}
				}
				if err := p.Close(); err != nil { // which waits for what it has taken
					t.Errorf("Close: %v", err)
				}
			},
		}
	}
}

func executing(ctx context.Context, p *procpool.Pool, c job.Call) error {
	_, err := p.Execute(ctx, c)
	return err
}

var allDoors = []doors.Door{
	{Name: "Pool.Execute", Make: lingerTrial(false, executing)},
	{Name: "Pool.Execute, busy", Make: lingerTrial(true, executing)},
	{Name: "Pool.Accept, busy", Make: lingerTrial(true, func(ctx context.Context, p *procpool.Pool, c job.Call) error {
		outcome, err := p.Accept(ctx, c)
		if err != nil {
			return err
		}
		_, err = aio.Blocking(ctx, outcome)
		return err
	})},
	{Name: "Pool.Close", Make: func(t testing.TB) doors.Trial {
		tr := lingerTrial(true, func(_ context.Context, p *procpool.Pool, _ job.Call) error { return p.Close() })(t)
		tr.Ran = nil // it starts nothing
		return tr
	}},
}

var noDoors = map[string]string{
	"Main": "in a worker it never returns, elsewhere at once; nothing runs before it",
}

func TestDoors(t *testing.T) {
	for _, d := range allDoors {
		t.Run(d.Name, func(t *testing.T) {
			doors.Try(t, d, func(t *testing.T, body func(*testing.T)) { body(t) }, func() {})
		})
	}
}

// Whoever adds something that waits adds a row, or says why it needs none.
func TestDoors_areAll(t *testing.T) { doors.AreAll(t, "..", "procpool", allDoors, noDoors) }
