package aiotest_test

import (
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
	"github.com/seed8b1f0744/aio/job"
)

func TestJobExecutor_local(t *testing.T) {
	for name, newExecutor := range map[string]func() aio.Executor{
		"pool":       func() aio.Executor { return aio.NewPool(aio.PoolConfig{}) },
		"one":        func() aio.Executor { return aio.NewPool(aio.PoolConfig{Workers: 1}) },
		"fails":      func() aio.Executor { return aio.NewPool(aio.PoolConfig{Workers: 2, FailIfFull: true}) },
		"fails, one": func() aio.Executor { return aio.NewPool(aio.PoolConfig{Workers: 1, FailIfFull: true}) },
		"thread":     func() aio.Executor { return aio.NewThread() },
	} {
		t.Run(name, func(t *testing.T) {
			aiotest.TestJobExecutor(t, func(t testing.TB) job.Executor {
				ex := newExecutor()
				t.Cleanup(func() {
					if err := ex.Close(); err != nil {
						t.Error(err)
					}
				})
				return job.Local(ex)
			})
		})
	}
}
