//go:build unix

package procpool_test

import (
	"context"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/procpool"
)

// Close does not wait for StartTimeout: what has only begun to start is ended as any other worker.
func TestClose_whileWorkersStart(t *testing.T) {
	defer procpool.EndWithin(10 * time.Millisecond)()
	ctx := soon(t)
	p, err := procpool.New(procpool.Config{Workers: 2, MinWorkers: 1, StartTimeout: time.Hour, Env: as("slow")})
	if err != nil {
		t.Fatal(err)
	}
	calling, cancel := context.WithCancel(ctx)
	failed := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := p.Execute(calling, echoCall(1))
			failed <- err
		}()
	}
	eventually(t, "both workers start", func() bool { return p.Stats().Workers == 2 })
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	cancel()
	for range 2 {
		if err := <-failed; err == nil {
			t.Errorf("a call that never ran: %v", err)
		}
	}
	select {
	case err := <-closed:
		if s := p.Stats(); err != nil || s.Workers != 0 || s.Died != 0 {
			t.Errorf("Close: %v, stats are %+v", err, s)
		}
	case <-ctx.Done():
		t.Error("Close waits for a worker that starts")
	}
}
