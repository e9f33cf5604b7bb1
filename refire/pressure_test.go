package refire_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
)

// TestWhatIsOverload: a place that says only this, or nothing, is left alone; one that says something else is fired at to the end.
func TestWhatIsOverload(t *testing.T) {
	overload := map[int]bool{0: true, 429: true, 502: true, 503: true, 504: true}
	for _, status := range []int{0, 200, 404, 429, 500, 501, 502, 503, 504, 505} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := answering(time.Millisecond, func(*refire.Request) refire.Answer {
					if status == 0 {
						return refire.Answer{Err: failure(refire.Reset)}
					}
					return refire.Answer{Status: status}
				})
				f := &refire.Firing{Sources: []refire.Source{manyRequests(300)}, Client: client, Sink: &memorySink{}, Concurrency: 2, Safety: refire.Safety{Breaker: refire.Breaker{After: 10}}}
				p, err := fire(t.Context(), f)
				var away *refire.AwayError
				if errors.As(err, &away) != overload[status] || (p.Done == 300) == overload[status] {
					t.Errorf("%v, %d of 300 done", err, p.Done)
				}
			})
		})
	}
}

// TestRetryAfterIsTheLongest of those that were told: a later and shorter one takes nothing back.
func TestRetryAfterIsTheLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		client := &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
			at = append(at, time.Since(start))
			switch r.Target {
			case "/0":
				aio.Sleep(ctx, time.Second)
				return refire.Answer{Status: 503, RetryAfter: time.Minute}
			case "/1":
				aio.Sleep(ctx, 2*time.Second)
				return refire.Answer{Status: 503, RetryAfter: time.Second}
			}
			return refire.Answer{Status: 200}
		}}
		_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(4)}, Client: client, Sink: &memorySink{}, Concurrency: 2})
		if want := []time.Duration{0, 0, 61 * time.Second, 61 * time.Second}; err != nil || !slices.Equal(at, want) {
			t.Errorf("%v, fired at %v", err, at)
		}
	})
}

// TestRetryAfterIsHeededByWhoWaitsForThePace, too, although it had found the place open.
func TestRetryAfterIsHeededByWhoWaitsForThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		client := &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
			at = append(at, time.Since(start))
			aio.Sleep(ctx, 500*time.Millisecond)
			if r.Target == "/0" {
				return refire.Answer{Status: 429, RetryAfter: time.Minute}
			}
			return refire.Answer{Status: 200}
		}}
		_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(2)}, Client: client, Sink: &memorySink{}, Concurrency: 2, Rate: 1})
		if err != nil || len(at) != 2 || at[1] < 60*time.Second+500*time.Millisecond {
			t.Errorf("%v, fired at %v", err, at)
		}
	})
}

// TestComesBackSlowly: a place that was away gets the least at a time at first, and not all that waited for it.
func TestComesBackSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var back time.Time
		start, running, most := time.Now(), 0, 0
		client := &fakeClient{answer: func(ctx context.Context, _ *refire.Request, _ int) refire.Answer {
			running++
			defer func() { running-- }()
			if away := time.Since(start) > time.Second && time.Since(start) < time.Minute; away {
				aio.Sleep(ctx, time.Millisecond)
				return refire.Answer{Status: 502}
			}
			if !back.IsZero() && time.Since(back) < time.Second {
				most = max(most, running)
			}
			aio.Sleep(ctx, 100*time.Millisecond)
			if back.IsZero() && time.Since(start) > time.Minute {
				back = time.Now()
			}
			return refire.Answer{Status: 200, Latency: 100 * time.Millisecond}
		}}
		f := &refire.Firing{Sources: []refire.Source{manyRequests(3000)}, Client: client, Sink: &memorySink{}, Safety: refire.Safety{Breaker: refire.Breaker{After: 20}}}
		p, err := fire(t.Context(), f)
		if err != nil || p.Done != 3000 || back.IsZero() || most < 8 || most > 8+10 {
			t.Errorf("%v, %d done, %d at a time in the first second after it was back", err, p.Done, most)
		}
	})
}

// TestStoppedBeforeTheNextAttempt: an entry that waits for its place, with attempts to come, is written as it stands, and the run does not say that all is done.
func TestStoppedBeforeTheNextAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		why := errors.New("Ctrl-C")
		time.AfterFunc(3*time.Second, func() { stop(why) })
		client := answering(0, func(*refire.Request) refire.Answer { return refire.Answer{Status: 503, RetryAfter: time.Minute} })
		sink := &memorySink{}
		backoff := refire.Backoff{Random: func(int64) int64 { return 0 }}
		p, err := fire(ctx, &refire.Firing{Sources: []refire.Source{manyRequests(1)}, Client: client, Sink: sink, Retries: 1, Backoff: backoff})
		if !errors.Is(err, why) || !p.ReadAll || p.Done != 1 || len(sink.outcomes) != 1 || sink.outcomes[0].Attempts != 1 {
			t.Errorf("%v, %+v, %+v", err, p, sink.outcomes)
		}
	})
}

// TestUnsentIsOfAllAttempts: one that may have arrived counts, whatever becomes of those after it.
func TestUnsentIsOfAllAttempts(t *testing.T) {
	refused, reset := refire.Answer{Err: failure(refire.Refused), Unsent: true}, refire.Answer{Err: failure(refire.Reset)}
	for _, c := range []struct {
		answers []refire.Answer
		unsent  bool
	}{
		{[]refire.Answer{refused, refused}, true}, {[]refire.Answer{reset, refused}, false}, {[]refire.Answer{refused, reset}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := &fakeClient{answer: func(_ context.Context, _ *refire.Request, n int) refire.Answer { return c.answers[n-1] }}
			sink := &memorySink{}
			_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(1)}, Client: client, Sink: sink, Retries: 1})
			if err != nil || len(sink.outcomes) != 1 || sink.outcomes[0].Attempts != 2 || sink.outcomes[0].Unsent != c.unsent {
				t.Errorf("%v, %+v, want unsent %v", err, sink.outcomes, c.unsent)
			}
		})
	}
}

// TestNotWithdrawnOnceItHasAnOutcome: this machine runs out of sockets at the second attempt; what became of the first is written and stands, and the run says
// why there was no second.
func TestNotWithdrawnOnceItHasAnOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &announcedSink{}
		answers := []refire.Answer{
			{Err: failure(refire.Refused), Unsent: true},
			{Err: &refire.Failure{Trouble: refire.Other, Err: fmt.Errorf("socket: %w", syscall.EMFILE)}, Unsent: true},
		}
		client := &fakeClient{answer: func(_ context.Context, _ *refire.Request, n int) refire.Answer { return answers[n-1] }}
		_, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{manyRequests(1)}, Client: client, Sink: sink, Retries: 2, Once: all})
		var local *refire.LocalError
		if !errors.As(err, &local) || len(sink.withdrawn) > 0 || len(sink.outcomes) != 1 || sink.outcomes[0].Attempts != 1 {
			t.Errorf("%v, withdrawn %v, %+v", err, sink.withdrawn, sink.outcomes)
		}
	})
}

func TestHeldSaysHowLong(t *testing.T) {
	place := refire.Origin{Scheme: "http", Host: "h", Port: 80}
	for want, h := range map[string]refire.Held{
		"http://h keeps failing: waiting 2s":            {Place: place, Breaker: true, Wait: 1001 * time.Millisecond},
		"http://h keeps failing: waiting 1s":            {Place: place, Breaker: true, Wait: time.Millisecond},
		"http://h keeps failing: trying one request":    {Place: place, Breaker: true},
		"http://h asked to be left alone: waiting 1m0s": {Place: place, Wait: time.Minute},
	} {
		if got := h.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
