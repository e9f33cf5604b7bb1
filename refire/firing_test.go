package refire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// fakeClient answers what answer says. It is called in tasks of one loop, so it needs no lock.
type fakeClient struct {
	answer  func(ctx context.Context, r *refire.Request, attempt int) refire.Answer
	times   map[string]int
	running int
	most    int
}

func (c *fakeClient) Attempt(ctx context.Context, r *refire.Request) refire.Answer {
	if c.times == nil {
		c.times = map[string]int{}
	}
	c.times[r.Target]++
	c.running++
	c.most = max(c.most, c.running)
	defer func() { c.running-- }()
	return c.answer(ctx, r, c.times[r.Target])
}

// memorySink keeps outcomes, and fails when it has fail of them. The writer runs on an executor, hence the lock.
type memorySink struct {
	mu       sync.Mutex
	outcomes []refire.Outcome
	calls    int
	fail     int // 0: never
}

var errDiskFull = errors.New("no space left on device")

func (s *memorySink) Append(outcomes []refire.Outcome) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	for i := range outcomes {
		if s.fail > 0 && len(s.outcomes) == s.fail {
			return i, errDiskFull
		}
		s.outcomes = append(s.outcomes, outcomes[i])
	}
	return len(outcomes), nil
}

// manyRequests is a source of n requests, /0 to /n-1.
func manyRequests(n int) refire.Source {
	return func(_ context.Context, emit func(refire.Request, int64) error) error {
		for i := range n {
			if err := emit(numbered(i), int64(i)); err != nil {
				return err
			}
		}
		return nil
	}
}

func numbered(i int) refire.Request {
	r := request(0, fmt.Sprintf("/%d", i))
	r.ID = accesslog.ID{byte(i >> 8), byte(i), 1}
	return r
}

func fire(ctx context.Context, f *refire.Firing) (refire.Progress, error) {
	if f.Ledger == nil {
		f.Ledger = refire.NewLedger(false)
	}
	l := aio.Start()
	defer l.Close()
	return aio.Submit(ctx, l, f.Run).Await(context.WithoutCancel(ctx))
}

func TestFiringFiresAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
			aio.Sleep(ctx, time.Duration(len(r.Target))*time.Millisecond)
			return refire.Answer{Status: 200, Bytes: 5}
		}}
		var sink memorySink
		f := &refire.Firing{Sources: []refire.Source{manyRequests(700), manyRequests(1000)}, Client: client, Sink: &sink, Concurrency: 10}
		p, err := fire(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if p.Admitted != 1000 || p.Done != 1000 || p.Recovered != 1000 || p.Skipped[refire.AlreadyDone] != 700 || !p.ReadAll || p.Running != 0 {
			t.Errorf("%+v", p)
		}
		if client.most != 10 {
			t.Errorf("%d at a time", client.most)
		}
		for target, n := range client.times {
			if n != 1 {
				t.Errorf("%s was fired %d times", target, n)
			}
		}
		if len(sink.outcomes) != 1000 || f.Ledger.Tally().Recovered != 1000 {
			t.Errorf("%d outcomes, tally %+v", len(sink.outcomes), f.Ledger.Tally())
		}
	})
}

func TestFiringRetries(t *testing.T) {
	for _, c := range []struct {
		name     string
		method   string
		answers  []refire.Answer
		retries  int
		attempts int
		status   int
	}{
		{"recovers", "GET", []refire.Answer{{Status: 503}, {Status: 200}}, 3, 2, 200},
		{"gives up", "GET", []refire.Answer{{Status: 503}, {Status: 502}, {Status: 500}, {Status: 200}}, 2, 3, 500},
		{"none by default", "GET", []refire.Answer{{Status: 503}, {Status: 200}}, 0, 1, 503},
		{"no answer", "HEAD", []refire.Answer{{Err: failure(refire.Reset)}, {Status: 200}}, 1, 2, 200},
		{"too many requests", "GET", []refire.Answer{{Status: 429}, {Status: 200}}, 1, 2, 200},
		{"a 404 heals not", "GET", []refire.Answer{{Status: 404}, {Status: 200}}, 1, 1, 404},
		{"a POST that may have arrived", "POST", []refire.Answer{{Err: failure(refire.Timeout)}, {Status: 200}}, 1, 1, 0},
		{"a POST that was answered", "POST", []refire.Answer{{Status: 503}, {Status: 200}}, 1, 1, 503},
		{"a POST that did not leave", "POST", []refire.Answer{{Err: failure(refire.Refused), Unsent: true}, {Status: 200}}, 1, 2, 200},
		{"a PUT", "PUT", []refire.Answer{{Status: 503}, {Status: 200}}, 1, 2, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := request(1, "/")
				r.Method = c.method
				source := func(_ context.Context, emit func(refire.Request, int64) error) error { return emit(r, 0) }
				client := &fakeClient{answer: func(_ context.Context, _ *refire.Request, n int) refire.Answer { return c.answers[n-1] }}
				var sink memorySink
				waited := 0
				backoff := refire.Backoff{Random: func(n int64) int64 { waited++; return n - 1 }}
				start := time.Now()
				_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{source}, Client: client, Sink: &sink, Retries: c.retries, Backoff: backoff})
				if err != nil || len(sink.outcomes) != 1 {
					t.Fatalf("%v, %+v", err, sink.outcomes)
				}
				o := sink.outcomes[0]
				if o.Attempts != c.attempts || o.Status != c.status || (o.Error == "") != (c.answers[c.attempts-1].Err == nil) {
					t.Errorf("%+v", o)
				}
				if want := refire.DefaultBackoffBase * (1<<(c.attempts-1) - 1); waited != c.attempts-1 || time.Since(start) != want {
					t.Errorf("waited %d times, %v, want %v", waited, time.Since(start), want)
				}
			})
		})
	}
}

func failure(t refire.Trouble) *refire.Failure {
	return &refire.Failure{Trouble: t, Err: errors.New("x")}
}

func TestFiringRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &fakeClient{answer: func(context.Context, *refire.Request, int) refire.Answer { return refire.Answer{Status: 200} }}
		start := time.Now()
		_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(101)}, Client: client, Sink: &memorySink{}, Rate: 20})
		if took := time.Since(start); err != nil || took < 5*time.Second || took > 5100*time.Millisecond {
			t.Errorf("101 at 20/s took %v, %v", took, err)
		}
	})
}

// TestFiringSinkFails: nothing is fired any more, what was written counts, and what was not is at most what was being fired.
func TestFiringSinkFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
			aio.Sleep(ctx, time.Millisecond)
			return refire.Answer{Status: 200}
		}}
		sink := memorySink{fail: 42}
		f := &refire.Firing{Sources: []refire.Source{manyRequests(10_000)}, Client: client, Sink: &sink, Concurrency: 8}
		p, err := fire(t.Context(), f)
		var sinkErr *refire.SinkError
		if !errors.As(err, &sinkErr) || !errors.Is(err, errDiskFull) {
			t.Fatalf("error %v", err)
		}
		if p.Done != 42 || f.Ledger.Tally().Recovered != 42 {
			t.Errorf("42 are written, %d count, tally %+v", p.Done, f.Ledger.Tally())
		}
		if fired := len(client.times); fired > 42+8 {
			t.Errorf("%d were fired, 42 written, at most 8 at a time", fired)
		}
		if f.Ledger.Tally().AllRecovered() {
			t.Error("counts as all recovered")
		}
	})
}

// goneSink writes all it is given, and says of what comes after warn outcomes that no more should be begun.
type goneSink struct {
	memorySink
	warn int
}

func (s *goneSink) Append(outcomes []refire.Outcome) (int, error) {
	n, _ := s.memorySink.Append(outcomes)
	if len(s.outcomes) >= s.warn {
		return n, errDiskFull
	}
	return n, nil
}

// TestFiringSinkWarns: a sink that has written everything, with an error, ends the run as Ctrl-C does: what is under way is not abandoned.
func TestFiringSinkWarns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var client *fakeClient
		client = &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
			if aio.Sleep(ctx, time.Duration(1+len(client.times)%7)*time.Millisecond) != nil {
				t.Errorf("%s was abandoned", r.Target)
			}
			return refire.Answer{Status: 200}
		}}
		sink := &goneSink{warn: 42}
		p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(1000)}, Client: client, Sink: sink, Concurrency: 8})
		var sinkErr *refire.SinkError
		if fired := len(client.times); !errors.As(err, &sinkErr) || fired > 42+2*8 || p.Done != fired || p.Unwritten != 0 || len(sink.outcomes) != fired {
			t.Errorf("%v, %d fired, %+v, %d written", err, fired, p, len(sink.outcomes))
		}
	})
}

// TestFiringCountsBrokenAnswers: a success that broke off is no whole answer, in the progress as in the summary.
func TestFiringCountsBrokenAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []refire.Answer{{Status: 200, Err: failure(refire.Cut)}, {Status: 503, Err: failure(refire.Cut)}, {Err: failure(refire.Reset)}, {Status: 200}}
		client := &fakeClient{answer: func(_ context.Context, r *refire.Request, _ int) refire.Answer { return answers[int(r.ID[1])] }}
		f := &refire.Firing{Sources: []refire.Source{manyRequests(len(answers))}, Client: client, Sink: &memorySink{}}
		p, err := fire(t.Context(), f)
		tally := f.Ledger.Tally()
		if err != nil || p.Unreachable != tally.Unreachable() || p.Unreachable != 2 || p.NoAnswer != 1 || p.Recovered != 1 || p.Done-p.Recovered-p.Unreachable != tally.Failing() {
			t.Errorf("%v, %+v, %+v", err, p, tally)
		}
	})
}

// TestFiringStops: what is under way ends and is written, nothing new is begun.
func TestFiringStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		why := errors.New("Ctrl-C")
		client := &fakeClient{}
		client.answer = func(actx context.Context, r *refire.Request, _ int) refire.Answer {
			if len(client.times) == 4 {
				stop(why)
			}
			if err := aio.Sleep(actx, time.Second); err != nil {
				t.Errorf("an attempt under way is cancelled: %v", err)
			}
			return refire.Answer{Status: 200}
		}
		var sink memorySink
		f := &refire.Firing{Sources: []refire.Source{manyRequests(1000)}, Client: client, Sink: &sink, Concurrency: 4}
		p, err := fire(ctx, f)
		if !errors.Is(err, why) {
			t.Errorf("error %v", err)
		}
		if len(client.times) != 4 || len(sink.outcomes) != 4 || p.Done != 4 {
			t.Errorf("fired %d, written %d, done %d", len(client.times), len(sink.outcomes), p.Done)
		}
	})
}

// TestFiringStopsInBackoff: an entry that waits for its next attempt is written as it stands.
func TestFiringStopsInBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		why := errors.New("Ctrl-C")
		client := &fakeClient{answer: func(context.Context, *refire.Request, int) refire.Answer { return refire.Answer{Status: 503} }}
		backoff := refire.Backoff{Base: time.Hour, Max: time.Hour, Random: func(n int64) int64 { time.AfterFunc(time.Second, func() { stop(why) }); return n - 1 }}
		var sink memorySink
		start := time.Now()
		_, err := fire(ctx, &refire.Firing{Sources: []refire.Source{manyRequests(1)}, Client: client, Sink: &sink, Retries: 5, Backoff: backoff})
		if !errors.Is(err, why) || len(sink.outcomes) != 1 || sink.outcomes[0].Attempts != 1 || time.Since(start) != time.Second {
			t.Errorf("%v after %v: %+v", err, time.Since(start), sink.outcomes)
		}
	})
}

// TestFiringSourceFails: what was read before is fired.
func TestFiringSourceFails(t *testing.T) {
	broken := errors.New("input/output error")
	for name, fail := range map[string]func() error{"error": func() error { return broken }, "panic": func() error { panic(broken) }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &fakeClient{answer: func(context.Context, *refire.Request, int) refire.Answer { return refire.Answer{Status: 200} }}
				var sink memorySink
				sources := []refire.Source{
					manyRequests(5), func(context.Context, func(refire.Request, int64) error) error { return fail() }, manyRequests(10),
				}
				p, err := fire(t.Context(), &refire.Firing{Sources: sources, Client: client, Sink: &sink})
				if !errors.Is(err, broken) || len(sink.outcomes) != 5 || p.Done != 5 {
					t.Errorf("%v, %d written, %+v", err, len(sink.outcomes), p)
				}
			})
		})
	}
}

// TestFiringWritesBeforeTheSlotIsFree: while a write stands still, no more entries are begun than there are slots.
func TestFiringWritesBeforeTheSlotIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &fakeClient{answer: func(context.Context, *refire.Request, int) refire.Answer { return refire.Answer{Status: 200} }}
		sink := &slowSink{release: make(chan struct{})}
		f := &refire.Firing{Sources: []refire.Source{manyRequests(100)}, Client: client, Sink: sink, Concurrency: 6, Ledger: refire.NewLedger(false)}
		l := aio.Start()
		defer l.Close()
		run := aio.Submit(t.Context(), l, f.Run)
		synctest.Wait()
		fired := aio.Submit(t.Context(), l, func(context.Context) (int, error) { return len(client.times), nil })
		if n, err := fired.Await(t.Context()); n != 6 || err != nil {
			t.Errorf("%d were begun while nothing is written, %v", n, err)
		}
		close(sink.release)
		if p, err := run.Await(t.Context()); err != nil || p.Done != 100 {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

type slowSink struct{ release chan struct{} }

func (s *slowSink) Append(outcomes []refire.Outcome) (int, error) {
	<-s.release
	return len(outcomes), nil
}

func TestFiringTellsProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &fakeClient{answer: func(ctx context.Context, _ *refire.Request, _ int) refire.Answer {
			aio.Sleep(ctx, time.Second)
			return refire.Answer{Status: 200}
		}}
		var seen []refire.Progress
		_, err := fire(t.Context(), &refire.Firing{
			Sources: []refire.Source{manyRequests(40)}, Client: client, Sink: &memorySink{}, Concurrency: 10,
			Progress: func(p refire.Progress) { seen = append(seen, p) }, Every: 1300 * time.Millisecond,
		})
		if err != nil || len(seen) != 3 {
			t.Fatalf("%v, told %d times", err, len(seen))
		}
		var done, running []int
		for _, p := range seen {
			done, running = append(done, p.Done), append(running, p.Running)
		}
		if !slices.Equal(done, []int{10, 20, 30}) || !slices.Equal(running, []int{10, 10, 10}) {
			t.Errorf("done %v, running %v", done, running)
		}
	})
}

// TestFiringProgressAgrees: what progress calls recovered, failing and unreachable is what the tally calls so.
func TestFiringProgressAgrees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []refire.Answer{
			{Status: 200}, {Status: 404}, {Status: 503, Err: &refire.Failure{Trouble: refire.Cut, Err: io.ErrUnexpectedEOF}},
			{Status: 200, Err: &refire.Failure{Trouble: refire.Cut, Err: io.ErrUnexpectedEOF}}, {Status: 301, Err: &refire.Failure{Trouble: refire.Timeout, Err: io.ErrUnexpectedEOF}},
			{Err: &refire.Failure{Trouble: refire.Refused, Err: io.EOF}},
		}
		client := &fakeClient{answer: func(_ context.Context, r *refire.Request, _ int) refire.Answer {
			n, err := strconv.Atoi(r.Target[1:])
			if err != nil {
				t.Error(err)
			}
			return answers[n]
		}}
		var sink memorySink
		f := &refire.Firing{Sources: []refire.Source{manyRequests(len(answers))}, Client: client, Sink: &sink}
		p, err := fire(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		tally := f.Ledger.Tally()
		if p.Recovered != tally.Recovered || p.Unreachable != tally.Unreachable() || p.Done-p.Recovered-p.Unreachable != tally.Failing() {
			t.Errorf("%+v, the tally has %+v", p, tally)
		}
		if p.Recovered != 1 || p.Unreachable != 3 || p.NoAnswer != 1 {
			t.Errorf("%+v", p)
		}
	})
}
