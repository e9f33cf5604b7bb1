package refire

import (
	"context"
	"time"

	"github.com/seed8b1f0744/aio"
)

// attempts makes the first attempt and, if it must, further ones. fired is false if not even the first one was begun.
func (r *run) attempts(work, intake context.Context, req *Request) (o Outcome, fired bool) {
	gate := r.guard.gate(intake, req.Origin)
	for n, unsent := 1, true; ; n++ {
		probe, err := r.begin(gate)
		if err != nil {
			r.cutShort = r.cutShort || fired
			return o, fired
		}
		if n == 1 && !r.announced(work, intake, req) {
			gate.abandon(probe)
			return o, fired
		}
		answer, ok := r.attempt(work, gate, probe, req)
		if !ok {
			if r.cutShort = r.cutShort || fired; !fired {
				r.withdraw(req)
			}
			return o, fired
		}
		unsent = unsent && answer.Unsent
		if !fired {
			r.guard.budget.Fired()
		}
		if answer.Status >= 400 { // else no entry is like it
			now := aio.Now(work)
			r.echoes.sent(req, now.Add(-answer.Latency), now, answer.Status)
		}
		o, fired = Outcome{
			Request: *req, Status: answer.Status, Attempts: n, Latency: answer.Latency, Bytes: answer.Bytes,
			Time: aio.Now(work), Round: r.Ledger.Round(), Unsent: unsent,
		}, true
		if answer.Err != nil {
			o.Error = answer.Err.Error()
		}
		if n > r.Retries || !answer.mayRepeat(req.Method) || !unsent && r.onlyOnce(req) || !r.guard.mayRetry() {
			return o, fired
		}
		if r.wait(intake, r.Backoff.After(n)) != nil {
			r.cutShort = true
			return o, fired
		}
	}
}

// begin waits until an attempt may be made: for room at its place, until the place is not to be left alone, and for the pace.
func (r *run) begin(gate *gate) (probe bool, err error) {
	if err := gate.enter(); err != nil {
		return false, err
	}
	for {
		if err = r.wait(gate.ctx, r.pace.Next(aio.Now(gate.ctx))); err != nil {
			break
		}
		if _, holds := gate.holds(aio.Now(gate.ctx)); !holds {
			return gate.pass(), nil
		}
		if err = gate.await(); err != nil {
			break
		}
	}
	gate.release()
	return false, err
}

// attempt makes one. ok is false if it says nothing about the entry.
func (r *run) attempt(work context.Context, gate *gate, probe bool, req *Request) (answer Answer, ok bool) {
	r.running++
	answer = r.Client.Attempt(work, req)
	r.running--
	if why := answer.endsRun(); why != nil {
		gate.abandon(probe)
		r.end(why)
		return answer, false
	}
	now := aio.Now(work)
	gate.leave(now, probe, &answer)
	if all := r.guard.giveUp(now, gate); all {
		r.end(r.guard.away)
	}
	return answer, true
}

func (r *run) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	return aio.Sleep(ctx, d)
}
