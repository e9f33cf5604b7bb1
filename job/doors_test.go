package job_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/doors"
	"github.com/seed8b1f0744/aio/job"
)

var twice = job.Bind(sum, func(n int) args { return args{A: n, B: n} })

// doorJob runs the trial that it is told.
var doorTrials atomic.Pointer[doorTrial]

type doorTrial struct {
	ran  atomic.Int32
	goOn aio.Promise[int]
}

var doorJob = job.Define("job_test.door", func(ctx context.Context, _ int) (int, error) {
	tr := doorTrials.Load()
	tr.ran.Add(1)
	return tr.goOn.Await(ctx)
})

var allDoors = []doors.Door{
	{Name: "Job.In, an Accepter without room", Make: func(testing.TB) doors.Trial {
		ex := newNarrow()
		<-ex.room
		return doors.Trial{
			Call: func(ctx context.Context) error { _, err := sum.In(ctx, ex, args{}).Await(ctx); return err },
			Let:  func() { ex.room <- struct{}{} },
			Ran:  ex.served,
		}
	}},
	{Name: "Bound.In, an Accepter without room", Make: func(testing.TB) doors.Trial {
		ex := newNarrow()
		<-ex.room
		return doors.Trial{
			Call: func(ctx context.Context) error { _, err := twice.In(ctx, ex, 1).Await(ctx); return err },
			Let:  func() { ex.room <- struct{}{} },
			Ran:  ex.served,
		}
	}},
	{Name: "Job.In, Local without room", Make: localTrial(aio.PoolConfig{Workers: 1}, func(ctx context.Context, ex job.Executor, tr *doorTrial) error {
		_, err := doorJob.In(ctx, ex, 0).Await(ctx)
		return err
	}, true)},
	{Name: "Local, Execute", Make: localTrial(aio.PoolConfig{}, executing, false)},
	{Name: "Local, Execute without room", Make: localTrial(aio.PoolConfig{Workers: 1}, executing, true)},
	{Name: "Local, Close", Make: func(t testing.TB) doors.Trial {
		_, ex := onPool(t, aio.PoolConfig{})
		tr := new(doorTrial)
		doorTrials.Store(tr)
		f := doorJob.In(context.Background(), ex, 0)
		return doors.Trial{
			Call:  func(context.Context) error { return ex.Close() },
			Let:   func() { tr.goOn.Resolve(1) },
			Close: func() { _, err := f.Await(context.Background()); failIf(t, err); failIf(t, ex.Close()) },
		}
	}},
}

var noDoors = map[string]string{
	"Job.Call":   "is a call of the job's function, and waits if that does",
	"Bound.Call": "is a call of the job's function, and waits if that does",
	"Serve":      "is a call of the job's function, and waits if that does",
}

func executing(ctx context.Context, ex job.Executor, _ *doorTrial) error {
	keep := new(keeps)
	_, _ = doorJob.In(context.Background(), keep, 0).Await(context.Background())
	_, err := ex.Execute(ctx, keep.call)
	return err
}

// keeps is an executor that keeps the call, as it would travel.
type keeps struct {
	job.Executor
	call job.Call
}

func (k *keeps) Execute(context.Context, job.Call) ([]byte, error) { return nil, aio.ErrClosed }

func (k *keeps) Accept(_ context.Context, c job.Call) (func(context.Context) ([]byte, error), error) {
	k.call = c
	return nil, aio.ErrFull // at once, so that a callback has it too
}

// localTrial is a door to a Local executor, whose jobs wait until they are let go; busy: and whose only worker has another call.
func localTrial(c aio.PoolConfig, through func(context.Context, job.Executor, *doorTrial) error, busy bool) func(testing.TB) doors.Trial {
	return func(t testing.TB) doors.Trial {
		pool, ex := onPool(t, c)
		tr := new(doorTrial)
		doorTrials.Store(tr)
		work := make(chan struct{})
		if busy {
			failIf(t, pool.Submit(context.Background(), func() { <-work }))
		}
		return doors.Trial{
			Call:  func(ctx context.Context) error { return through(ctx, ex, tr) },
			Let:   func() { close(work); tr.goOn.Resolve(1) },
			Ran:   func() int { return int(tr.ran.Load()) },
			Close: func() { failIf(t, ex.Close()); failIf(t, pool.Close()) },
		}
	}
}

func failIf(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func (n *narrow) served() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.calls)
}

func TestDoors(t *testing.T) {
	for _, d := range allDoors {
		t.Run(d.Name, func(t *testing.T) { doors.Try(t, d, synctest.Test, synctest.Wait) })
	}
}

// Whoever adds something that waits adds a row, or says why it needs none.
func TestDoors_areAll(t *testing.T) { doors.AreAll(t, "..", "job", allDoors, noDoors) }
