package refire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// answering is a client whose requests take took and are answered by answer.
func answering(took time.Duration, answer func(r *refire.Request) refire.Answer) *fakeClient {
	return &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
		aio.Sleep(ctx, took)
		a := answer(r)
		a.Latency = took
		return a
	}}
}

func always(status int) func(*refire.Request) refire.Answer {
	return func(*refire.Request) refire.Answer { return refire.Answer{Status: status} }
}

// TestDeadline: what is under way ends and is written, the rest is left to the next run.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, sink := answering(4*time.Second, always(200)), &memorySink{}
		f := &refire.Firing{Sources: []refire.Source{manyRequests(100)}, Client: client, Sink: sink, Concurrency: 2, Safety: refire.Safety{Deadline: 10 * time.Second}}
		start := time.Now()
		p, err := fire(t.Context(), f)
		if !errors.Is(err, refire.ErrDeadline) || time.Since(start) != 12*time.Second || len(sink.outcomes) != 6 || len(client.times) != 6 {
			t.Errorf("%v after %v: %d written, %d fired", err, time.Since(start), len(sink.outcomes), len(client.times))
		}
		if p.Done != 6 || p.ReadAll {
			t.Errorf("%+v", p)
		}
	})
}

// TestDeadlineTooLateToMatter: all is fired when it comes.
func TestDeadlineTooLateToMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &refire.Firing{Sources: []refire.Source{manyRequests(2)}, Client: answering(4*time.Second, always(200)), Sink: &memorySink{}, Safety: refire.Safety{Deadline: time.Second}}
		if p, err := fire(t.Context(), f); err != nil || p.Done != 2 {
			t.Errorf("%v, %+v", err, p)
		}
	})
}

// TestMax: so many are fired, with their retries, and no more is read than was ahead; the next run goes on.
func TestMax(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger, read := refire.NewLedger(false), 0
		var ended error
		source := func(ctx context.Context, emit func(refire.Request, int64) error) error {
			ended = manyRequests(10_000)(ctx, func(r refire.Request, n int64) error { read++; return emit(r, n) })
			return ended
		}
		for run := range 3 {
			times := map[string]int{}
			client := answering(time.Second, func(r *refire.Request) refire.Answer {
				if times[r.Target]++; times[r.Target] == 1 {
					return refire.Answer{Status: 503}
				}
				return refire.Answer{Status: 200}
			})
			f := &refire.Firing{Sources: []refire.Source{source}, Ledger: ledger, Client: client, Sink: &memorySink{}, Retries: 1, Concurrency: 4, Safety: refire.Safety{Max: 10}}
			p, err := fire(t.Context(), f)
			if err != nil || !p.Enough || p.Done != 10 || p.Recovered != 10 || p.Skipped[refire.AlreadyDone] != 10*run {
				t.Errorf("run %d: %v, %+v", run, err, p)
			}
		}
		if ended == nil || read > 200 {
			t.Errorf("%d entries were read, %v", read, ended)
		}
		if tally := ledger.Tally(); !tally.AllRecovered() || tally.Recovered != 30 {
			t.Errorf("%+v", tally)
		}
	})
}

func TestCanary(t *testing.T) {
	for _, c := range []struct {
		good  int // of 5
		fired int
	}{{5, 50}, {3, 50}, {2, 5}, {0, 5}} {
		t.Run(fmt.Sprint(c.good), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, most := 0, 0
				var client *fakeClient
				client = answering(time.Second, func(*refire.Request) refire.Answer {
					if len(client.times) <= 5 {
						most = client.most
					}
					if n++; n <= c.good || n > 5 {
						return refire.Answer{Status: 200}
					}
					return refire.Answer{Status: 500}
				})
				sink := &memorySink{}
				p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(50)}, Client: client, Sink: sink, Safety: refire.Safety{Canary: 5}})
				var failed *refire.CanaryError
				if errors.As(err, &failed) != (c.fired == 5) || len(client.times) != c.fired || len(sink.outcomes) != c.fired || p.Admitted != c.fired {
					t.Errorf("%v, %d fired", err, len(client.times))
				}
				if failed != nil && (failed.Fired != 5 || failed.Recovered != c.good || !strings.Contains(err.Error(), "canary failed")) {
					t.Errorf("%+v", failed)
				}
				if most > 5 {
					t.Errorf("%d at a time before the canary's end", most)
				}
			})
		})
	}
}

// TestCanaryOfMoreThanThereIs is the whole run.
func TestCanaryOfMoreThanThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(3)}, Client: answering(1, always(500)), Sink: &memorySink{}, Safety: refire.Safety{Canary: 5}})
		if err != nil || p.Done != 3 {
			t.Errorf("%v, %+v", err, p)
		}
	})
}

// TestBreakerInARun: the server goes away for a minute. What had begun is lost to that; all others wait, but for a probe now and then, and are fired after it.
func TestBreakerInARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, down := time.Now(), 0
		client := answering(10*time.Millisecond, func(*refire.Request) refire.Answer {
			if at := time.Since(start); at < time.Second || at > time.Minute {
				return refire.Answer{Status: 200}
			}
			down++
			return refire.Answer{Err: failure(refire.Refused), Unsent: true}
		})
		sink := &memorySink{}
		f := &refire.Firing{Sources: []refire.Source{manyRequests(2000)}, Client: client, Sink: sink, Concurrency: 10, Safety: refire.Safety{Breaker: refire.Breaker{After: 20}}}
		p, err := fire(t.Context(), f)
		if err != nil || p.Done != 2000 || p.NoAnswer != down || p.Recovered != 2000-down {
			t.Errorf("%v, %+v", err, p)
		}
		// 20 in a row, up to 9 more under way then, and probes after 1, 3, 7, 15, 31 and 61 s
		if down < 20 || down > 20+9+6 {
			t.Errorf("%d requests to a server that was away", down)
		}
	})
}

// TestBreakerEndsTheRun: a server that does not come back, or was not there. What was not fired is not written.
func TestBreakerEndsTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		good        int
		least, most time.Duration
	}{
		"goes away":    {10, refire.DefaultPatience, refire.DefaultPatience + time.Second},
		"is not there": {0, refire.DefaultPatienceAtFirst, refire.DefaultPatienceAtFirst + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				client, sink := answering(time.Millisecond, func(*refire.Request) refire.Answer {
					if n++; n <= c.good {
						return refire.Answer{Status: 200}
					}
					return refire.Answer{Status: 503}
				}), &memorySink{}
				f := &refire.Firing{Sources: []refire.Source{manyRequests(2000)}, Client: client, Sink: sink, Concurrency: 10, Retries: 2}
				var held []refire.Held
				var ends []time.Duration
				start := time.Now()
				f.Progress = func(p refire.Progress) {
					held = append(held, p.Held...)
					if p.Waiting != (len(p.Held) == 1) {
						t.Errorf("waiting %v for %v", p.Waiting, p.Held)
					}
					for _, h := range p.Held {
						ends = append(ends, time.Since(start)+h.GivesUp)
					}
				}
				p, err := fire(t.Context(), f)
				var away *refire.AwayError
				took := time.Since(start)
				if !errors.As(err, &away) || away.For < c.least || away.For > c.most {
					t.Errorf("%v after %v", err, took)
				}
				for _, end := range ends {
					if d := took - end; d < 0 || d > 10*time.Millisecond {
						t.Errorf("is said to be given up after %v, and was after %v", end, took)
					}
				}
				if n := len(sink.outcomes); n > refire.DefaultBreakerAfter+30 || p.Done != n || f.Ledger.Tally().AllRecovered() {
					t.Errorf("%d written, %+v", n, p)
				}
				if len(held) == 0 || !held[0].Breaker || !strings.Contains(held[0].String(), "keeps failing: waiting") {
					t.Errorf("held %v", held)
				}
			})
		})
	}
}

// TestProxyIsDown: a place that nothing gets to is away, whoever keeps it from there; a proxy that is down costs no more entries than a server that is.
func TestProxyIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &refire.ProxyError{Proxy: new(refire.Proxy), Err: errors.New("connection refused")}
		client, sink := answering(time.Millisecond, func(*refire.Request) refire.Answer {
			return refire.Answer{Err: &refire.Failure{Trouble: refire.AtProxy, Err: down}, Unsent: true}
		}), &memorySink{}
		p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(2000)}, Client: client, Sink: sink, Concurrency: 10})
		var away *refire.AwayError
		if !errors.As(err, &away) || away.For < refire.DefaultPatienceAtFirst || p.Done < refire.DefaultBreakerAfter || p.Done > refire.DefaultBreakerAfter+30 {
			t.Errorf("%v, %d done", err, p.Done)
		}
		if v := sink.outcomes[0].Verdict(); v.Trouble != refire.AtProxy || p.NoAnswer != p.Done {
			t.Errorf("%+v, %d of %d without an answer", v, p.NoAnswer, p.Done)
		}
	})
}

func TestPerHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, most := map[string]int{}, map[string]int{}
		client := &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
			h := r.Origin.Host
			running[h]++
			most[h] = max(most[h], running[h])
			aio.Sleep(ctx, time.Second)
			running[h]--
			return refire.Answer{Status: 200}
		}}
		source := func(_ context.Context, emit func(refire.Request, int64) error) error {
			for i := range 90 {
				r := numbered(i)
				r.Origin.Host = fmt.Sprint("h", i%3)
				if err := emit(r, 0); err != nil {
					return err
				}
			}
			return nil
		}
		p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{source}, Client: client, Sink: &memorySink{}, Concurrency: 30, Safety: refire.Safety{PerHost: 4}})
		if err != nil || p.Done != 90 || client.most != 12 || most["h0"] != 4 || most["h1"] != 4 || most["h2"] != 4 {
			t.Errorf("%v, %+v, %v at a time", err, p, most)
		}
	})
}

// TestRetryAfterIsHeeded by all that would go to the place, not only by the entry that was told.
func TestRetryAfterIsHeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		client := answering(0, func(r *refire.Request) refire.Answer {
			at = append(at, time.Since(start))
			if len(at) == 1 {
				return refire.Answer{Status: 503, RetryAfter: 7 * time.Second}
			}
			return refire.Answer{Status: 200}
		})
		f := &refire.Firing{Sources: []refire.Source{manyRequests(10)}, Client: client, Sink: &memorySink{}, Concurrency: 1, Retries: 1}
		p, err := fire(t.Context(), f)
		if err != nil || p.Recovered != 10 || len(at) != 11 {
			t.Fatalf("%v, %+v, %v", err, p, at)
		}
		for _, d := range at[1:] {
			if d < 7*time.Second || d > 8*time.Second {
				t.Errorf("fired at %v", at)
			}
		}
	})
}

// TestRetryAfterEndsWithTheRun: Ctrl-C while all wait; nothing that was not begun is written.
func TestRetryAfterEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		why := errors.New("Ctrl-C")
		time.AfterFunc(3*time.Second, func() { stop(why) })
		sink := &memorySink{}
		client := answering(0, func(*refire.Request) refire.Answer { return refire.Answer{Status: 429, RetryAfter: time.Minute} })
		start := time.Now()
		_, err := fire(ctx, &refire.Firing{Sources: []refire.Source{manyRequests(10)}, Client: client, Sink: sink, Concurrency: 1})
		if !errors.Is(err, why) || time.Since(start) != 3*time.Second || len(sink.outcomes) != 1 {
			t.Errorf("%v after %v, %d written", err, time.Since(start), len(sink.outcomes))
		}
	})
}

// TestRetryBudget: a server that answers nothing gets no storm, one that recovers gets all the attempts it needs.
func TestRetryBudget(t *testing.T) {
	for _, c := range []struct {
		name     string
		share    float64
		heals    bool
		attempts int
	}{
		{"hopeless", 0, false, 2000 + 100 + 200},
		{"hopeless, of a half", 0.5, false, 2000 + 100 + 1000},
		{"hopeless, no bound", -1, false, 2000 * 4},
		{"heals", 0, true, 2000 * 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, seen := 0, map[accesslog.ID]bool{}
				client := answering(time.Millisecond, func(r *refire.Request) refire.Answer {
					n++
					if c.heals && seen[r.ID] {
						return refire.Answer{Status: 200}
					}
					seen[r.ID] = true
					return refire.Answer{Status: 500}
				})
				f := &refire.Firing{Sources: []refire.Source{manyRequests(2000)}, Client: client, Sink: &memorySink{}, Retries: 3, Safety: refire.Safety{RetryShare: c.share}}
				p, err := fire(t.Context(), f)
				if err != nil || p.Done != 2000 || n != c.attempts || (p.NotRetried > 0) == (c.heals || c.share < 0) {
					t.Errorf("%v, %d attempts, want %d, %+v", err, n, c.attempts, p)
				}
			})
		})
	}
}

// TestRamp: concurrency rises over the time of the ramp, also while no request ends.
func TestRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running := 0
		client := &fakeClient{answer: func(ctx context.Context, _ *refire.Request, _ int) refire.Answer {
			running++
			aio.Sleep(ctx, time.Hour)
			return refire.Answer{Status: 200}
		}}
		f := &refire.Firing{Sources: []refire.Source{manyRequests(64)}, Client: client, Sink: &memorySink{}, Safety: refire.Safety{Ramp: 63 * time.Second}}
		f.Every = 10 * time.Second
		var at []int
		f.Progress = func(p refire.Progress) { at = append(at, p.Running) }
		if p, err := fire(t.Context(), f); err != nil || p.Done != 64 {
			t.Errorf("%v, %+v", err, p)
		}
		for i := range 6 {
			if want := 10 * (i + 1); at[i] < want || at[i] > want+2 {
				t.Errorf("after %d0 s %d are running", i+1, at[i])
			}
		}
		if at[7] != 64 {
			t.Errorf("%d are running after the ramp", at[7])
		}
	})
}

// TestRampOfTheRate: it rises, too.
func TestRampOfTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &refire.Firing{Sources: []refire.Source{manyRequests(20_000)}, Client: answering(0, always(200)), Sink: &memorySink{}, Rate: 100, Safety: refire.Safety{Ramp: 100 * time.Second}}
		f.Every = 10 * time.Second
		var at []int
		f.Progress = func(p refire.Progress) { at = append(at, p.Done) }
		if _, err := fire(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if at[0] > 120 || at[9]-at[8] < 900 || at[9]-at[8] > 1000 || at[12]-at[11] < 990 || at[12]-at[11] > 1010 {
			t.Errorf("done every 10 s: %v", at)
		}
	})
}

// TestConcurrencyBacksOff when answers show strain, and comes back after it.
func TestConcurrencyBacksOff(t *testing.T) {
	for name, strain := range map[string]refire.Answer{"errors": {Status: 503}, "latency": {Status: 200}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, running, strained, most := time.Now(), 0, 0, 0
				client := &fakeClient{answer: func(ctx context.Context, _ *refire.Request, n int) refire.Answer {
					running++
					defer func() { running-- }()
					at := time.Since(start)
					ill := at > 10*time.Second && at < 30*time.Second
					a := refire.Answer{Status: 200, Latency: 100 * time.Millisecond}
					if ill && running%3 > 0 { // not all: this is not the breaker
						a = strain
						a.Latency = time.Second
					}
					switch {
					case at > 20*time.Second && at < 29*time.Second:
						strained = max(strained, running)
					case at > 45*time.Second:
						most = max(most, running)
					}
					aio.Sleep(ctx, a.Latency)
					return a
				}}
				p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(30_000)}, Client: client, Sink: &memorySink{}})
				if err != nil || p.Done != 30_000 || strained > 16 || most != 64 {
					t.Errorf("%v, %+v, %d at a time under strain, %d after it", err, p.Done, strained, most)
				}
			})
		})
	}
}
