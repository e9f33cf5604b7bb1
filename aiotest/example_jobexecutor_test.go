package aiotest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
	"github.com/seed8b1f0744/aio/job"
)

var double = job.Define("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })

// Desks is an executor of jobs that encodes calls and serves them in this process: what is left of a
// pool of processes or machines without those.
type Desks struct{ *Each }

func NewDesks(n int) *Desks { return &Desks{NewEach(n)} }

func (d *Desks) Execute(ctx context.Context, c job.Call) ([]byte, error) {
	if !aio.InTask() { // Blocking calls it here, in a goroutine; in a callback it refuses
		return aio.Blocking(ctx, func(ctx context.Context) ([]byte, error) { return d.execute(ctx, c) })
	}
	return d.execute(ctx, c)
}

func (d *Desks) execute(ctx context.Context, c job.Call) ([]byte, error) {
	return aio.InExecutor(ctx, d.Each, func(ctx context.Context) ([]byte, error) {
		return job.Serve(ctx, c), nil
	}).Await(ctx)
}

func TestJobExecutor_desks(t *testing.T) {
	aiotest.TestJobExecutor(t, func(testing.TB) job.Executor { return NewDesks(2) })
}

// An executor of one's own, for jobs. A test of it is one call:
//
//	aiotest.TestJobExecutor(t, func(testing.TB) job.Executor { return NewDesks(2) })
func ExampleTestJobExecutor() {
	ex := NewDesks(2)
	defer ex.Close()
	ctx := context.Background()
	fmt.Println(double.In(ctx, ex, 21).Await(ctx))
	// Output: 42 <nil>
}
