package aiotest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

// brokenJobs runs jobs on goroutines, a few at a time, with a fault.
type brokenJobs struct {
	how  fault
	quit context.Context // ends all waits; nil: there are none to end
	room *aio.Semaphore

	atOnce  meeting
	mu      sync.Mutex
	closed  bool
	idled   bool // there was a time without calls, after one with some
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
	if b.calls--; b.calls == 0 || b.how == closesOnFirst {
		b.idled = true
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

// swapped are faults that have the outcome of another errand for those of a kind.
var swapped = map[fault]struct {
	kind byte
	do   doing
}{
	errorsAsPanics:  {5, panics},
	panicsAsErrors:  {6, fail},
	unknownAsErrors: {7, fail},
	refusedAsErrors: {8, fail},
	refusedAsDone:   {8, comeBack},
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
	if other, ok := swapped[b.how]; ok && outcome[1] == other.kind {
		outcome = job.Serve(ctx, encoded(ctx, errand{Do: other.do}))
	}
	switch kind := outcome[1]; {
	case b.how == jobsErrorIsIts && (kind == 5 || kind == 6),
		b.how == noAnswerToUnknown && kind == 7, b.how == noAnswerToDamage && kind == 8:
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

func (b *brokenJobs) Close() (err error) {
	if b.how == closeFails {
		defer func() { err = errGone }()
	}
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
	if b.calls == 0 || b.how == closesAtOnce || again && b.how == secondCloseAtOnce || b.idled && b.how == idleIsDrained {
		b.mu.Unlock()
		return nil
	}
	p := aio.NewPromise[struct{}]()
	b.closing = append(b.closing, p)
	b.mu.Unlock()
	wait := func() { _, err = p.Await(b.untilQuit()) }
	if b.how == closeBlocksLoop {
		<-inBackground(wait).done
	} else {
		wait()
	}
	return err
}
