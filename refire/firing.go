package refire

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Source reads requests: a log, or what still fails in a journal. It blocks (it is run on an executor), calls emit for each request, with how many bytes of
// all sources are read by then, and stops at emit's first error, which it returns.
type Source func(ctx context.Context, emit func(r Request, read int64) error) error

// Sink writes outcomes down. Append blocks (it is run on an executor), is called by one goroutine at a time, and returns how many of outcomes are written
// for good: fewer than all only with an error, after which it is not called any more. With an error and all of them written, nothing new is begun, and it is
// called for what is under way.
type Sink interface {
	Append(outcomes []Outcome) (written int, err error)
}

// SinkError is Run's error when outcomes could not be written.
type SinkError struct{ Err error }

// Error implements error.
func (e *SinkError) Error() string { return "refire: cannot write outcomes: " + e.Err.Error() }

// Unwrap returns the sink's error.
func (e *SinkError) Unwrap() error { return e.Err }

// LocalError is Run's error when this machine had no socket or memory for a request. That says nothing about the entry: it is not written down.
type LocalError struct{ Err error }

// Error implements error.
func (e *LocalError) Error() string {
	return "refire: this machine cannot open more connections: " + e.Err.Error()
}

// Unwrap returns the system's error.
func (e *LocalError) Unwrap() error { return e.Err }

// Firing fires requests: it connects sources, ledger, client and sink. All fields are set before Run and left alone during it.
type Firing struct {
	Sources []Source
	Ledger  *Ledger
	Client  Client
	Sink    Sink

	Concurrency int     // entries at a time; default DefaultConcurrency
	Rate        float64 // attempts begun per second, over all entries; 0: no limit
	Retries     int     // further attempts for an entry that got no answer, a 5xx or a 429
	Backoff     Backoff // between those
	Safety      Safety

	// Once chooses the requests that are fired at most once: announced before (Sink is an Announcer), and not repeated when a byte of them was sent. nil: none.
	Once func(*Request) bool

	Progress func(Progress) // nil: nobody wants to know. It may block: it is run on an executor, not concurrently
	Every    time.Duration  // how often; default 1 s
}

// Progress is how far a run is.
type Progress struct {
	Read        int64 // bytes of all sources, up to the last request they yielded
	ReadAll     bool  // there are no more requests than Admitted
	Skipped     map[Reason]int
	Admitted    int
	Done        int // of those, with their outcome written
	Running     int // requests under way
	Recovered   int // of Done
	Unreachable int // of Done: no answer, or one that broke off and is no failure by itself
	NoAnswer    int // of Unreachable: nothing came
	Unwritten   int // fired, and then their outcome could not be written
	Elapsed     time.Duration
	Alike       int // of Admitted: entries just like what this run has sent, and was answered with their status

	Asked      []Origin // the places that requests were to go to so far
	Held       []Held   // places that nothing is fired at for now
	Waiting    bool     // these are all that there are
	NotRetried int      // attempts that were not made, as Safety.RetryShare had run out
	Enough     bool     // Safety.Max entries were admitted, and no more
}

// Run fires everything and returns when all of it is written. Call it in a task: it suspends. Everything but Source, Sink and Progress runs in tasks of
// that loop, so there is no lock.
//
// When ctx ends, nothing new is begun; attempts that are under way end by themselves (the client bounds them), their outcomes are written, and the error is
// ctx's cause. An entry waiting for a further attempt is written as it stands. When outcomes cannot be written, attempts are abandoned, and the error is a
// *SinkError: at most Concurrency entries were then fired without being written. It is one, too, when requests cannot be announced: that abandons none. When this machine runs out of sockets, nothing new is begun, and the
// error is a *LocalError; when a proxy wants a password that it was not given, a *ProxyError; when Safety ends a run, it is ErrDeadline, a *CanaryError or an
// *AwayError. What was not begun then is not written, and is there for the next run. When a source fails, what was read before is fired, and the error is the
// source's.
func (f *Firing) Run(ctx context.Context) (Progress, error) {
	r := &run{Firing: f, pace: Pace{PerSecond: f.Rate}, begun: aio.Now(ctx), requests: newIntake(), echoes: newEchoes()}
	r.guard = newGuard(f.Safety, r.concurrency(), r.begun)
	r.skipped = map[Reason]int{}
	err := r.run(ctx)
	return r.progress(ctx), err
}

// run is the state of one Run. // loop only
type run struct {
	*Firing
	guard    *guard
	pace     Pace
	begun    time.Time
	requests *intake // from the sources
	outcomes aio.Queue[unwritten]

	announcements aio.Queue[announcement]
	echoes        *echoes

	read        int64
	readAll     bool
	skipped     map[Reason]int
	admitted    int
	done        int
	running     int
	recovered   int
	noAnswer    int
	unreachable int
	unwritten   int
	cutShort    bool // an entry was written that had further attempts to come

	stop   context.CancelCauseFunc // nothing new is begun
	why    error                   // why, where the run itself stopped
	enough bool                    // Safety.Max
}

// end stops the run.
func (r *run) end(why error) {
	if r.why == nil {
		r.why = why
		r.stop(why)
	}
}

// unwritten is an outcome whose line is not written yet; without a promise: there are no more.
type unwritten struct {
	outcome Outcome
	written *aio.Promise[struct{}]
}

// run runs the tasks: one reads, one writes, one reports, and one for each entry that is being fired.
func (r *run) run(ctx context.Context) error {
	intake, stop := context.WithCancelCause(ctx)                       // ends: nothing new is begun
	work, abort := context.WithCancelCause(context.WithoutCancel(ctx)) // ends: attempts are abandoned
	defer abort(nil)
	defer stop(nil)
	r.stop = stop
	reading, stopReading := context.WithCancelCause(intake) // ends: nothing more is read
	defer stopReading(nil)

	var readErr, writeErr, announceErr error
	err := aio.WithGroup(context.WithoutCancel(ctx), func(group context.Context) error {
		tick, done := context.WithCancel(group)
		defer done()
		defer func() { // without a limit: they always take it
			_ = r.outcomes.TryPut(unwritten{})
			_ = r.announcements.TryPut(announcement{})
		}()
		aio.Go(group, aio.Do(func(ctx context.Context) error {
			if readErr = r.readSources(ctx, reading); errors.Is(readErr, errEnough) {
				readErr = nil
			}
			return nil
		}), aio.Named("read"))
		aio.Go(group, aio.Do(func(ctx context.Context) error {
			writeErr = r.writeOutcomes(ctx, stop, abort)
			return nil
		}), aio.Named("write"))
		aio.Go(group, aio.Do(func(ctx context.Context) error {
			announceErr = r.writeAnnouncements(ctx, stop)
			return nil
		}), aio.Named("announce"))
		aio.Go(tick, aio.Do(r.report), aio.Named("report"))
		aio.Go(tick, aio.Do(r.deadline), aio.Named("deadline"))
		aio.Go(tick, aio.Do(func(ctx context.Context) error { return r.guard.climb(ctx, &r.pace) }), aio.Named("ramp"))
		return aio.ForEach(group, r.concurrency(), r.admit(intake, stopReading), func(group context.Context, req Request) error {
			return r.fire(group, work, intake, &req)
		})
	})
	switch {
	case err != nil:
		return err
	case writeErr != nil:
		return writeErr
	case announceErr != nil:
		return announceErr
	case ctx.Err() == nil && r.why == nil && (readErr != nil || r.guard.away == nil):
		return readErr
	case readErr == nil && r.readAll && r.done == r.admitted && !r.cutShort:
		return nil // what ended it came too late to matter
	case r.why != nil:
		return r.why
	case ctx.Err() == nil:
		return r.guard.away
	}
	return context.Cause(ctx)
}

func (r *run) concurrency() int {
	if r.Concurrency > 0 {
		return r.Concurrency
	}
	return DefaultConcurrency
}

// readSources runs the sources one after the other in one call on the executor; the intake holds them back.
func (r *run) readSources(ctx, reading context.Context) error {
	return blocking(ctx, func() error {
		put := func(req Request, read int64) error { return r.requests.put(reading, found{req, read}) }
		defer func() { _ = put(Request{}, 0) }() // fails only when reading has ended, and then nobody waits for it
		for _, source := range r.Sources {
			if err := source(reading, put); err != nil {
				return err
			}
		}
		return nil
	})
}

// blocking runs call on the loop's executor, whatever happens to ctx.
func blocking(ctx context.Context, call func() error) error {
	_, err := aio.Blocking(context.WithoutCancel(ctx), aio.Do(func(context.Context) error { return call() }))
	return err
}

// deadline ends the run at its time.
func (r *run) deadline(ctx context.Context) error {
	if r.Safety.Deadline > 0 && aio.Sleep(ctx, r.Safety.Deadline) == nil {
		r.end(ErrDeadline)
	}
	return nil
}

// admit yields the requests that the ledger takes on.
func (r *run) admit(intake context.Context, stopReading func(error)) iter.Seq[Request] {
	return func(yield func(Request) bool) {
		for {
			if err := r.guard.next(intake, r.admitted); err != nil {
				if r.enough = err == errEnough; r.enough {
					r.readAll = true
					stopReading(err)
				}
				return
			}
			f, err := r.requests.get(intake)
			if err != nil {
				return
			}
			if f.request.Method == "" {
				r.readAll = true
				return
			}
			r.read = f.read
			if why := r.Ledger.Admit(&f.request); why != "" {
				if !f.request.Again {
					r.skipped[why]++
				}
				continue
			}
			r.admitted++
			if !f.request.Again {
				r.echoes.met(&f.request)
			}
			if !yield(f.request) {
				return
			}
		}
	}
}

// fire fires one entry and waits until its outcome is written. Only then its slot is free: a run that is killed has at most Concurrency entries that were
// fired and are not written.
func (r *run) fire(ctx, work, intake context.Context, req *Request) error {
	outcome, fired := r.attempts(work, intake, req)
	if !fired {
		return nil
	}
	if work.Err() != nil { // nowhere to write it; the next run fires it
		r.unwritten++
		return nil
	}
	u := unwritten{outcome, aio.NewPromise[struct{}]()}
	if err := r.outcomes.TryPut(u); err != nil {
		return err
	}
	if _, err := u.written.Await(context.WithoutCancel(ctx)); err != nil {
		r.unwritten++
		return nil // Run's error says it
	}
	r.done++
	if why := r.guard.settled(&outcome); why != nil {
		r.end(why)
	}
	switch v := outcome.Verdict(); {
	case v.Recovered():
		r.recovered++
	case !v.StillFails():
		r.unreachable++
	}
	if outcome.Status == 0 {
		r.noAnswer++
	}
	return nil
}

// writeOutcomes writes what is there, in one go, until there are no more. With the first failure nothing new is begun; once something could not be written it
// refuses the rest, and what is under way is abandoned.
func (r *run) writeOutcomes(ctx context.Context, stop, abort func(error)) (failure error) {
	refuses := false
	for last := false; !last; {
		var batch []unwritten
		var err error
		if batch, last, err = r.takeOutcomes(ctx); err != nil {
			return err
		}
		written := 0
		if !refuses && len(batch) > 0 {
			if written, err = r.append(ctx, batch); err != nil {
				if failure == nil {
					failure = err
					stop(err)
				}
				if refuses = written < len(batch); refuses {
					failure = err // it says more about what is missing
					abort(err)
				}
			}
		}
		for i, u := range batch {
			if i < written {
				r.Ledger.Settle(&u.outcome)
				u.written.Resolve(struct{}{})
			} else {
				u.written.Reject(failure)
			}
		}
	}
	return failure
}

// takeOutcomes waits for an outcome and takes all that are there.
func (r *run) takeOutcomes(ctx context.Context) (batch []unwritten, last bool, err error) {
	u, err := r.outcomes.Get(context.WithoutCancel(ctx))
	if err != nil {
		return nil, false, err
	}
	for ; err == nil; u, err = r.outcomes.TryGet() {
		if u.written == nil {
			return batch, true, nil
		}
		batch = append(batch, u)
	}
	return batch, false, nil
}

func (r *run) append(ctx context.Context, batch []unwritten) (written int, err error) {
	outcomes := make([]Outcome, len(batch))
	for i := range batch {
		outcomes[i] = batch[i].outcome
	}
	err = blocking(ctx, func() (err error) {
		written, err = r.Sink.Append(outcomes)
		return err
	})
	if err != nil {
		err = &SinkError{err}
	}
	return written, err
}

// report tells how far the run is, until its ctx ends.
func (r *run) report(ctx context.Context) error {
	if r.Progress == nil {
		return nil
	}
	every := r.Every
	if every <= 0 {
		every = time.Second
	}
	for aio.Sleep(ctx, every) == nil {
		p := r.progress(ctx)
		_ = blocking(ctx, func() error { r.Progress(p); return nil })
	}
	return nil
}

func (r *run) progress(ctx context.Context) Progress {
	skipped := make(map[Reason]int, len(r.skipped))
	for why, n := range r.skipped {
		skipped[why] = n
	}
	held, waiting := r.guard.held(aio.Now(ctx))
	return Progress{
		Read: r.read, ReadAll: r.readAll, Skipped: skipped, Admitted: r.admitted, Done: r.done, Running: r.running, Recovered: r.recovered,
		Unreachable: r.unreachable, NoAnswer: r.noAnswer, Unwritten: r.unwritten, Elapsed: aio.Now(ctx).Sub(r.begun),
		Asked: r.guard.asked(), Held: held, Waiting: waiting, NotRetried: r.guard.budget.Short(), Enough: r.enough, Alike: r.echoes.alike,
	}
}
