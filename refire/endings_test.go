package refire_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
)

// lacking is what an attempt comes to for want of something of this machine's.
func lacking(errno syscall.Errno, unsent bool) refire.Answer {
	return refire.Answer{Err: &refire.Failure{Trouble: refire.Other, Err: fmt.Errorf("socket: %w", errno)}, Unsent: unsent}
}

// TestThisMachineLacksSomething: that ends the run and uses up no entry; but one that was sent has an outcome, whatever failed then.
func TestThisMachineLacksSomething(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL, syscall.ECONNREFUSED} {
		for _, unsent := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				client := &fakeClient{answer: func(context.Context, *refire.Request, int) refire.Answer { return lacking(errno, unsent) }}
				sink := &memorySink{}
				_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(3)}, Client: client, Sink: sink, Concurrency: 1})
				var local *refire.LocalError
				if ends := unsent && errno != syscall.ECONNREFUSED; errors.As(err, &local) != ends || (len(sink.outcomes) == 0) != ends || (len(client.times) == 1) != ends {
					t.Errorf("%v, unsent %v: %v, %d written, %d fired", errno, unsent, err, len(sink.outcomes), len(client.times))
				}
			})
		}
	}
}

// brokenSink fails once it may.
type brokenSink struct {
	may   chan struct{}
	mu    sync.Mutex
	calls int // guarded by mu
}

func (s *brokenSink) Append([]refire.Outcome) (int, error) {
	<-s.may
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	return 0, errDiskFull
}

// TestSinkFailsOnce: it is not called any more, attempts that are under way are abandoned, and all that was fired counts as not written.
func TestSinkFailsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
			switch r.Target {
			case "/1": // ends while /0 is being written
				aio.Sleep(ctx, time.Second/2)
			case "/2":
				aio.Sleep(ctx, time.Hour)
			}
			return refire.Answer{Status: 200}
		}}
		sink, start := &brokenSink{may: make(chan struct{})}, time.Now()
		time.AfterFunc(time.Second, func() { close(sink.may) })
		p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(10)}, Client: client, Sink: sink, Concurrency: 3})
		var sinkErr *refire.SinkError
		if !errors.As(err, &sinkErr) || sink.calls != 1 || time.Since(start) != time.Second {
			t.Errorf("%v after %v, %d calls", err, time.Since(start), sink.calls)
		}
		if p.Unwritten != 3 || p.Done != 0 || len(client.times) != 3 {
			t.Errorf("%d fired, %+v", len(client.times), p)
		}
	})
}

// TestAnnouncingFailsOnce: attempts that are under way end by themselves and are written, nothing new is begun, and the sink is told of nothing more.
func TestAnnouncingFailsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := func(ctx context.Context, emit func(refire.Request, int64) error) error {
			for i := range 5 {
				if err := emit(numbered(i), 0); err != nil {
					return err
				}
				time.Sleep(time.Second)
			}
			return nil
		}
		client := &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
			aio.Sleep(ctx, time.Hour)
			return refire.Answer{Status: 200}
		}}
		sink, start := &announcedSink{failAfter: 2}, time.Now()
		p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{source}, Client: client, Sink: sink, Concurrency: 5, Once: all})
		if !errors.Is(err, errDiskFull) || time.Since(start) != time.Hour+time.Second || len(client.times) != 2 || p.Done != 2 || p.Unwritten != 0 || sink.announced != 2 || len(sink.withdrawn) > 0 {
			t.Errorf("%v after %v, %d fired, %+v, withdrawn %v", err, time.Since(start), len(client.times), p, sink.withdrawn)
		}
	})
}

// TestFirstReasonStands: what comes of a run that is ending already does not take its place.
func TestFirstReasonStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := answering(2*time.Second, func(*refire.Request) refire.Answer { return lacking(syscall.EMFILE, true) })
		_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(100)}, Client: client, Sink: &memorySink{}, Concurrency: 2, Safety: refire.Safety{Deadline: time.Second}})
		if !errors.Is(err, refire.ErrDeadline) {
			t.Errorf("%v", err)
		}
	})
}

// TestAgainIsNotSkipped: what recovered meanwhile is no entry of a log that was left out.
func TestAgainIsNotSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, ledger := numbered(1), refire.NewLedger(false)
		ledger.Load(outcome(r, 200, 0, ""))
		r.Again = true
		source := func(_ context.Context, emit func(refire.Request, int64) error) error { return emit(r, 0) }
		p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{source}, Ledger: ledger, Client: answering(0, always(200)), Sink: &memorySink{}})
		if err != nil || p.Admitted != 0 || len(p.Skipped) > 0 {
			t.Errorf("%v, %+v", err, p)
		}
	})
}

// TestRetryBudgetOfManyAtATime: all that are under way at first may be tried again.
func TestRetryBudgetOfManyAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		client := answering(time.Millisecond, func(*refire.Request) refire.Answer { n++; return refire.Answer{Status: 500} })
		_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(300)}, Client: client, Sink: &memorySink{}, Concurrency: 300, Retries: 1})
		if err != nil || n != 600 {
			t.Errorf("%v, %d attempts for 300 entries", err, n)
		}
	})
}

// TestPatienceForEver: no place is given up.
func TestPatienceForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		client := answering(time.Millisecond, func(*refire.Request) refire.Answer {
			if time.Since(start) < time.Hour {
				return refire.Answer{Status: 503}
			}
			return refire.Answer{Status: 200}
		})
		f := &refire.Firing{Sources: []refire.Source{manyRequests(1000)}, Client: client, Sink: &memorySink{}, Safety: refire.Safety{Patience: -1}}
		if p, err := fire(t.Context(), f); err != nil || p.Done != 1000 || time.Since(start) < time.Hour {
			t.Errorf("%v after %v, %+v", err, time.Since(start), p)
		}
	})
}

// TestGivenUpIsNotHeld: nobody waits for a place that was given up.
func TestGivenUpIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, alive := refire.Origin{Scheme: "http", Host: "dead", Port: 80}, refire.Origin{Scheme: "http", Host: "alive", Port: 80}
		source := func(_ context.Context, emit func(refire.Request, int64) error) error {
			for i := range 100 {
				r := numbered(i)
				if r.Origin = alive; i < 10 {
					r.Origin = dead
				}
				if err := emit(r, 0); err != nil {
					return err
				}
			}
			return nil
		}
		client := answering(time.Second, func(r *refire.Request) refire.Answer {
			if r.Origin == dead {
				return refire.Answer{Status: 502}
			}
			return refire.Answer{Status: 200}
		})
		early, late := 0, 0
		f := &refire.Firing{Sources: []refire.Source{source}, Client: client, Sink: &memorySink{}, Concurrency: 12, Safety: refire.Safety{PerHost: 2, Breaker: refire.Breaker{After: 4}}}
		f.Progress = func(p refire.Progress) {
			switch {
			case p.Elapsed > 5*time.Second && p.Elapsed < 10*time.Second:
				early += len(p.Held)
			case p.Elapsed > 30*time.Second:
				late += len(p.Held)
			}
		}
		p, err := fire(t.Context(), f)
		var away *refire.AwayError
		if !errors.As(err, &away) || p.Recovered != 90 || p.Elapsed < 40*time.Second || early == 0 || late > 0 {
			t.Errorf("%v, %+v, held %d times before it was given up, %d after", err, p, early, late)
		}
	})
}

// TestCanaryOfHalf fails: more than half should recover.
func TestCanaryOfHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := answering(time.Second, func(r *refire.Request) refire.Answer {
			if r.Target == "/0" || r.Target == "/1" {
				return refire.Answer{Status: 200}
			}
			return refire.Answer{Status: 500}
		})
		_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(50)}, Client: client, Sink: &memorySink{}, Safety: refire.Safety{Canary: 4}})
		var failed *refire.CanaryError
		if !errors.As(err, &failed) || failed.Recovered != 2 || len(client.times) != 4 {
			t.Errorf("%v, %d fired", err, len(client.times))
		}
	})
}
