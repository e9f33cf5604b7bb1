package refire_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

func wantsServerErrors(status int) bool { return status >= 500 }

// TestLedgerEcho: of entries that look like what refire sent, as many as it sent are its own, and no others.
func TestLedgerEcho(t *testing.T) {
	ended := time.Date(2026, 11, 20, 14, 0, 30, 700_000_000, time.UTC)
	type fired struct {
		status, attempts int
		unsent           bool
	}
	type entry struct {
		seconds int // after ended's second
		change  func(*refire.Request)
		want    refire.Reason
	}
	for name, c := range map[string]struct {
		fired   []fired
		entries []entry
	}{
		"one, in its second":    {[]fired{{503, 1, false}}, []entry{{0, nil, refire.Echo}, {0, nil, ""}}},
		"when it began":         {[]fired{{503, 1, false}}, []entry{{-5, nil, refire.Echo}}}, // it took 3 s
		"before that":           {[]fired{{503, 1, false}}, []entry{{-6, nil, ""}}},
		"the clocks differ":     {[]fired{{503, 1, false}}, []entry{{2, nil, refire.Echo}}},
		"too late":              {[]fired{{503, 1, false}}, []entry{{3, nil, ""}}},
		"two":                   {[]fired{{503, 1, false}, {503, 1, false}}, []entry{{0, nil, refire.Echo}, {1, nil, refire.Echo}, {1, nil, ""}}},
		"another status":        {[]fired{{502, 1, false}}, []entry{{0, nil, ""}}},
		"a status of no entry":  {[]fired{{404, 1, false}}, []entry{{0, func(r *refire.Request) { r.OldStatus = 404 }, ""}}},
		"recovered":             {[]fired{{200, 1, false}}, []entry{{0, nil, ""}}},
		"no answer":             {[]fired{{0, 1, false}}, []entry{{60, nil, refire.Echo}, {0, nil, ""}}},
		"no answer, much later": {[]fired{{0, 1, false}}, []entry{{61, nil, ""}}},
		"never sent":            {[]fired{{0, 1, true}}, []entry{{0, nil, ""}}},
		"three attempts":        {[]fired{{503, 3, false}}, []entry{{0, nil, refire.Echo}, {-20, nil, refire.Echo}, {-90, nil, refire.Echo}, {-5, nil, ""}}},
		"another target":        {[]fired{{503, 1, false}}, []entry{{0, func(r *refire.Request) { r.Target = "/b" }, ""}}},
		"another method":        {[]fired{{503, 1, false}}, []entry{{0, func(r *refire.Request) { r.Method = "HEAD" }, ""}}},
		"another place":         {[]fired{{503, 1, false}}, []entry{{0, func(r *refire.Request) { r.Origin.Host = "other" }, ""}}},
		"without a time":        {[]fired{{503, 1, false}}, []entry{{0, func(r *refire.Request) { r.Logged = time.Time{} }, ""}}},
		"the entry that was fired, again": {[]fired{{503, 1, false}}, []entry{
			{0, func(r *refire.Request) { r.ID = accesslog.ID{1} }, refire.AlreadyDone}, {0, nil, refire.Echo}}},
	} {
		l := refire.NewLedger(false)
		l.Wanted = wantsServerErrors
		for i, f := range c.fired {
			o := outcome(request(byte(i+1), "/a"), f.status, 0, "")
			o.Attempts, o.Unsent, o.Time, o.Latency = f.attempts, f.unsent, ended, 3*time.Second
			l.Load(o)
		}
		for i, e := range c.entries {
			r := request(byte(100+i), "/a")
			r.OldStatus, r.Logged = 503, ended.Truncate(time.Second).Add(time.Duration(e.seconds)*time.Second)
			if e.change != nil {
				e.change(&r)
			}
			if why := l.Admit(&r); why != e.want {
				t.Errorf("%s: entry %d: %q, want %q", name, i, why, e.want)
			}
		}
	}
	l := refire.NewLedger(false) // nobody asked for it
	l.Load(outcome(request(1, "/a"), 503, 0, ""))
	r := request(2, "/a")
	if why := l.Admit(&r); why != "" {
		t.Errorf("without Wanted: %q", why)
	}
}

// TestFiringEcho: a server logs each request that fails, at once, and the log is followed. What refire sent itself is not fired, with retries, without an
// answer, and while other requests for the same target fail; what others sent is, each once.
func TestFiringEcho(t *testing.T) {
	for name, answer := range map[string]refire.Answer{
		"an answer":  {Status: 503},
		"none":       {Err: &refire.Failure{Trouble: refire.Closed, Err: io.EOF}},
		"half of it": {Status: 503, Err: &refire.Failure{Trouble: refire.Cut, Err: io.ErrUnexpectedEOF}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const others = 20
				log := make(chan refire.Request, 1000)
				logged := byte(0)
				write := func(target string) { // in the server's log, as the others' requests are
					logged++
					r := request(logged, target)
					r.OldStatus, r.Logged = 503, time.Now().Truncate(time.Second)
					log <- r
				}
				client := &fakeClient{answer: func(ctx context.Context, r *refire.Request, _ int) refire.Answer {
					aio.Sleep(ctx, 700*time.Millisecond)
					write(r.Target)
					aio.Sleep(ctx, 100*time.Millisecond) // the answer is still on its way
					return answer
				}}
				source := func(ctx context.Context, emit func(refire.Request, int64) error) error {
					for {
						select {
						case r := <-log:
							if err := emit(r, 0); err != nil {
								return err
							}
						case <-ctx.Done():
							return context.Cause(ctx)
						}
					}
				}
				ctx, stop := context.WithCancel(t.Context())
				go func() {
					for i := range others {
						write("/a")
						time.Sleep(time.Duration(50+i*i*10) * time.Millisecond) // some at once, some when none is under way
					}
					time.Sleep(time.Hour)
					stop()
				}()
				ledger := refire.NewLedger(false)
				ledger.Wanted = wantsServerErrors
				var sink memorySink
				f := &refire.Firing{Sources: []refire.Source{source}, Client: client, Sink: &sink, Ledger: ledger, Concurrency: 8, Retries: 1}
				p, _ := fire(ctx, f)
				if len(sink.outcomes) != others || p.Skipped[refire.Echo] != 2*others {
					t.Errorf("%d outcomes, %d of its own skipped; want %d, %d", len(sink.outcomes), p.Skipped[refire.Echo], others, 2*others)
				}
			})
		})
	}
}
