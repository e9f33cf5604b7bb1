package refire_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
)

// announcedSink is a memorySink that is told before. Its calls come from an executor, hence the lock.
type announcedSink struct {
	memorySink

	mu        sync.Mutex
	pending   map[string]bool // guarded by mu
	announced int             // guarded by mu
	withdrawn []string        // guarded by mu
	failAfter int             // so many requests; 0: never
	wait      chan struct{}   // nil: Announce does not wait
}

func (s *announcedSink) Announce(requests []refire.Request, _ int) error {
	if s.wait != nil {
		<-s.wait
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range requests {
		if s.failAfter > 0 && s.announced == s.failAfter {
			return errDiskFull
		}
		if s.pending == nil {
			s.pending = map[string]bool{}
		}
		s.announced++
		s.pending[r.Target] = true
	}
	return nil
}

func (s *announcedSink) Withdraw(requests []refire.Request, _ int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range requests {
		delete(s.pending, r.Target)
		s.withdrawn = append(s.withdrawn, r.Target)
	}
	return nil
}

func (s *announcedSink) isPending(target string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending[target]
}

func all(*refire.Request) bool { return true }

// TestAnnouncedBefore: what goes out at most once is announced before its first attempt, and others are not.
func TestAnnouncedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &announcedSink{}
		client := &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
			if odd := len(r.Target)%2 == 1; sink.isPending(r.Target) != odd {
				t.Errorf("%s: announced: %v", r.Target, !odd)
			}
			aio.Sleep(ctx, time.Millisecond)
			return refire.Answer{Status: 200}
		}}
		f := &refire.Firing{
			Sources: []refire.Source{manyRequests(500)}, Client: client, Sink: sink, Concurrency: 10,
			Once: func(r *refire.Request) bool { return len(r.Target)%2 == 1 },
		}
		if p, err := fire(t.Context(), f); err != nil || p.Done != 500 || len(sink.withdrawn) > 0 {
			t.Errorf("%v, %+v, %d withdrawn", err, p, len(sink.withdrawn))
		}
	})
}

// TestAtMostOnceRepeatsWhatWasNotSent: and nothing else, whatever the method.
func TestAtMostOnceRepeatsWhatWasNotSent(t *testing.T) {
	for _, c := range []struct {
		answers  []refire.Answer
		attempts int
		unsent   bool
	}{
		{[]refire.Answer{{Status: 503}, {Status: 200}}, 1, false},
		{[]refire.Answer{{Err: failure(refire.Timeout)}, {Status: 200}}, 1, false},
		{[]refire.Answer{{Err: failure(refire.Refused), Unsent: true}, {Status: 200}}, 2, false},
		{[]refire.Answer{{Err: failure(refire.Refused), Unsent: true}, {Err: failure(refire.Reset)}, {Status: 200}}, 2, false},
		{[]refire.Answer{{Err: failure(refire.Refused), Unsent: true}, {Err: failure(refire.Refused), Unsent: true}}, 2, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			sink := &announcedSink{}
			client := &fakeClient{answer: func(_ context.Context, _ *refire.Request, n int) refire.Answer { return c.answers[n-1] }}
			_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(1)}, Client: client, Sink: sink, Retries: len(c.answers) - 1, Once: all})
			if err != nil || len(sink.outcomes) != 1 {
				t.Fatalf("%v, %+v", err, sink.outcomes)
			}
			if o := sink.outcomes[0]; o.Attempts != c.attempts || o.Unsent != c.unsent || sink.announced != 1 {
				t.Errorf("%+v, announced %d times", o, sink.announced)
			}
		})
	}
}

// TestCannotAnnounce: nothing is fired that could not be announced, and the run ends; what is under way then ends by itself, and has its outcome.
func TestCannotAnnounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &announcedSink{failAfter: 20}
		var client *fakeClient
		client = &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
			if aio.Sleep(ctx, time.Duration(1+len(client.times)%7)*time.Millisecond) != nil {
				t.Errorf("%s was abandoned", r.Target)
			}
			return refire.Answer{Status: 200}
		}}
		p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(1000)}, Client: client, Sink: sink, Concurrency: 4, Once: all})
		if p.Done != len(client.times) || p.Unwritten > 0 || len(sink.outcomes) != p.Done || len(sink.withdrawn) != 20-p.Done {
			t.Errorf("%d fired, %+v, %d written, %d withdrawn", len(client.times), p, len(sink.outcomes), len(sink.withdrawn))
		}
		var sinkErr *refire.SinkError
		if !errors.As(err, &sinkErr) || !errors.Is(err, errDiskFull) || len(client.times) > 20 || len(client.times) < 20-4 {
			t.Errorf("%v, %d fired", err, len(client.times))
		}
		for target := range client.times {
			if !sink.isPending(target) {
				t.Errorf("%s was fired and not announced", target)
			}
		}
	})
}

// TestWithdrawn: what was announced and then not sent is taken back: after Ctrl-C, and where this machine has no sockets.
func TestWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		why := errors.New("Ctrl-C")
		sink := &announcedSink{wait: make(chan struct{})}
		client := &fakeClient{answer: func(context.Context, *refire.Request, int) refire.Answer { return refire.Answer{Status: 200} }}
		time.AfterFunc(time.Second, func() { stop(why) })
		time.AfterFunc(2*time.Second, func() { close(sink.wait) })
		_, err := fire(ctx, &refire.Firing{Sources: []refire.Source{manyRequests(100)}, Client: client, Sink: sink, Concurrency: 3, Once: all})
		if !errors.Is(err, why) || len(client.times) > 0 || len(sink.withdrawn) != 3 || len(sink.pending) > 0 {
			t.Errorf("%v, %d fired, withdrawn %v, pending %v", err, len(client.times), sink.withdrawn, sink.pending)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		sink := &announcedSink{}
		client := &fakeClient{answer: func(_ context.Context, r *refire.Request, _ int) refire.Answer {
			if r.Target != "/5" {
				return refire.Answer{Status: 200}
			}
			return refire.Answer{Err: &refire.Failure{Trouble: refire.Other, Err: fmt.Errorf("socket: %w", syscall.EMFILE)}, Unsent: true}
		}}
		_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(100)}, Client: client, Sink: sink, Concurrency: 1, Once: all})
		var local *refire.LocalError
		if !errors.As(err, &local) || !slices.Equal(sink.withdrawn, []string{"/5"}) {
			t.Errorf("%v, withdrawn %v", err, sink.withdrawn)
		}
	})
}

// TestLedgerAtMostOnce: --again leaves out what may have arrived and was not answered; what was answered, or never sent, is fired again.
func TestLedgerAtMostOnce(t *testing.T) {
	unsent := func(o *refire.Outcome) *refire.Outcome { o.Unsent = true; return o }
	for _, c := range []struct {
		o     *refire.Outcome
		again bool
	}{
		{outcome(request(1, "/"), 503, 0, ""), true},
		{outcome(request(1, "/"), 503, 0, "cut: x"), true},
		{outcome(request(1, "/"), 200, 0, "cut: x"), false},
		{outcome(request(1, "/"), 0, 0, "timeout: x"), false},
		{outcome(request(1, "/"), 0, 0, "unknown: x"), false},
		{unsent(outcome(request(1, "/"), 0, 0, "timeout: x")), true},
		{unsent(outcome(request(1, "/"), 0, 0, "refused: x")), true},
		{outcome(request(1, "/"), 200, 0, ""), false},
	} {
		for _, once := range []bool{true, false} {
			l := refire.NewLedger(false)
			if once {
				l.Once = all
			}
			l.Load(c.o)
			fires, _ := l.BeginAgain()
			if want := c.again || !once && !c.o.Verdict().Recovered(); (fires == 1) != want {
				t.Errorf("at most once %v: %d %q is fired again: %v", once, c.o.Status, c.o.Error, !want)
			}
			if n := l.Barred()[refire.MayHaveDone]; (n == 1) != (once && !c.again && !c.o.Verdict().Recovered()) {
				t.Errorf("at most once %v: %d %q: %d barred", once, c.o.Status, c.o.Error, n)
			}
		}
	}
	l := refire.NewLedger(false)
	l.Load(outcome(request(1, "/"), 0, 0, "unknown: x"))
	if tally := l.Tally(); tally.Unknown != 1 || tally.Unreachable() != 0 || tally.Settled() != 1 || tally.AllRecovered() {
		t.Errorf("%+v", tally)
	}
}
