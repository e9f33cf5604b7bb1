package refire_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// TestBreakerIsOfAPlace: another one is fired at meanwhile, and after it is given up.
func TestBreakerIsOfAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, alive := refire.Origin{Scheme: "http", Host: "dead", Port: 80}, refire.Origin{Scheme: "http", Host: "alive", Port: 80}
		source := func(_ context.Context, emit func(refire.Request, int64) error) error {
			for i := range 100 {
				r := numbered(i)
				r.Origin = alive
				if i < 10 {
					r.Origin = dead
				}
				if err := emit(r, 0); err != nil {
					return err
				}
			}
			return nil
		}
		client := answering(time.Millisecond, func(r *refire.Request) refire.Answer {
			if r.Origin == dead {
				return refire.Answer{Status: 502}
			}
			return refire.Answer{Status: 200}
		})
		var firstSecond refire.Progress
		f := &refire.Firing{Sources: []refire.Source{source}, Client: client, Sink: &memorySink{}, Safety: refire.Safety{PerHost: 2, Breaker: refire.Breaker{After: 4}}}
		f.Every, f.Progress = 900*time.Millisecond, func(p refire.Progress) {
			if firstSecond.Elapsed == 0 {
				firstSecond = p
			}
		}
		p, err := fire(t.Context(), f)
		if firstSecond.Recovered != 90 || firstSecond.Done > 95 {
			t.Errorf("after a second %+v", firstSecond)
		}
		var away *refire.AwayError
		if !errors.As(err, &away) || away.Place != dead || p.Recovered != 90 || p.Done >= 100 || !p.ReadAll {
			t.Errorf("%v, %+v", err, p)
		}
	})
}
