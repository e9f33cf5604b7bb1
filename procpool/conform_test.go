package procpool_test

import (
	"testing"

	"github.com/seed8b1f0744/aio/aiotest"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

func TestPool_conforms(t *testing.T) {
	for name, config := range map[string]procpool.Config{
		"one":      {Workers: 1},
		"three":    {Workers: 3, MinWorkers: 1},
		"one call": {Workers: 2, MaxCalls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			aiotest.TestJobExecutor(t, func(t testing.TB) job.Executor {
				p, err := procpool.New(config)
				if err != nil {
					t.Fatal(err)
				}
				return p
			})
		})
	}
}
