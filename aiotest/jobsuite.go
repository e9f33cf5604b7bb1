package aiotest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

// TestJobExecutor checks that the executors which newExecutor makes keep the promises of
// [job.Executor], and of [job.Accepter] if they are one, each with an executor of its own, and prints
// the promise where one does not.
//
// The jobs that it runs are defined in this package, so the workers' program has to import it; a
// worker that is the test binary itself does. A job tells the test by TCP, on the loopback interface,
// that it runs.
//
// It runs subtests of t, which is also given to newExecutor, for Cleanup (which is called at the end
// of the case, after Close) and Fatal. It needs no bubble, as other processes cannot be in one, and
// gives a minute to what should happen at once. It looks for goroutines that are left, so no test may
// run in parallel with it. Called in a test's goroutine; it blocks that, and does not suspend.
func TestJobExecutor(t *testing.T, newExecutor func(t testing.TB) job.Executor) {
	t.Helper()
	for _, p := range jobPromises {
		t.Run(p.name, func(t *testing.T) {
			p.orPanic(t.Name(), os.Stderr, func() {
				checkJobs(t, p, newExecutor, true, func() {
					for range 200 {
						runtime.Gosched()
					}
				})
			})
		})
	}
}

// jobTrial is what a case works with.
type jobTrial struct {
	t      testing.TB
	ex     job.Executor
	desk   *desk
	quiet  func() // waits until everybody waits, in a bubble; elsewhere it only gives the others time
	cancel context.CancelFunc
	ctx    context.Context // ends with the case
	errand int

	closes    sync.Once
	closeCall going
	closed    error // once closeCall is over
}

// closing calls Close in the background, once.
func (j *jobTrial) closing() going {
	j.closes.Do(func() {
		j.closeCall = inBackground(func() { j.closed = j.ex.Close() })
	})
	return j.closeCall
}

// close waits for Close.
func (j *jobTrial) close(why string) {
	j.t.Helper()
	j.closing().waitFor(j.t, patience, "Close did not return: %s", why)
	if j.closed != nil {
		j.t.Errorf("Close: %v", j.closed)
	}
}

// checkJobs runs a case.
func checkJobs(t testing.TB, p promise[*jobTrial], newExecutor func(testing.TB) job.Executor, far bool, quiet func()) {
	t.Helper()
	var before []string
	if p.name == leavesNothing {
		before = goroutinesHere()
	}
	during := &scopedTB{TB: t}
	defer func() {
		if t.Failed() {
			t.Logf("the promise: %s", p.text)
		}
	}()
	defer func() {
		during.cleanUp()
		if p.name == leavesNothing {
			noGoroutines(t, before, quiet)
		}
	}()
	d, err := openDesk(far)
	if err != nil {
		t.Fatalf("the suite cannot listen: %v", err)
	}
	during.Cleanup(d.close)
	j := &jobTrial{t: t, ex: newExecutor(during), desk: d, quiet: quiet}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	during.Cleanup(func() {
		d.open(everybody)
		j.cancel()
		j.close("it is the end of the case, and no call should hold it up")
	})
	p.check(t, j)
}

// scopedTB is a test whose cleanups are called before its end.
type scopedTB struct {
	testing.TB
	cleanups []func()
}

func (s *scopedTB) Cleanup(fn func()) { s.cleanups = append(s.cleanups, fn) }

func (s *scopedTB) cleanUp() {
	for len(s.cleanups) > 0 {
		last := len(s.cleanups) - 1
		fn := s.cleanups[last]
		s.cleanups = s.cleanups[:last]
		defer s.cleanUp() // also if fn ends the test
		fn()
	}
}

// noGoroutines fails if there are goroutines that were not there before.
func noGoroutines(t testing.TB, before []string, quiet func()) {
	var left []string
	for range 1000 {
		quiet()
		left = left[:0]
		for _, g := range goroutinesHere() {
			if !slices.ContainsFunc(before, func(b string) bool { return goroutineID(b) == goroutineID(g) }) {
				left = append(left, g)
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("after Close there are still %d goroutines, one of them is\n%s", len(left), left[0])
}

// next is an errand that reports at the desk.
func (j *jobTrial) next(do doing) errand {
	j.errand++
	return errand{Do: do, Desk: j.desk.name, Number: j.errand}
}

// encoded is the call of an errand as it travels; ctx's deadline is in it.
func encoded(ctx context.Context, in errand) job.Call {
	var c capturer
	_, _ = runErrand.In(ctx, &c, in).Await(ctx)
	return c.call
}

// read is what an outcome says.
func read(outcome []byte) (errandDone, error) {
	ctx := context.Background()
	return runErrand.In(ctx, outcomes(outcome), errand{}).Await(ctx)
}

// capturer is an executor that keeps the call.
type capturer struct{ call job.Call }

func (c *capturer) Execute(_ context.Context, call job.Call) ([]byte, error) {
	c.call = call
	return nil, aio.ErrClosed
}
func (*capturer) Close() error { return nil }

// outcomes is an executor that has the outcome already.
type outcomes []byte

func (o outcomes) Execute(context.Context, job.Call) ([]byte, error) { return o, nil }
func (outcomes) Close() error                                        { return nil }

// executing is an Execute in the background, again and again while that is aio.ErrFull.
type executing struct {
	going
	j       *jobTrial
	outcome []byte
	err     error
}

func (j *jobTrial) execute(ctx context.Context, c job.Call) *executing {
	return j.background(func() ([]byte, error) { return j.insist(ctx, c) })
}

// background calls fn in the background, and tells those who wait at the desk when it has returned.
func (j *jobTrial) background(fn func() ([]byte, error)) *executing {
	e := &executing{j: j}
	e.going = inBackground(func() { e.outcome, e.err = fn() })
	inBackground(func() {
		<-e.done
		j.desk.poke()
	})
	return e
}

// insist is Execute in the calling task or goroutine.
func (j *jobTrial) insist(ctx context.Context, c job.Call) ([]byte, error) {
	return insist(ctx, func() ([]byte, error) { return j.ex.Execute(ctx, c) })
}

// insist tries again and again while there is no room.
func insist[T any](ctx context.Context, try func() (T, error)) (T, error) {
	for {
		v, err := try()
		if !errors.Is(err, aio.ErrFull) {
			return v, err
		}
		if err := aio.Sleep(ctx, time.Millisecond); err != nil {
			return v, err
		}
	}
}

// wait waits for Execute and returns what it did.
func (e *executing) wait(what string) (outcome []byte, err error) {
	e.j.t.Helper()
	e.waitFor(e.j.t, patience, "Execute did not return: %s", what)
	return e.outcome, e.err
}

// failure is how a call failed, by its executor or its outcome: which, is open if its ctx ends and the
// job, which sees that too, says so before its executor does.
func (e *executing) failure(what string) error {
	e.j.t.Helper()
	outcome, err := e.wait(what)
	if err == nil {
		_, err = read(outcome)
	}
	return err
}

// do executes an errand, and returns what came of it. It fails if there is no outcome.
func (j *jobTrial) do(in errand) (errandDone, error) {
	j.t.Helper()
	outcome, err := j.execute(j.ctx, encoded(j.ctx, in)).wait("its job does not wait for anything")
	if err != nil {
		j.t.Fatalf("Execute: %v", err)
	}
	return read(outcome)
}

// starts waits until an errand runs.
func (j *jobTrial) starts(in errand, e *executing) {
	j.t.Helper()
	if !j.startsOrReturns(in, e) {
		j.t.Fatal("a job did not run, and there were no others")
	}
	if j.desk.runs(in.Number) == 0 {
		j.t.Fatalf("a job did not run; Execute: %v", e.err)
	}
}

// startsOrReturns waits until an errand runs, or Execute has returned, and reports whether that came.
func (j *jobTrial) startsOrReturns(in errand, e *executing) bool {
	return j.desk.wait(func() bool { return j.desk.runs(in.Number) > 0 || e.returned() })
}

// stops waits until a run of the errand has ended, before it was let go.
func (j *jobTrial) stops(in errand, why string) {
	j.t.Helper()
	if !j.desk.until(func(v *visit) bool { return v.number == in.Number && v.gone }) {
		j.t.Fatalf("a job went on: %s", why)
	}
}

// lets has an errand go on.
func (j *jobTrial) lets(in errand) {
	j.desk.open(func(number int) bool { return number == in.Number })
}

// onLoop runs main on a loop, and fails with what if that does not come to its end.
func (j *jobTrial) onLoop(what string, main func(ctx context.Context) error) {
	j.t.Helper()
	inBackground(func() {
		hooks := aio.Hooks{Unhandled: func(f aio.Failure) { j.t.Errorf("a failure that nobody took: %v", f.Err) }}
		if _, err := aio.Run(j.ctx, aio.Do(main), aio.WithHooks(hooks)); err != nil {
			j.t.Errorf("Run: %v", err)
		}
	}).waitFor(j.t, patience, "%s", what)
}

func hasOutcome(t testing.TB, j *jobTrial) {
	for _, payload := range [][]byte{nil, {}, {1}, bytes.Repeat([]byte("aio"), 1000)} {
		in := j.next(comeBack)
		in.Bytes = payload
		out, err := j.do(in)
		if err != nil || out.Number != in.Number || !bytes.Equal(out.Bytes, payload) || (out.Bytes == nil) != (payload == nil) {
			t.Fatalf("sent number %d and %d bytes; got number %d and %d bytes, %v", in.Number, len(payload), out.Number, len(out.Bytes), err)
		}
	}
}

func failsInOutcome(t testing.TB, j *jobTrial) {
	if _, err := j.do(j.next(fail)); !errors.Is(err, errOnPurpose) {
		t.Fatalf("the job returned an error with a sentinel: the outcome has %v", err)
	}
	_, err := j.do(j.next(panics))
	if p, ok := errors.AsType[*aio.PanicError](err); !ok || p.Value != "on purpose" {
		t.Fatalf("the job panicked: the outcome has %v", err)
	}
	if _, err := j.do(j.next(bringFunc)); err == nil {
		t.Fatal("the job's result cannot travel: the outcome has no error")
	} else if _, ok := errors.AsType[*job.EncodeError](err); !ok {
		t.Fatalf("the job's result cannot travel: the outcome has %v", err)
	}
	if _, err := j.do(j.next(comeBack)); err != nil {
		t.Fatalf("a call after others whose jobs had failed: %v", err)
	}
}

func strangeCalls(t testing.TB, j *jobTrial) {
	c := encoded(j.ctx, j.next(comeBack))
	unknown := c
	unknown.Name = "aiotest.no such job"
	outcome, err := j.execute(j.ctx, unknown).wait("it has a name that no job has")
	if err != nil {
		t.Fatalf("Execute of a name that no job has: %v; that belongs into the outcome", err)
	}
	if _, err := read(outcome); !isA[*job.UnknownError](err) {
		t.Fatalf("Execute of a name that no job has: the outcome has %v", err)
	}
	for _, payload := range [][]byte{nil, {0}, c.Payload[:len(c.Payload)/2]} {
		cut := job.Call{ID: c.ID + " cut", Name: c.Name, Payload: payload}
		outcome, err := j.execute(j.ctx, cut).wait("its payload is not an argument")
		if err != nil {
			t.Fatalf("Execute of a payload that is not an argument: %v; that belongs into the outcome", err)
		}
		if _, err := read(outcome); !isA[*job.EncodeError](err) {
			t.Fatalf("Execute of a payload that is not an argument: the outcome has %v", err)
		}
	}
}

func isA[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

func goexitIsError(t testing.TB, j *jobTrial) {
	for range 20 {
		c := encoded(j.ctx, j.next(goexit))
		if _, err := j.execute(j.ctx, c).wait("its job went by runtime.Goexit"); !errors.Is(err, aio.ErrGoexit) {
			t.Fatalf("Execute of a job that goes by runtime.Goexit: %v", err)
		}
	}
	if _, err := j.do(j.next(comeBack)); err != nil {
		t.Fatalf("a call after others whose jobs had gone by runtime.Goexit: %v", err)
	}
}

func eitherOr(t testing.TB, j *jobTrial) {
	check := func(what string, ctx context.Context, c job.Call) {
		t.Helper()
		if outcome, err := j.execute(ctx, c).wait(what); (outcome == nil) == (err == nil) {
			t.Fatalf("Execute returned an outcome of %d bytes and the error %v: %s", len(outcome), err, what)
		}
	}
	for _, do := range []doing{comeBack, fail, panics, goexit, bringFunc} {
		check("its job's errand: "+string(do), j.ctx, encoded(j.ctx, j.next(do)))
	}
	ctx, cancel := context.WithTimeout(j.ctx, 20*time.Millisecond)
	defer cancel()
	check("its ctx ended", ctx, encoded(j.ctx, j.next(wait4desk)))
	check("its ctx had ended", ctx, encoded(j.ctx, j.next(comeBack)))
	j.close("there were no calls")
	check("the executor was closed", j.ctx, encoded(j.ctx, j.next(comeBack)))
}
