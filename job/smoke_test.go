package job_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

type args struct{ A, B int }

var sum = job.Define("sum", func(_ context.Context, in args) (int, error) {
	if in.A < 0 {
		return 0, errors.New("negative")
	}
	return in.A + in.B, nil
})

// direct serves each call in the goroutine that executes it.
type direct struct{}

func (direct) Execute(ctx context.Context, c job.Call) ([]byte, error) { return job.Serve(ctx, c), nil }
func (direct) Close() error                                            { return nil }

func TestIn(t *testing.T) {
	pool := aio.NewPool(aio.PoolConfig{})
	defer pool.Close()
	for _, ex := range []job.Executor{direct{}, job.Local(pool)} {
		if got, err := sum.In(t.Context(), ex, args{1, 2}).Await(t.Context()); got != 3 || err != nil {
			t.Errorf("%v, %v", got, err)
		}
		if got, err := sum.In(t.Context(), ex, args{-1, 2}).Await(t.Context()); err == nil || err.Error() != "negative" {
			t.Errorf("%v, %v", got, err)
		}
	}
}
