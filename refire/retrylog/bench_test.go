package retrylog_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// BenchmarkSync: what a policy costs for each outcome, in batches of as many as come at a time.
func BenchmarkSync(b *testing.B) {
	for _, policy := range []retrylog.Sync{retrylog.SyncNever, retrylog.SyncInterval, retrylog.SyncAlways} {
		for _, batch := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/%d", policy, batch), func(b *testing.B) {
				j, _, err := retrylog.Open(filepath.Join(b.TempDir(), "retry.log"), retrylog.Options{Sync: policy}, func(*refire.Outcome) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
				list := make([]refire.Outcome, batch)
				for i := range list {
					list[i] = outcome(byte(i + 1))
				}
				n := 0
				for b.Loop() {
					if _, err := j.Append(list); err != nil {
						b.Fatal(err)
					}
					n += batch
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/outcome")
				if err := j.Close(); err != nil {
					b.Error(err)
				}
			})
		}
	}
}
