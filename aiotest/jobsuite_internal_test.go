package aiotest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

// Ways to break a promise of a job executor, the case that must find it, and those that may meet it,
// too. No other may.
var brokenJobExecutors = []struct {
	how  fault
	must string
	may  []string
}{
	{cutsOutcomes, "outcome", nil},
	{jobsErrorIsIts, "failures", []string{"deadline", "future", leavesNothing}},
	{noAnswerToUnknown, "strange calls", nil},
	{diesOfGoexit, "goexit", []string{"either"}},
	{hidesGoexit, "goexit", []string{"either"}},
	{hidesGoexit, "either", []string{"goexit"}},
	{changesPayload, "payload", []string{"same call again"}},
	{reusesBuffers, "outcome is kept", []string{"same call again", "many at once"}},
	{smallFrames, "big", nil},
	{knowsIDs, "same call again", []string{"strange calls"}},
	{mixesOutcomes, "many at once", []string{"same call again"}},
	{runsTwice, "many at once", nil},
	{blocksLoop, "task", []string{"callback", "ctx ends", "close in a task", "many at once"}},
	{blocksCallbacks, "callback", nil},
	{startsInCallbacks, "callback", nil},
	{busyInCallbacks, "callback", nil},
	{ignoresEndedContext, "ctx has ended", []string{"either"}},
	{runsUnderEndedContext, "ctx has ended", []string{"accept has ended"}},
	{deafToContext, "ctx ends", []string{"either", "job stops", "ctx ends meanwhile", leavesNothing, "accepted and stopped", "future"}},
	{leavesJobs, "job stops", []string{"accepted and stopped", "future", leavesNothing, "ctx ends", "ctx ends meanwhile", "either", "callback", "accept waits"}},
	{runsCancelled, "ctx ends meanwhile", []string{"accept waits"}},
	{dropsDeadlines, "deadline", nil},
	{acceptsWhenClosed, "closed", []string{"either", "accept has ended"}},
	{closesAtOnce, "close waits", []string{"close again"}},
	{cancelsInClose, "close waits", []string{"close again"}},
	{secondCloseAtOnce, "close again", nil},
	{secondClosePanics, "close again", nil},
	{closeBlocksLoop, "close in a task", nil},
	{leavesGoroutine, leavesNothing, nil},
	{refusesTasks, "future", []string{"accept waits"}},
	{acceptsForItsContext, "accept", nil},
	{acceptsClosed, "accept has ended", nil},
	{blocksForRoom, "accept waits", []string{"ctx ends meanwhile"}},
	{deafForRoom, "accept waits", []string{"ctx ends meanwhile"}},
	{deafAccepted, "accepted and stopped", []string{"future", "accept waits"}},
}

func TestJobPromises_canBeBroken(t *testing.T) {
	proven := map[string]bool{}
	for _, b := range brokenJobExecutors {
		proven[b.must] = true
		t.Run(fmt.Sprintf("%s/%s", b.must, b.how), func(t *testing.T) {
			for _, p := range jobPromises {
				switch found := findsInJobs(t, p, b.how); {
				case !found && p.name == b.must:
					t.Error("the case found nothing")
				case found && p.name != b.must && !slices.Contains(b.may, p.name):
					t.Errorf("the case %q failed", p.name)
				}
			}
		})
	}
	for _, p := range jobPromises {
		if !proven[p.name] {
			t.Errorf("nothing shows that the case %q can fail", p.name)
		}
	}
}

// Without a fault the executor keeps them all, in bubbles and elsewhere.
func TestJobPromises_kept(t *testing.T) {
	TestJobExecutor(t, func(testing.TB) job.Executor { return newBrokenJobs("", 2, nil) })
	for _, p := range jobPromises {
		if findsInJobs(t, p, "") {
			t.Errorf("the case %q fails in a bubble, for an executor without a fault", p.name)
		}
	}
}

// findsInJobs reports whether the case fails for an executor with that fault, of two sizes.
func findsInJobs(t *testing.T, p promise[*jobTrial], how fault) bool {
	failed := false
	for _, size := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			quit, end := context.WithCancel(context.Background())
			seen := &recorder{TB: t}
			checking := inBackground(func() {
				checkJobs(seen, p, func(testing.TB) job.Executor { return newBrokenJobs(how, size, quit) }, false, synctest.Wait)
			})
			select {
			case <-checking.done:
			case <-time.After(aeon):
				seen.Error("the case hangs")
			}
			end() // so that what hangs ends
			<-checking.done
			<-time.After(aeon)
			if seen.Failed() {
				failed = true
				t.Logf("%s: %s", p.name, seen.text)
			}
		})
	}
	return failed
}

const (
	cutsOutcomes         fault = "cuts outcomes of a few thousand bytes"
	jobsErrorIsIts       fault = "has a job's error for its own"
	noAnswerToUnknown    fault = "has an error for an unknown name"
	hidesGoexit          fault = "returns nothing when a job goes by runtime.Goexit"
	changesPayload       fault = "writes to payloads"
	reusesBuffers        fault = "uses an outcome's memory again"
	smallFrames          fault = "cuts what is larger than a megabyte"
	knowsIDs             fault = "refuses an ID that it knows"
	mixesOutcomes        fault = "mixes up the outcomes of calls at the same time"
	blocksLoop           fault = "blocks a task's loop in Execute"
	startsInCallbacks    fault = "starts the job of an Execute in a callback, and then refuses to wait for it"
	busyInCallbacks      fault = "refuses an Execute in a callback with an error of its own"
	deafToContext        fault = "does not look at ctx while the job runs"
	leavesJobs           fault = "has a job go on when the ctx of its call ends"
	runsCancelled        fault = "runs calls whose ctx has ended while they waited"
	dropsDeadlines       fault = "drops the caller's deadline"
	cancelsInClose       fault = "ends the jobs in Close"
	acceptsForItsContext fault = "forgets an accepted call when the ctx of its Accept ends"
	acceptsClosed        fault = "accepts when it is closed"
	deafAccepted         fault = "does not look at the ctx under which an accepted call's outcome is waited for"
)

// brokenJobs runs jobs on goroutines, a few at a time, with a fault.
type brokenJobs struct {
	how  fault
	quit context.Context // ends all waits; nil: there are none to end
	room *aio.Semaphore

	atOnce  meeting
	mu      sync.Mutex
	closed  bool
	calls   int
	asked   int
	ids     map[string]bool
	last    []byte
	stops   map[int]context.CancelFunc
	closing []*aio.Promise[struct{}]
}

func newBrokenJobs(how fault, size int, quit context.Context) *brokenJobs {
	return &brokenJobs{how: how, quit: quit, room: aio.NewSemaphore(size), ids: map[string]bool{}, stops: map[int]context.CancelFunc{}}
}

func (b *brokenJobs) Execute(ctx context.Context, c job.Call) ([]byte, error) {
	if b.how == blocksLoop || b.how == blocksCallbacks && !aio.InTask() {
		var outcome []byte
		var err error
		<-inBackground(func() { outcome, err = b.execute(ctx, c) }).done
		return outcome, err
	}
	if aio.InTask() || b.how == startsInCallbacks {
		return b.execute(ctx, c)
	}
	outcome, err := aio.Blocking(context.Background(), func(context.Context) ([]byte, error) { return b.execute(ctx, c) })
	if b.how == busyInCallbacks && errors.Is(err, aio.ErrWouldDeadlock) {
		return nil, errBusy
	}
	return outcome, err
}

func (b *brokenJobs) execute(ctx context.Context, c job.Call) ([]byte, error) {
	if ctx.Err() != nil && b.how == ignoresEndedContext {
		ctx = context.WithoutCancel(ctx)
	}
	if b.isClosed() && b.how == acceptsWhenClosed {
		return job.Serve(ctx, c), nil
	}
	outcome, err := b.accept(ctx, c)
	if err != nil {
		return nil, err
	}
	return outcome(ctx, b.how == deafToContext)
}

func (b *brokenJobs) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func (b *brokenJobs) Accept(ctx context.Context, c job.Call) (func(context.Context) ([]byte, error), error) {
	if b.isClosed() && b.how == acceptsClosed {
		return func(context.Context) ([]byte, error) { return nil, aio.ErrClosed }, nil
	}
	if b.how == refusesTasks && aio.InTask() {
		return nil, errBusy
	}
	accepting := ctx
	outcome, err := b.accept(ctx, c)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) ([]byte, error) {
		if b.how == acceptsForItsContext && accepting.Err() != nil {
			return nil, accepting.Err()
		}
		return outcome(ctx, b.how == deafAccepted)
	}, nil
}

type jobOutcome struct {
	body []byte
	err  error
}

// accept starts the job, and returns how to wait for it.
func (b *brokenJobs) accept(ctx context.Context, c job.Call) (func(ctx context.Context, deaf bool) ([]byte, error), error) {
	if err := ctx.Err(); err != nil {
		if b.how == runsUnderEndedContext {
			job.Serve(context.Background(), c)
		}
		return nil, err
	}
	mixed := b.how == mixesOutcomes && b.atOnce.others()
	n, err := b.enter(c.ID)
	if err != nil {
		return nil, err
	}
	if err := b.acquire(ctx); err != nil {
		b.leave(n)
		if b.how == runsCancelled {
			go job.Serve(b.untilQuit(), c)
		}
		return nil, err
	}
	jobs, stop := context.WithCancel(b.untilQuit())
	b.mu.Lock()
	b.stops[n] = stop
	b.mu.Unlock()
	p := aio.NewPromise[jobOutcome]()
	go func() {
		defer b.leave(n)
		defer stop()
		if b.how != diesOfGoexit {
			defer b.room.Release()
			defer p.Resolve(jobOutcome{nil, b.goexitError()})
		}
		p.Resolve(b.serve(jobs, c))
		if b.how == diesOfGoexit {
			b.room.Release()
		}
	}()
	return func(ctx context.Context, deaf bool) ([]byte, error) {
		if deaf {
			ctx = b.untilQuit()
		}
		out, err := p.Await(ctx)
		if err != nil {
			if b.how != leavesJobs && (b.how != startsInCallbacks || !errors.Is(err, aio.ErrWouldDeadlock)) {
				stop()
			}
			return nil, err
		}
		return b.deliver(out, mixed)
	}, nil
}

func (b *brokenJobs) goexitError() error {
	if b.how == hidesGoexit {
		return nil
	}
	return aio.ErrGoexit
}

func (b *brokenJobs) untilQuit() context.Context {
	if b.quit != nil {
		return b.quit
	}
	return context.Background()
}

func (b *brokenJobs) enter(id string) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, aio.ErrClosed
	}
	if b.how == knowsIDs && b.ids[id] {
		return 0, errors.New("a call with that ID was here before")
	}
	b.ids[id] = true
	b.calls++
	b.asked++
	return b.asked, nil
}

func (b *brokenJobs) leave(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.stops, n)
	if b.how == leavesGoroutine {
		go func() { <-b.untilQuit().Done() }()
	}
	if b.calls--; b.calls == 0 {
		for _, p := range b.closing {
			p.Resolve(struct{}{})
		}
	}
}

func (b *brokenJobs) acquire(ctx context.Context) error {
	switch {
	case b.how == deafForRoom:
		return b.room.Acquire(b.untilQuit())
	case b.how == blocksForRoom:
		var err error
		<-inBackground(func() { err = b.room.Acquire(ctx) }).done
		return err
	}
	return b.room.Acquire(ctx)
}

// serve runs the job, on a copy of what it is given.
func (b *brokenJobs) serve(ctx context.Context, c job.Call) jobOutcome {
	payload := bytes.Clone(c.Payload)
	switch {
	case b.how == dropsDeadlines && len(payload) > 2:
		if _, n := binary.Uvarint(payload[2:]); n > 0 {
			payload = append([]byte{payload[0], payload[1], 0}, payload[2+n:]...)
		}
	case b.how == changesPayload && len(c.Payload) > 0:
		c.Payload[0]++
	case b.how == runsTwice:
		job.Serve(ctx, job.Call{ID: c.ID, Name: c.Name, Payload: bytes.Clone(payload)})
	}
	outcome := job.Serve(ctx, job.Call{ID: c.ID, Name: c.Name, Payload: payload})
	// The second byte is what kind of outcome it is: see package job.
	switch kind := outcome[1]; {
	case b.how == jobsErrorIsIts && (kind == 5 || kind == 6),
		b.how == noAnswerToUnknown && kind == 7:
		return jobOutcome{nil, errors.New("the job failed")}
	case b.how == cutsOutcomes && len(outcome) > 2000 && len(outcome) < 10_000 && kind == 1:
		outcome = outcome[:len(outcome)/2]
	case b.how == smallFrames && len(outcome) > 1<<20:
		outcome = outcome[:1<<20]
	}
	return jobOutcome{outcome, nil}
}

func (b *brokenJobs) deliver(out jobOutcome, mixed bool) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case out.err != nil || out.body == nil:
	case b.how == mixesOutcomes:
		mine := out.body
		if mixed && b.last != nil {
			out.body = b.last
		}
		b.last = mine
	case b.how == reusesBuffers && len(out.body) > 130 && len(out.body) < 400: // not all, as it is a race in others
		b.last = append(b.last[:0], out.body...)
		return b.last, nil
	}
	return out.body, out.err
}

func (b *brokenJobs) Close() error {
	b.mu.Lock()
	again := b.closed
	b.closed = true
	if again && b.how == secondClosePanics {
		b.mu.Unlock()
		panic("closed twice")
	}
	if b.how == cancelsInClose {
		for _, stop := range b.stops {
			stop()
		}
	}
	if b.calls == 0 || b.how == closesAtOnce || again && b.how == secondCloseAtOnce {
		b.mu.Unlock()
		return nil
	}
	p := aio.NewPromise[struct{}]()
	b.closing = append(b.closing, p)
	b.mu.Unlock()
	var err error
	wait := func() { _, err = p.Await(b.untilQuit()) }
	if b.how == closeBlocksLoop {
		<-inBackground(wait).done
	} else {
		wait()
	}
	return err
}
