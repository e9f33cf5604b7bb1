package aiotest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// TestExecutor checks that the executors which newExecutor makes keep the promises of
// [aio.Executor], each with an executor of its own, and prints the promise where one does not. It
// suits those that wait for room, those that return aio.ErrFull and those that always have room, of
// any size.
//
// It runs subtests of t, each in a bubble of testing/synctest, where newExecutor is called, too; it
// is given the subtest, for Cleanup and Fatal. The suite closes the executor. What never returns
// fails its case, and then, as it cannot be stopped, the test binary; the standard error tells which
// promise it was about. So it does of an executor that waits with a sync.Mutex held, in which a
// bubble sees no end: that sticks until go test's -timeout. Called in a test's goroutine; it blocks
// that, and does not suspend.
func TestExecutor(t *testing.T, newExecutor func(t testing.TB) aio.Executor) {
	t.Helper()
	conform(t, executorPromises, newExecutor)
}

var executorPromises = []promise[aio.Executor]{
	{"run once", "a call that was accepted is run, once", acceptedRunsOnce},
	{"elsewhere", "Submit does not wait for the call: somebody else runs it, and an executor without calls has room for one", runsElsewhere},
	{"ctx ends later", "a call that was accepted is run, also when the ctx of its Submit ends before", runsAfterItsContext},
	{"ctx has ended", "Submit under a ctx that has ended returns its error, and the call is not run", refusesUnderEndedContext},
	{"refused", "a call that was refused is never run: for want of room, because of ctx, because of Close", refusedNeverRuns},
	{"room", "without room Submit waits until there is some, or is ErrFull", waitsForRoom},
	{"room in a task", "a task that waits for room is suspended: its loop goes on", waitsForRoomInTask},
	{"room in a callback", "in a callback Submit does not wait, as nothing can suspend that: without room it is an error", neverWaitsInCallback},
	{"ctx ends meanwhile", "Submit that waits for room returns ctx's error when that ends", stopsWaitingForRoom},
	{"room is not lost", "whoever waited for room and was refused has not taken any: afterwards there is as much as before", roomIsNotLost},
	{"closed", "after Close, Submit is ErrClosed, and the call is not run", refusesWhenClosed},
	{"close waits", "Close waits for the calls that were accepted, those that have not begun too", closeWaits},
	{"close again", "Close may be called again and at the same time; it waits each time, and has no error", closesAgain},
	{"close ends waits", "Submit that waits for room when the executor is closed is accepted and its call run, or it is ErrClosed", closeEndsWaits},
	{"close in a task", "a task in Close is suspended: its loop goes on, and so do calls that need it", closesInTask},
	{"nothing is left", "after Close no goroutine of the executor is left", nothingIsLeft},
	{"failing calls", "a call that panics or goes by runtime.Goexit, through InExecutor, fails alone: the executor goes on", failingCallsFailAlone},
	{"many at once", "from many goroutines and loops at the same time, each accepted call is run once", manyAtOnce},
	{"close among many", "a Submit while the executor is closed is accepted and its call run, before Close returns, or it is ErrClosed and is not run", closesAmongMany},
	{"a loop's executor", "with aio.WithExecutor it is where Blocking goes, and the loop does not close it", servesLoop},
}

// calls hands an executor calls that wait for a gate, and notes what became of them.
type calls struct {
	t    testing.TB
	ex   aio.Executor
	gate chan struct{}
	once sync.Once
	ctx  context.Context // of loops
	stop context.CancelFunc

	closes      sync.Once
	closeCall   going
	closed      error // once closeCall is over
	leftByClose int   // likewise: accepted calls that had not returned
	mu          sync.Mutex
	all         []*submitted // guarded by mu
}

type submitted struct {
	accepted atomic.Bool
	began    atomic.Int32
	ended    atomic.Int32
}

func callsOf(t testing.TB, ex aio.Executor) *calls {
	c := &calls{t: t, ex: ex, gate: make(chan struct{})}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// submit is Submit of one more call.
func (c *calls) submit(ctx context.Context) error {
	s := &submitted{}
	c.mu.Lock()
	c.all = append(c.all, s)
	c.mu.Unlock()
	err := c.ex.Submit(ctx, func() {
		s.began.Add(1)
		<-c.gate
		s.ended.Add(1)
	})
	s.accepted.Store(err == nil)
	return err
}

// insist is submit again and again while that is ErrFull.
func (c *calls) insist(ctx context.Context) error {
	for {
		err := c.submit(ctx)
		if !errors.Is(err, aio.ErrFull) {
			return err
		}
		if err := aio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// open has the calls go on that wait, and those to come.
func (c *calls) open() { c.once.Do(func() { close(c.gate) }) }

// end opens the gate and closes the executor; every case ends so.
func (c *calls) end() {
	c.t.Helper()
	c.open()
	c.stop()
	c.close()
}

func (c *calls) close() {
	c.t.Helper()
	c.closing().wait(c.t, "Close did not return, although nothing holds the calls up")
	if c.closed != nil {
		c.t.Errorf("Close: %v", c.closed)
	}
}

// closing calls Close in the background, once.
func (c *calls) closing() going {
	c.closes.Do(func() {
		c.closeCall = inBackground(func() {
			c.closed = c.ex.Close()
			_, c.leftByClose, _, _ = c.fate()
		})
	})
	return c.closeCall
}

// closeHere calls Close in the calling goroutine, unless that was done.
func (c *calls) closeHere() (err error) {
	c.closes.Do(func() {
		c.closeCall = going{make(chan struct{})}
		defer close(c.closeCall.done)
		err = c.ex.Close()
	})
	return err
}

// fate counts the calls that were accepted, that were and have not returned, that were and have run
// another number of times than once, and that were refused and run.
func (c *calls) fate() (accepted, unreturned, notOnce, refusedRun int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.all {
		if !s.accepted.Load() {
			if s.began.Load() > 0 {
				refusedRun++
			}
			continue
		}
		accepted++
		if s.ended.Load() == 0 {
			unreturned++
		}
		if s.began.Load() != 1 {
			notOnce++
		}
	}
	return
}

// ranOnce checks that each accepted call was run once, and no other.
func (c *calls) ranOnce() {
	c.t.Helper()
	accepted, _, notOnce, refusedRun := c.fate()
	if notOnce > 0 || refusedRun > 0 {
		c.t.Fatalf("%d of %d accepted calls were not run, or more than once; of those refused, %d were run", notOnce, accepted, refusedRun)
	}
}

// filling is how an executor got full.
type filling struct {
	n    int   // calls that it had room for
	last going // the Submit after those, if it waits
	err  error // or what it came to
	what filled
}

type filled string

const (
	noLimit filled = "takes everything"
	waits   filled = "has Submit wait"
	refuses filled = "has Submit fail"
)

// enough is more calls than an executor with a sensible limit has room for.
const enough = 5000

// fill submits calls, none of which returns, until the executor takes no more.
func (c *calls) fill(ctx context.Context) *filling {
	f := &filling{}
	var n, stop atomic.Int32
	var err error
	f.last = inBackground(func() {
		for stop.Load() == 0 && n.Load() < enough {
			if err = c.submit(ctx); err != nil {
				return
			}
			n.Add(1)
		}
	})
	over := f.last.over()
	f.n = int(n.Load())
	stop.Store(1)
	switch {
	case !over:
		f.what = waits
	case err == nil:
		f.what = noLimit
	default:
		f.what, f.err = refuses, err
	}
	return f
}

// onLoop runs main on a loop of its own, whose ctx ends with the case.
func (c *calls) onLoop(main func(ctx context.Context) error, opts ...aio.Option) going {
	return inBackground(func() {
		opts = append([]aio.Option{aio.WithHooks(aio.Hooks{
			Unhandled: func(f aio.Failure) { c.t.Errorf("a failure that nobody took: %v", f.Err) },
		})}, opts...)
		if _, err := aio.Run(c.ctx, aio.Do(main), opts...); err != nil {
			c.t.Errorf("Run: %v", err)
		}
	})
}

func acceptedRunsOnce(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	c.open()
	for range 1000 {
		if err := c.insist(context.Background()); err != nil {
			t.Fatalf("Submit: %v", err)
		}
	}
	c.close()
	c.ranOnce()
}

func runsElsewhere(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	var err error
	if g := inBackground(func() { err = c.submit(context.Background()) }); !g.over() {
		t.Fatal("the executor had no calls, and Submit did not return before the first one did")
	}
	if err != nil {
		t.Fatalf("the executor had no calls, and the first Submit is: %v", err)
	}
}

func runsAfterItsContext(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	ctx, cancel := context.WithCancel(context.Background())
	c.fill(ctx)
	cancel()
	synctest.Wait()
	c.open()
	synctest.Wait()
	c.close()
	if accepted, unreturned, _, _ := c.fate(); unreturned > 0 {
		t.Fatalf("%d of %d accepted calls were not run; their ctx had ended after their Submit returned nil", unreturned, accepted)
	}
}

func refusesUnderEndedContext(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	c.open()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{cancelled, late} {
		if err := c.submit(ctx); !errors.Is(err, ctx.Err()) {
			t.Fatalf("Submit under a ctx that has ended with %q: %v", ctx.Err(), err)
		}
	}
	c.onLoop(func(context.Context) error {
		if err := c.submit(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("Submit in a task, under a ctx that was cancelled: %v", err)
		}
		return nil
	}).wait(t, "Submit under a ctx that has ended did not return in a task")
	c.close()
	synctest.Wait()
	if _, _, _, ran := c.fate(); ran > 0 {
		t.Fatalf("%d calls were run whose Submit returned the error of their ctx", ran)
	}
}

func refusedNeverRuns(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	ctx, cancel := context.WithCancel(context.Background())
	c.fill(ctx) // the last is refused: it is ErrFull, or it waits, and is cancelled
	cancel()
	synctest.Wait()
	c.open()
	c.close()
	_ = c.submit(context.Background())
	synctest.Wait()
	if _, _, _, ran := c.fate(); ran > 0 {
		t.Fatal("a call was run whose Submit had returned an error")
	}
}

func nothingIsLeft(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	c.fill(context.Background())
	c.open()
	synctest.Wait()
	c.close()
	synctest.Wait()
	if left := goroutinesHere(); len(left) > 0 {
		t.Fatalf("after Close there are still %d goroutines, one of them is\n%s", len(left), left[0])
	}
}

func failingCallsFailAlone(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	c.onLoop(func(ctx context.Context) error {
		var all []*aio.Future[int]
		for i := range 60 {
			all = append(all, callInExecutor(ctx, ex, func(context.Context) (int, error) {
				switch i % 3 {
				case 0:
					panic("on purpose")
				case 1:
					runtime.Goexit()
				}
				return i, nil
			}))
		}
		for i, f := range all {
			v, err := f.Await(ctx)
			switch _, panicked := errors.AsType[*aio.PanicError](err); {
			case i%3 == 0 && !panicked:
				return fmt.Errorf("a call that panicked: %v", err)
			case i%3 == 1 && !errors.Is(err, aio.ErrGoexit):
				return fmt.Errorf("a call that went by runtime.Goexit: %v", err)
			case i%3 == 2 && (err != nil || v != i):
				return fmt.Errorf("a call among others that failed: %v, %v, want %d", v, err, i)
			}
		}
		return nil
	}).wait(t, "calls had no outcome, or were not accepted, after others had panicked or gone by runtime.Goexit")
}

// callInExecutor is InExecutor again and again while that is ErrFull, in a task.
func callInExecutor[T any](ctx context.Context, ex aio.Executor, fn func(context.Context) (T, error)) *aio.Future[T] {
	for {
		f := aio.InExecutor(ctx, ex, fn)
		if f.State() == aio.Pending {
			return f
		}
		if _, err := f.Await(ctx); !errors.Is(err, aio.ErrFull) || aio.Sleep(ctx, time.Millisecond) != nil {
			return f
		}
	}
}
