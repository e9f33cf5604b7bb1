package aiotest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/seed8b1f0744/aio"
)

// brokenExecutor is a pool, simpler than aio's, with a fault.
type brokenExecutor struct {
	how     fault
	workers int
	room    int
	quit    context.Context // ends all waits; nil: there are none to end

	mu      sync.Mutex
	calls   int // submitted
	asked   int // accepted
	broken  bool
	atOnce  meeting
	queue   []queuedCall
	load    int // calls accepted and not returned
	running int // workers
	kept    int
	closed  bool
	idled   bool // there was a time without calls, after one with some
	waiters []*aio.Promise[struct{}]
	closing []*aio.Promise[struct{}]
}

type queuedCall struct {
	ctx  context.Context
	call func()
	lost bool
}

// meeting tells who comes at the same time.
type meeting struct{ here atomic.Int32 }

// others gives others time to come, and reports whether one has.
func (m *meeting) others() bool {
	m.here.Add(1)
	defer m.here.Add(-1)
	for range 100 {
		runtime.Gosched()
	}
	return m.here.Load() > 1
}

var errBusy, errGone = errors.New("busy"), errors.New("gone")

func (b *brokenExecutor) Submit(ctx context.Context, call func()) error {
	if err := ctx.Err(); err != nil && b.how != ignoresEndedContext && (b.how != ignoresEndedInTasks || !aio.InTask()) {
		if b.how == runsUnderEndedContext {
			go call()
		}
		return err
	}
	if b.how == refusesTasks && aio.InTask() {
		return errBusy
	}
	lost := b.how == losesOfMany && b.atOnce.others()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.calls++; b.calls == 1 && b.how == refusesFirst {
		return errBusy
	}
	for waited := false; ; waited = true {
		if b.quit != nil && b.quit.Err() != nil {
			return errGone
		}
		if b.closed && b.how != acceptsWhenClosed {
			if b.how == acceptsWhileClosing && len(b.closing) > 0 {
				return nil
			}
			switch {
			case b.how == closedInItsWords, b.how == endsWaitsInItsWords && waited, b.how == closedForTasksInItsWords && aio.InTask():
				return errGone
			case b.how == runsWhenClosed:
				go call()
			}
			return aio.ErrClosed
		}
		if b.how == breaksWhenFull && b.load == b.room {
			b.broken = true
			return aio.ErrFull
		}
		if b.broken {
			return errGone
		}
		if b.load+b.kept < b.room || b.how == tasksBeyondRoom && aio.InTask() {
			b.accept(queuedCall{ctx, call, lost})
			return nil
		}
		if b.how == refusesInItsWords {
			return errBusy
		}
		if err := b.waitForRoom(ctx); err != nil {
			switch {
			case b.how == runsUnaccepted:
				go call()
			case b.how == callbacksBeyondRoom && errors.Is(err, aio.ErrWouldDeadlock):
				b.accept(queuedCall{ctx, call, lost})
				return nil
			case b.how == stopsInItsWords, b.how == stopsTasksInItsWords && aio.InTask():
				return errGone
			}
			return err
		}
	}
}

// accept and all others but Submit and Close are called with mu held.
func (b *brokenExecutor) accept(c queuedCall) {
	b.asked++
	switch {
	case b.how == losesCalls && b.asked%500 == 0, c.lost:
		return
	case b.how == runsTwice && b.asked%500 == 0:
		go c.call()
	case b.how == runsInSubmit:
		b.mu.Unlock()
		defer b.mu.Lock()
		c.call()
		return
	}
	b.load++
	b.queue = append(b.queue, c)
	if b.running < b.workers {
		b.running++
		go b.work()
	}
}

func (b *brokenExecutor) work() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.how == leavesGoroutine {
		defer func() { go func() { <-b.quit.Done() }() }()
	}
	if b.how == diesOfGoexit {
		ok := false
		defer func() {
			if !ok {
				b.running++ // never to be back
			}
		}()
		defer func() { ok = len(b.queue) == 0 }()
	}
	defer b.leave()
	for len(b.queue) > 0 {
		c := b.queue[0]
		b.queue = b.queue[1:]
		if b.how == forgetsCancelled && c.ctx.Err() != nil {
			b.load--
			continue
		}
		b.run(c.call)
		b.tell()
		if b.how == closesOnFirst {
			b.endCloses()
		}
	}
}

func (b *brokenExecutor) run(call func()) {
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.load--
	}()
	call()
}

// leave ends a worker; if its call ended that, another takes its place.
func (b *brokenExecutor) leave() {
	if b.running--; len(b.queue) > 0 && b.how != diesOfGoexit {
		b.running++
		go b.work()
	}
	b.tell()
	if b.running == 0 {
		b.idled = true
		b.endCloses()
	}
}

// endCloses has those in Close go on.
func (b *brokenExecutor) endCloses() {
	for _, p := range b.closing {
		p.Resolve(struct{}{})
	}
	b.closing = nil
}

// tell wakes all who wait for room, so that they look again.
func (b *brokenExecutor) tell() {
	switch {
	case b.how == stopsServingRoom:
		return
	case b.how == keepsPlaceOfCancelled && len(b.waiters) > 0 && !b.closed:
		b.waiters[0].Resolve(struct{}{})
		b.waiters = b.waiters[1:]
		return
	}
	for _, p := range b.waiters {
		p.Resolve(struct{}{})
	}
	b.waiters = nil
}

func (b *brokenExecutor) waitForRoom(ctx context.Context) error {
	p := aio.NewPromise[struct{}]()
	b.waiters = append(b.waiters, p)
	b.mu.Unlock()
	defer b.mu.Lock()
	err := b.await(ctx, p, b.how == blocksForRoom)
	if err != nil && b.how == keepsRoomOfCancelled {
		b.mu.Lock()
		b.kept++
		b.mu.Unlock()
	}
	return err
}

// await waits for p, of one color unless it is to block.
func (b *brokenExecutor) await(ctx context.Context, p *aio.Promise[struct{}], block bool) error {
	if b.how == blocksCallbacks && !aio.InTask() || b.how == deafForRoom && !aio.InTask() {
		block = true
	}
	if b.how == deafForRoom {
		ctx = context.WithoutCancel(ctx)
	}
	if b.quit != nil {
		defer context.AfterFunc(b.quit, func() { p.Resolve(struct{}{}) })()
	}
	if !block {
		_, err := p.Await(ctx)
		return err
	}
	var err error
	<-inBackground(func() { _, err = p.Await(ctx) }).done
	return err
}

func (b *brokenExecutor) Close() (err error) {
	b.mu.Lock()
	again := b.closed
	b.closed = true
	if b.how == closeFails {
		defer func() { err = errGone }()
	}
	if again && b.how == secondClosePanics {
		b.mu.Unlock()
		panic("closed twice")
	}
	if b.how == forgetsWaitersAtClose {
		b.waiters = nil
	}
	b.tell()
	if b.how == closesOnRunning {
		b.load -= len(b.queue)
		b.queue = nil
	}
	if b.running == 0 || b.how == closesAtOnce || again && b.how == secondCloseAtOnce || b.idled && b.how == idleIsDrained {
		b.mu.Unlock()
		return nil
	}
	p := aio.NewPromise[struct{}]()
	b.closing = append(b.closing, p)
	b.mu.Unlock()
	return b.await(context.Background(), p, b.how == closeBlocksLoop)
}
