//go:build unix

package procpool_test

import (
	"context"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

// What calls cost, small ones and large ones, is measured in ../bench beside what the bytes alone cost.

// echo is a job that does nothing.
var echo = job.Define("echo", func(_ context.Context, in []byte) ([]byte, error) { return in, nil })

// echoCall is a call of echo with n bytes.
func echoCall(n int) job.Call {
	var seen capture
	_, _ = echo.In(context.Background(), &seen, make([]byte, n)).Await(context.Background())
	return seen.call
}

// capture is an executor that only looks at calls.
type capture struct{ call job.Call }

func (c *capture) Execute(_ context.Context, call job.Call) ([]byte, error) {
	c.call = call
	return nil, aio.ErrClosed
}

func (c *capture) Close() error { return nil }

// A worker for each call: started, and ended.
func BenchmarkExecute_newWorker(b *testing.B) {
	p := pool(b, procpool.Config{Workers: 1, MaxCalls: 1})
	call := echoCall(64)
	for b.Loop() {
		if _, err := p.Execute(b.Context(), call); err != nil {
			b.Fatal(err)
		}
	}
}
