package aiotest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

const leavesNothing = "nothing is left"

var jobPromises = []promise[*jobTrial]{
	{"outcome", "Execute returns the outcome of its job", hasOutcome},
	{"failures", "how a job fails, by an error, a panic or a result that cannot travel, is in the outcome; Execute has no error, and the executor goes on", failsInOutcome},
	{"strange calls", "a call that no job can answer, by its name or its payload, has an outcome that says so", strangeCalls},
	{"goexit", "a job that goes by runtime.Goexit has no outcome: Execute is aio.ErrGoexit, and the executor goes on", goexitIsError},
	{"either", "Execute returns an outcome or an error, not both and not neither", eitherOr},
	{"payload", "an executor does not change a call's payload", keepsPayload},
	{"outcome is kept", "an executor does not change an outcome that it has returned", keepsOutcomes},
	{"big", "payloads and outcomes of megabytes travel", carriesMuch},
	{"same call again", "a call that is delivered twice, with the same ID, has its outcome each time", sameCallAgain},
	{"many at once", "of many calls at the same time, from goroutines and tasks, each is run once and gets its own outcome", manyJobs},
	{"task", "a task in Execute is suspended: its loop goes on", suspendsTask},
	{"callback", "in a callback Execute does not wait, as nothing can suspend that: it is aio.ErrWouldDeadlock, and the job is not run", refusesCallback},
	{"ctx has ended", "Execute under a ctx that has ended returns its error, and the job is not run", refusesEnded},
	{"ctx ends", "Execute returns ctx's error when that ends, or what the job, which sees it too, makes of it", returnsAtEnd},
	{"job stops", "when the ctx of Execute ends, that of the job does", stopsJob},
	{"ctx ends meanwhile", "a call whose ctx ends before its job has begun is not run; those that wait with it are", endsBeforeItRuns},
	{"deadline", "the caller's deadline is the job's, also where Execute has none", carriesDeadline},
	{"closed", "after Close, Execute is aio.ErrClosed, and the job is not run", closedForJobs},
	{"close waits", "Close waits for the calls that were taken, and they have their outcomes", closeWaitsForJobs},
	{"close again", "Close may be called again and at the same time; it waits each time, and has no error", closesJobsAgain},
	{"close in a task", "a task in Close is suspended: its loop goes on", closesJobsInTask},
	{leavesNothing, "after Close no goroutine of the executor is left", leavesNoGoroutine},
	{"future", "with Job.In the future has the result, and its Cancel stops the job", futuresOfJobs},
	{"accept", "what Accept returns has the outcome, also if the ctx of Accept has ended since", accepts},
	{"accept has ended", "Accept is ctx's error if that has ended, aio.ErrClosed after Close, and the job is not run", refusesToAccept},
	{"accept waits", "Accept that waits for room suspends a task, and returns ctx's error when that ends", acceptWaits},
	{"accepted and stopped", "what Accept returns has a ctx of its own: when that ends it returns its error, and the job stops", stopsAccepted},
}

func keepsPayload(t testing.TB, j *jobTrial) {
	in := j.next(comeBack)
	in.Bytes = bytes.Repeat([]byte("payload"), 100)
	c := encoded(j.ctx, in)
	before := bytes.Clone(c.Payload)
	if _, err := j.execute(j.ctx, c).wait("its job does not wait for anything"); err != nil {
		t.Fatalf("Execute: %v", err)
	}
	if !bytes.Equal(c.Payload, before) {
		t.Fatal("after Execute the call's payload is another")
	}
}

func keepsOutcomes(t testing.TB, j *jobTrial) {
	var outcomes, copies [][]byte
	for i := range 10 {
		in := j.next(comeBack)
		in.Bytes = bytes.Repeat([]byte{byte(i)}, 100)
		outcome, err := j.execute(j.ctx, encoded(j.ctx, in)).wait("its job does not wait for anything")
		if err != nil {
			t.Fatalf("Execute: %v", err)
		}
		outcomes, copies = append(outcomes, outcome), append(copies, bytes.Clone(outcome))
	}
	for i, outcome := range outcomes {
		if !bytes.Equal(outcome, copies[i]) {
			t.Fatal("an outcome is another after later calls")
		}
	}
}

func carriesMuch(t testing.TB, j *jobTrial) {
	for _, size := range []int{1<<16 - 1, 1 << 20, 5 << 20} {
		in := errand{Number: size, Bytes: bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size]}
		if out, err := j.do(in); err != nil || !bytes.Equal(out.Bytes, in.Bytes) {
			t.Fatalf("sent %d bytes to a job that returns them: got %d bytes that are the same: %v; error %v",
				size, len(out.Bytes), bytes.Equal(out.Bytes, in.Bytes), err)
		}
	}
}

func sameCallAgain(t testing.TB, j *jobTrial) {
	in := j.next(comeBack)
	var same []job.Call
	for c := encoded(j.ctx, in); len(same) < 3; {
		same = append(same, job.Call{ID: c.ID, Name: c.Name, Payload: bytes.Clone(c.Payload)})
	}
	for i, e := range []*executing{j.execute(j.ctx, same[0]), j.execute(j.ctx, same[1]), nil} {
		if e == nil { // when the others are over
			e = j.execute(j.ctx, same[2])
		}
		outcome, err := e.wait("the same call was executed, too")
		if err != nil {
			t.Fatalf("Execute of the same call, number %d: %v", i+1, err)
		}
		if out, err := read(outcome); err != nil || out.Number != in.Number {
			t.Fatalf("Execute of the same call, number %d: the outcome has number %d, want %d, and %v", i+1, out.Number, in.Number, err)
		}
	}
}

func manyJobs(t testing.TB, j *jobTrial) {
	one := func(ctx context.Context, in errand) error {
		outcome, err := j.insist(ctx, encoded(context.Background(), in))
		if err != nil {
			return fmt.Errorf("Execute among others: %w", err)
		}
		if out, err := read(outcome); err != nil || out.Number != in.Number {
			return fmt.Errorf("the outcome of call %d is that of %d, %v", in.Number, out.Number, err)
		}
		return nil
	}
	var all []going
	for range 8 {
		var errands []errand
		for range 20 {
			errands = append(errands, j.next(comeBack))
		}
		all = append(all, inBackground(func() {
			for _, in := range errands {
				if err := one(j.ctx, in); err != nil {
					t.Error(err)
					return
				}
			}
		}))
	}
	j.onLoop("tasks that execute many calls did not come to their end", func(ctx context.Context) error {
		return aio.WithGroup(ctx, func(ctx context.Context) error {
			for range 40 {
				in := j.next(comeBack)
				aio.Go(ctx, aio.Do(func(ctx context.Context) error { return one(ctx, in) }))
			}
			return nil
		})
	})
	for _, g := range all {
		g.waitFor(t, patience, "goroutines that execute many calls did not come to their end")
	}
	for number := 1; number <= j.errand; number++ {
		if n := j.desk.runs(number); n != 1 {
			t.Fatalf("of many calls at the same time, one was run %d times", n)
		}
	}
}

func suspendsTask(t testing.TB, j *jobTrial) {
	in := j.next(wait4desk)
	c := encoded(j.ctx, in)
	j.onLoop("a task is in Execute, and its loop, which should have the job go on, stands still", func(ctx context.Context) error {
		executing := aio.Go(ctx, func(ctx context.Context) ([]byte, error) { return j.insist(ctx, c) })
		if err := aio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		j.lets(in) // nobody else does
		_, err := executing.Await(ctx)
		return err
	})
}

func refusesCallback(t testing.TB, j *jobTrial) {
	in := j.next(wait4desk)
	c := encoded(j.ctx, in)
	j.onLoop("Execute in a callback waits, and so the loop stands still", func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		asked := aio.NewPromise[error]()
		l.CallSoon(func() {
			_, err := j.ex.Execute(j.ctx, c) // which lasts: a job that was started does not end with the loop
			asked.Resolve(err)
		})
		err, _ := asked.Await(ctx)
		j.desk.open(everybody) // the job may have been started all the same
		if !errors.Is(err, aio.ErrWouldDeadlock) {
			return fmt.Errorf("Execute in a callback: %v", err)
		}
		return nil
	})
	if _, err := j.do(j.next(comeBack)); err != nil {
		t.Fatalf("a call after one that was refused in a callback: %v", err)
	}
	j.close("the only call that it should have taken is over") // which waits for the other one, if it took that
	j.ranNever(in, "its Execute was called in a callback, and has returned an error")
}

func refusesEnded(t testing.TB, j *jobTrial) {
	cancelled, cancel := context.WithCancel(j.ctx)
	cancel()
	late, cancel := context.WithDeadline(j.ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{cancelled, late} {
		in := j.next(comeBack)
		if _, err := j.execute(ctx, encoded(j.ctx, in)).wait("its ctx has ended"); !errors.Is(err, ctx.Err()) {
			t.Fatalf("Execute under a ctx that has ended with %q: %v", ctx.Err(), err)
		}
		j.ranNever(in, "the ctx of its Execute had ended before")
	}
}

// ranNever fails if an errand has run, as far as that shows when others have, after it.
func (j *jobTrial) ranNever(in errand, why string) {
	j.t.Helper()
	j.quiet()
	if n := j.desk.runs(in.Number); n > 0 {
		j.t.Fatalf("a job was run, and should not have been: %s", why)
	}
}

func returnsAtEnd(t testing.TB, j *jobTrial) {
	in := j.next(wait4desk)
	ctx, cancel := context.WithCancel(j.ctx)
	defer cancel()
	e := j.execute(ctx, encoded(j.ctx, in))
	j.starts(in, e)
	cancel()
	if err := e.failure("its ctx was cancelled while the job ran"); !errors.Is(err, context.Canceled) {
		t.Fatalf("Execute, whose ctx was cancelled while the job ran: %v", err)
	}
	if _, err := j.do(j.next(comeBack)); err != nil {
		t.Fatalf("a call after one that was cancelled: %v", err)
	}
	j.onLoop("a task in Execute was cancelled, and did not come to its end", func(ctx context.Context) error {
		in := j.next(wait4desk)
		c := encoded(context.Background(), in)
		executing := aio.Go(ctx, func(ctx context.Context) ([]byte, error) { return j.insist(ctx, c) })
		if _, err := aio.Blocking(ctx, func(context.Context) (bool, error) {
			return j.desk.until(func(v *visit) bool { return v.number == in.Number }), nil
		}); err != nil {
			return err
		}
		executing.Cancel(nil)
		outcome, err := executing.Await(ctx)
		if err == nil {
			_, err = read(outcome)
		}
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("a task in Execute was cancelled: %v", err)
		}
		return nil
	})
}

func stopsJob(t testing.TB, j *jobTrial) {
	in := j.next(wait4desk)
	ctx, cancel := context.WithCancel(j.ctx)
	defer cancel()
	e := j.execute(ctx, encoded(j.ctx, in))
	j.starts(in, e)
	cancel()
	j.stops(in, "the ctx of its Execute was cancelled")
}

func endsBeforeItRuns(t testing.TB, j *jobTrial) {
	first, second := j.next(wait4desk), j.next(wait4desk)
	leading := j.execute(j.ctx, encoded(j.ctx, first))
	j.starts(first, leading)
	var waiting []*executing
	ctx, cancel := context.WithCancel(j.ctx)
	defer cancel()
	for range 12 {
		waiting = append(waiting, j.execute(ctx, encoded(j.ctx, j.next(wait4desk))))
	}
	staying := j.execute(j.ctx, encoded(j.ctx, second))
	j.quiet()
	cancel()
	for _, e := range waiting {
		if err := e.failure("its ctx was cancelled, among others"); !errors.Is(err, context.Canceled) {
			t.Fatalf("Execute, whose ctx was cancelled: %v", err)
		}
	}
	cancelled := func(number int) bool { return number > first.Number+1 }
	j.desk.open(func(number int) bool { return !cancelled(number) })
	if _, err := leading.wait("its job was let go"); err != nil {
		t.Fatalf("Execute among others that were cancelled: %v", err)
	}
	if _, err := staying.wait("its job was let go, and others that waited with it were cancelled"); err != nil {
		t.Fatalf("Execute that waited with others that were cancelled: %v", err)
	}
	// What had begun before ends by its ctx.
	j.quiet()
	if !j.desk.nobody(cancelled) {
		t.Fatal("a job was run, under a ctx that does not end, after Execute had returned the error of its ctx")
	}
}

func carriesDeadline(t testing.TB, j *jobTrial) {
	long, cancel := context.WithTimeout(j.ctx, time.Hour)
	defer cancel()
	outcome, err := j.execute(j.ctx, encoded(long, j.next(tellsUntil))).wait("its deadline is in an hour")
	if err != nil {
		t.Fatalf("Execute: %v", err)
	}
	if out, err := read(outcome); err != nil || out.Until <= 0 || out.Until > time.Hour {
		t.Fatalf("the caller's deadline was in an hour, the job's is in %v (0: none), %v", out.Until, err)
	}
	in := j.next(wait4desk)
	err = j.execute(j.ctx, encodedFor(j.ctx, 50*time.Millisecond, in)).failure("its deadline was near")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the caller's deadline passed while the job ran: %v", err)
	}
}

// encodedFor is a call whose deadline is near, or not so near on a machine that takes longer than
// that to encode it.
func encodedFor(ctx context.Context, d time.Duration, in errand) job.Call {
	for ; ; d *= 2 {
		short, cancel := context.WithTimeout(ctx, d)
		c := encoded(short, in)
		deadline, _ := short.Deadline()
		inTime := time.Until(deadline) > 0
		cancel()
		if inTime {
			return c
		}
	}
}
