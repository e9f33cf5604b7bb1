package refire_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// TestFiringAlike: entries that are just like what was sent are counted, each against one that was sent, and fired.
func TestFiringAlike(t *testing.T) {
	for name, c := range map[string]struct {
		status int                   // of the answer
		change func(*refire.Request) // of the entry that follows
		after  time.Duration
		alike  int
	}{
		"the same":         {503, nil, time.Second, 1},
		"clocks differ":    {503, nil, 2 * time.Second, 1},
		"later":            {503, nil, 4 * time.Second, 0},
		"another status":   {502, nil, time.Second, 0},
		"recovered":        {200, nil, time.Second, 0},
		"another target":   {503, func(r *refire.Request) { r.Target = "/b" }, time.Second, 0},
		"another method":   {503, func(r *refire.Request) { r.Method = "HEAD" }, time.Second, 0},
		"another place":    {503, func(r *refire.Request) { r.Origin.Host = "other" }, time.Second, 0},
		"without a time":   {503, func(r *refire.Request) { r.Logged = time.Time{} }, time.Second, 0},
		"out of a journal": {503, func(r *refire.Request) { r.Again = true }, time.Second, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := &fakeClient{answer: func(context.Context, *refire.Request, int) refire.Answer { return refire.Answer{Status: c.status} }}
			source := func(_ context.Context, emit func(refire.Request, int64) error) error {
				for i := range 3 { // the third is like the second, which is another one if that was counted
					r := request(byte(i+1), "/a")
					r.OldStatus = 503
					if i > 0 {
						time.Sleep(c.after)
					}
					if r.Logged = time.Now(); i > 0 && c.change != nil {
						c.change(&r)
					}
					if i == 2 {
						r.Target = "/c"
					}
					if err := emit(r, 0); err != nil {
						return err
					}
				}
				return nil
			}
			var sink memorySink
			p, err := fire(t.Context(), &refire.Firing{Sources: []refire.Source{source}, Client: client, Sink: &sink})
			if err != nil || p.Alike != c.alike || p.Done < 1 {
				t.Errorf("%s: %d are alike, want %d; %d outcomes, %v", name, p.Alike, c.alike, p.Done, err)
			}
		})
	}
}

// TestPlanOwnRequest: a line with refire's own User-Agent is no entry to be fired, whatever it asks for.
func TestPlanOwnRequest(t *testing.T) {
	methods, err := refire.ParseMethods("any")
	if err != nil {
		t.Fatal(err)
	}
	plan := refire.Plan{Methods: methods}
	for _, target := range []string{"/a", "*", "http://other/"} {
		if _, why := plan.Decide(&accesslog.Entry{Method: "GET", Target: target, Tagged: true}); why != refire.OwnRequest {
			t.Errorf("%s: %q", target, why)
		}
	}
}
