package aiotest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

// The cases of TestJobExecutor about Close, Job.In and Accept.

func closedForJobs(t testing.TB, j *jobTrial) {
	j.close("there were no calls")
	in := j.next(comeBack)
	if _, err := j.execute(j.ctx, encoded(j.ctx, in)).wait("the executor is closed"); !errors.Is(err, aio.ErrClosed) {
		t.Fatalf("Execute after Close: %v", err)
	}
	j.ranNever(in, "the executor was closed before")
}

func closeWaitsForJobs(t testing.TB, j *jobTrial) {
	if _, err := j.do(j.next(comeBack)); err != nil { // it does not only wait for the first ones it has
		t.Fatalf("the first call: %v", err)
	}
	in, second := j.next(wait4desk), j.next(wait4desk)
	e := j.execute(j.ctx, encoded(j.ctx, in))
	j.starts(in, e)
	other := j.execute(j.ctx, encoded(j.ctx, second)) // which may wait for room
	j.quiet()
	closing := j.closing()
	j.quiet()
	if closing.returned() {
		t.Fatal("Close returned while a job ran")
	}
	if e.returned() {
		t.Fatalf("Close was called while a job ran, and Execute returned before that: %v", e.err)
	}
	j.lets(in)
	if _, err := e.wait("its job was let go, and Close called"); err != nil {
		t.Fatalf("Execute, when Close was called while its job ran: %v", err)
	}
	if !j.startsOrReturns(second, other) {
		t.Fatal("a job did not run, when another had ended and Close was called; its Execute has not returned either")
	}
	j.quiet()
	if closing.returned() && !other.returned() {
		t.Fatal("Close returned while a job ran, when another had ended")
	}
	j.desk.open(everybody)
	if _, err := other.wait("its job was let go, and Close called"); err != nil && !errors.Is(err, aio.ErrClosed) {
		t.Fatalf("Execute, when Close was called while its job ran, or while it waited for room: %v", err)
	}
	j.close("the jobs have returned")
}

func closesJobsAgain(t testing.TB, j *jobTrial) {
	in := j.next(wait4desk)
	e := j.execute(j.ctx, encoded(j.ctx, in))
	j.starts(in, e)
	again := func() {
		defer func() {
			if p := recover(); p != nil {
				t.Errorf("Close panicked when it was called again: %v", p)
			}
		}()
		if err := j.ex.Close(); err != nil {
			t.Errorf("one Close of several: %v", err)
		}
	}
	all := []going{j.closing()}
	for range 3 {
		j.quiet()
		all = append(all, inBackground(again))
	}
	j.quiet()
	for _, g := range all {
		if g.returned() {
			t.Fatal("Close was called four times, and one of them returned while a job ran")
		}
	}
	j.lets(in)
	all = append(all, inBackground(again))
	for _, g := range all {
		g.waitFor(t, patience, "Close was called several times, and one of them did not return when the job had")
	}
}

func closesJobsInTask(t testing.TB, j *jobTrial) {
	in := j.next(wait4desk)
	e := j.execute(j.ctx, encoded(j.ctx, in))
	j.starts(in, e)
	j.onLoop("a task is in Close, and its loop, which should have the job go on, stands still", func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		l.CallLater(time.Millisecond, func() { j.lets(in) })
		return j.closeHere()
	})
}

// closeHere calls Close in the calling goroutine, unless that was done.
func (j *jobTrial) closeHere() (err error) {
	j.closes.Do(func() {
		j.closeCall = going{make(chan struct{})}
		defer close(j.closeCall.done)
		err = j.ex.Close()
	})
	return err
}

// leavesNoGoroutine uses the executor; what is left is looked for after the case.
func leavesNoGoroutine(t testing.TB, j *jobTrial) {
	for _, do := range []doing{comeBack, comeBack, fail, panics, comeBack} {
		_, _ = j.do(j.next(do))
	}
	in := j.next(wait4desk)
	ctx, cancel := context.WithCancel(j.ctx)
	defer cancel()
	e := j.execute(ctx, encoded(j.ctx, in))
	j.starts(in, e)
	cancel()
	_, _ = e.wait("its ctx was cancelled")
}

func futuresOfJobs(t testing.TB, j *jobTrial) {
	j.onLoop("a task that called Job.In did not come to its end", func(ctx context.Context) error {
		in := j.next(comeBack)
		result := func(in errand) (errandDone, error) {
			return insist(ctx, func() (errandDone, error) { return runErrand.In(ctx, j.ex, in).Await(ctx) })
		}
		if out, err := result(in); err != nil || out.Number != in.Number {
			return fmt.Errorf("the result of errand %d: %d, %v", in.Number, out.Number, err)
		}
		if _, err := result(j.next(fail)); !errors.Is(err, errOnPurpose) {
			return fmt.Errorf("the job returned an error with a sentinel, the future has: %w", err)
		}
		in = j.next(wait4desk)
		if _, err := insist(ctx, func() (errandDone, error) {
			f := runErrand.In(ctx, j.ex, in)
			_, _ = aio.Blocking(ctx, func(context.Context) (bool, error) {
				return j.desk.until(func(v *visit) bool { return v.number == in.Number || f.State() != aio.Pending }), nil
			})
			f.Cancel(nil)
			return f.Await(ctx)
		}); !errors.Is(err, aio.ErrCancelled) {
			return fmt.Errorf("a future was cancelled while its job ran, and has: %v", err)
		}
		_, err := aio.Blocking(ctx, func(context.Context) (struct{}, error) {
			if !j.desk.until(func(v *visit) bool { return v.number == in.Number && v.gone }) {
				return struct{}{}, errors.New("a future was cancelled, and its job went on")
			}
			return struct{}{}, nil
		})
		return err
	})
}

// acceptCall is Accept, again and again while that is aio.ErrFull.
func acceptCall(ctx context.Context, a job.Accepter, c job.Call) (func(context.Context) ([]byte, error), error) {
	return insist(ctx, func() (func(context.Context) ([]byte, error), error) { return a.Accept(ctx, c) })
}

// accepting is acceptCall in the background.
type accepting struct {
	going
	outcome func(context.Context) ([]byte, error)
	err     error
}

func (j *jobTrial) accept(ctx context.Context, a job.Accepter, in errand) *accepting {
	c := encoded(context.Background(), in)
	g := &accepting{}
	g.going = inBackground(func() { g.outcome, g.err = acceptCall(ctx, a, c) })
	return g
}

// bring calls outcome in the background.
func (j *jobTrial) bring(ctx context.Context, outcome func(context.Context) ([]byte, error)) *executing {
	return j.background(func() ([]byte, error) { return outcome(ctx) })
}

// accepted is a call that was accepted, with nothing else to do.
func (j *jobTrial) accepted(ctx context.Context, a job.Accepter, in errand) *accepting {
	j.t.Helper()
	g := j.accept(ctx, a, in)
	g.waitFor(j.t, patience, "Accept did not return, and there were no other calls")
	if g.err != nil {
		j.t.Fatalf("Accept, and there were no other calls: %v", g.err)
	}
	return g
}

func accepts(t testing.TB, j *jobTrial) {
	a, ok := j.ex.(job.Accepter)
	if !ok {
		return
	}
	for _, ends := range []bool{false, true} {
		ctx, cancel := context.WithCancel(j.ctx)
		defer cancel()
		in := j.next(comeBack)
		g := j.accepted(ctx, a, in)
		if ends {
			cancel()
			j.quiet()
		}
		outcome, err := j.bring(j.ctx, g.outcome).wait("it was accepted, and its job does not wait for anything")
		if err != nil {
			t.Fatalf("no outcome of an accepted call, the ctx of Accept had ended since: %v: %v", ends, err)
		}
		if out, err := read(outcome); err != nil || out.Number != in.Number {
			t.Fatalf("the outcome of call %d is that of %d, %v", in.Number, out.Number, err)
		}
	}
}

func refusesToAccept(t testing.TB, j *jobTrial) {
	a, ok := j.ex.(job.Accepter)
	if !ok {
		return
	}
	check := func(ctx context.Context, want error) {
		t.Helper()
		in := j.next(comeBack)
		g := j.accept(ctx, a, in)
		g.waitFor(t, patience, "Accept did not return, and should have with: %v", want)
		if !errors.Is(g.err, want) {
			t.Fatalf("Accept: %v, want %v", g.err, want)
		}
		j.ranNever(in, "Accept had returned an error")
	}
	ctx, cancel := context.WithCancel(j.ctx)
	cancel()
	check(ctx, context.Canceled)
	j.close("there were no calls")
	check(j.ctx, aio.ErrClosed)
}

func acceptWaits(t testing.TB, j *jobTrial) {
	a, ok := j.ex.(job.Accepter)
	if !ok {
		return
	}
	var crowd []going
	for range 64 { // more than there is room for, if there is a limit
		in := j.next(wait4desk)
		crowd = append(crowd, inBackground(func() {
			outcome, err := acceptCall(j.ctx, a, encoded(context.Background(), in))
			if err == nil {
				_, err = outcome(j.ctx)
			}
			if err != nil {
				t.Errorf("Accept among others, or its outcome: %v", err)
			}
		}))
	}
	if !j.desk.until(func(*visit) bool { return true }) {
		t.Fatal("of many calls at the same time, none was accepted and run")
	}
	j.quiet()

	ctx, cancel := context.WithCancel(j.ctx)
	defer cancel()
	late := j.accept(ctx, a, j.next(wait4desk))
	j.quiet()
	cancel()
	late.waitFor(t, patience, "Accept waited for room, and its ctx ended: it did not return")
	switch {
	case late.err == nil:
		_, _ = j.bring(ctx, late.outcome).wait("its ctx had ended")
	case !errors.Is(late.err, context.Canceled):
		t.Fatalf("Accept waited for room, and its ctx was cancelled: %v", late.err)
	}

	j.onLoop("a task in Accept waits for room, and its loop, which should make some, stands still", func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		l.CallLater(time.Millisecond, func() { j.desk.open(everybody) }) // nobody else does
		outcome, err := acceptCall(ctx, a, encoded(context.Background(), j.next(comeBack)))
		if err == nil {
			_, err = aio.Blocking(ctx, outcome)
		}
		return err
	})
	j.desk.open(everybody)
	for _, g := range crowd {
		g.waitFor(t, patience, "of many accepted calls, one had no outcome when all jobs were let go")
	}
}

func stopsAccepted(t testing.TB, j *jobTrial) {
	a, ok := j.ex.(job.Accepter)
	if !ok {
		return
	}
	in := j.next(wait4desk)
	g := j.accepted(j.ctx, a, in)
	ctx, cancel := context.WithCancel(j.ctx)
	defer cancel()
	e := j.bring(ctx, g.outcome)
	j.starts(in, e)
	cancel()
	if err := e.failure("its ctx was cancelled while the job ran"); !errors.Is(err, context.Canceled) {
		t.Fatalf("the outcome was waited for under a ctx that was cancelled: %v", err)
	}
	j.stops(in, "the ctx under which its outcome was waited for was cancelled")
}
