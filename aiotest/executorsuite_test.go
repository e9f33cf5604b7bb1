package aiotest_test

import (
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

func TestExecutor_pool(t *testing.T) {
	for name, config := range map[string]aio.PoolConfig{
		"default":          {},
		"one":              {Workers: 1},
		"queue":            {Workers: 3, Queue: 5},
		"one and a queue":  {Workers: 1, Queue: 2},
		"endless queue":    {Workers: 2, Queue: -1},
		"fails":            {Workers: 2, FailIfFull: true},
		"fails with queue": {Workers: 1, Queue: 3, FailIfFull: true},
		"impatient":        {Workers: 4, Queue: 1, IdleAfter: time.Nanosecond},
	} {
		t.Run(name, func(t *testing.T) {
			aiotest.TestExecutor(t, func(testing.TB) aio.Executor { return aio.NewPool(config) })
		})
	}
}

func TestExecutor_thread(t *testing.T) {
	aiotest.TestExecutor(t, func(testing.TB) aio.Executor { return aio.NewThread() })
}

func TestExecutor_each(t *testing.T) {
	aiotest.TestExecutor(t, func(testing.TB) aio.Executor { return NewEach(3) })
}
