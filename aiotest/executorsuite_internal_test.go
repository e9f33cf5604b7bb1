package aiotest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Ways to break a promise of an executor, the case that must find it, and those that may meet it, too.
// No other may.
var brokenExecutors = []struct {
	how  fault
	must string
	may  []string
}{
	{losesCalls, "run once", []string{"many at once", "close among many"}},
	{runsTwice, "run once", []string{"many at once", "close among many"}},
	{losesOfMany, "many at once", []string{"close among many", "room is not lost", "close ends waits"}},
	{runsInSubmit, "elsewhere", []string{"room in a task", "room in a callback", "ctx ends meanwhile",
		"close again", "close waits", "close in a task", "failing calls", "a loop's executor"}},
	{forgetsCancelled, "ctx ends later", nil},
	{ignoresEndedContext, "ctx has ended", nil},
	{runsUnderEndedContext, "ctx has ended", nil},
	{runsUnaccepted, "refused", nil},
	{refusesInItsWords, "room", []string{"run once", "failing calls", "many at once", "close among many", "a loop's executor"}},
	{stopsServingRoom, "room", []string{"run once", "room in a task", "room is not lost", "close ends waits",
		"nothing is left", "failing calls", "many at once", "close among many"}},
	{blocksForRoom, "room in a task", []string{"room in a callback", "ctx ends meanwhile"}},
	{blocksCallbacks, "room in a callback", nil},
	{deafForRoom, "ctx ends meanwhile", []string{"room in a callback"}},
	{keepsRoomOfCancelled, "room is not lost", nil},
	{acceptsWhenClosed, "closed", aroundClose},
	{closedInItsWords, "closed", []string{"close ends waits", "close among many"}},
	{closedInItsWords, "close among many", []string{"close ends waits", "closed"}},
	{closesAtOnce, "close waits", aroundClose},
	{closesOnRunning, "close waits", aroundClose},
	{secondCloseAtOnce, "close again", nil},
	{secondClosePanics, "close again", nil},
	{forgetsWaitersAtClose, "close ends waits", aroundClose},
	{acceptsWhileClosing, "close ends waits", aroundClose},
	{closeBlocksLoop, "close in a task", nil},
	{leavesGoroutine, "nothing is left", nil},
	{diesOfGoexit, "failing calls", nil},
	{refusesTasks, "a loop's executor", []string{"ctx has ended", "room in a task", "ctx ends meanwhile", "closed", "close in a task", "failing calls", "many at once"}},
}

// aroundClose are cases that end by Close among calls, and can meet what is wrong with that.
var aroundClose = []string{"run once", "close waits", "close again", "close ends waits", "close in a task", "many at once", "close among many"}

func TestExecutorPromises_canBeBroken(t *testing.T) {
	proven := map[string]bool{}
	for _, b := range brokenExecutors {
		proven[b.must] = true
		t.Run(fmt.Sprintf("%s/%s", b.must, b.how), func(t *testing.T) {
			for _, p := range executorPromises {
				switch found := findsInExecutor(t, p, b.how); {
				case !found && p.name == b.must:
					t.Error("the case found nothing")
				case found && p.name != b.must && !slices.Contains(b.may, p.name):
					t.Errorf("the case %q failed", p.name)
				}
			}
		})
	}
	for _, p := range executorPromises {
		if !proven[p.name] {
			t.Errorf("nothing shows that the case %q can fail", p.name)
		}
	}
}

// findsInExecutor reports whether the case fails for an executor with that fault, of two sizes.
func findsInExecutor(t *testing.T, p promise[aio.Executor], how fault) bool {
	failed := false
	for _, size := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			quit, end := context.WithCancel(context.Background())
			ex := &brokenExecutor{how: how, workers: size, room: 2 * size, quit: quit}
			seen := &recorder{TB: t}
			checking := inBackground(func() { p.run(seen, ex) })
			select {
			case <-checking.done:
			case <-time.After(2 * aeon):
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

// Without a fault the executor keeps them all: it is the fault that each case finds.
func TestExecutorPromises_kept(t *testing.T) {
	for _, size := range []int{1, 4} {
		TestExecutor(t, func(testing.TB) aio.Executor {
			return &brokenExecutor{workers: size, room: 2 * size}
		})
	}
}

const (
	losesCalls            fault = "loses one call in 500"
	runsTwice             fault = "runs one call in 500 twice"
	runsInSubmit          fault = "runs a call in Submit"
	forgetsCancelled      fault = "forgets a call that waits when its ctx ends"
	ignoresEndedContext   fault = "accepts under a ctx that has ended"
	runsUnderEndedContext fault = "runs what it refuses because ctx has ended"
	runsUnaccepted        fault = "runs what it refuses after waiting for room"
	refusesInItsWords     fault = "refuses for want of room in words of its own"
	stopsServingRoom      fault = "tells nobody of room"
	blocksForRoom         fault = "blocks tasks that wait for room"
	blocksCallbacks       fault = "blocks callbacks that wait for room"
	deafForRoom           fault = "does not look at ctx while it waits for room"
	keepsRoomOfCancelled  fault = "keeps a room for who was cancelled"
	acceptsWhenClosed     fault = "accepts calls when it is closed, and runs them"
	closedInItsWords      fault = "is closed in words of its own"
	closesAtOnce          fault = "does not wait in Close"
	closesOnRunning       fault = "waits in Close for what runs, and drops the rest"
	secondCloseAtOnce     fault = "waits in its first Close only"
	secondClosePanics     fault = "panics in its second Close"
	forgetsWaitersAtClose fault = "forgets in Close those who wait for room"
	closeBlocksLoop       fault = "blocks a task's loop in Close"
	leavesGoroutine       fault = "leaves a goroutine behind"
	diesOfGoexit          fault = "loses a worker by runtime.Goexit"
	losesOfMany           fault = "loses a call when another comes at the same time"
	refusesTasks          fault = "refuses what a task submits"
	acceptsWhileClosing   fault = "accepts a call when it has just closed, and loses it"
)

// brokenExecutor is a pool, simpler than aio's, with a fault.
type brokenExecutor struct {
	how     fault
	workers int
	room    int
	quit    context.Context // ends all waits; nil: there are none to end

	mu      sync.Mutex
	asked   int
	atOnce  meeting
	queue   []queuedCall
	load    int // calls accepted and not returned
	running int // workers
	kept    int
	closed  bool
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
	if err := ctx.Err(); err != nil && b.how != ignoresEndedContext {
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
	for {
		if b.quit != nil && b.quit.Err() != nil {
			return errGone
		}
		if b.closed && b.how != acceptsWhenClosed {
			if b.how == acceptsWhileClosing && len(b.closing) > 0 {
				return nil
			}
			if b.how == closedInItsWords {
				return errGone
			}
			return aio.ErrClosed
		}
		if b.load+b.kept < b.room {
			b.accept(queuedCall{ctx, call, lost})
			return nil
		}
		if b.how == refusesInItsWords {
			return errBusy
		}
		if err := b.waitForRoom(ctx); err != nil {
			if b.how == runsUnaccepted {
				go call()
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
		for _, p := range b.closing {
			p.Resolve(struct{}{})
		}
		b.closing = nil
	}
}

// tell wakes all who wait for room, so that they look again.
func (b *brokenExecutor) tell() {
	if b.how == stopsServingRoom {
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

func (b *brokenExecutor) Close() error {
	b.mu.Lock()
	again := b.closed
	b.closed = true
	if again && b.how == secondClosePanics {
		b.mu.Unlock()
		panic(fmt.Sprint("closed twice"))
	}
	if b.how == forgetsWaitersAtClose {
		b.waiters = nil
	}
	b.tell()
	if b.how == closesOnRunning {
		b.load -= len(b.queue)
		b.queue = nil
	}
	if b.running == 0 || b.how == closesAtOnce || again && b.how == secondCloseAtOnce {
		b.mu.Unlock()
		return nil
	}
	p := aio.NewPromise[struct{}]()
	b.closing = append(b.closing, p)
	b.mu.Unlock()
	return b.await(context.Background(), p, b.how == closeBlocksLoop)
}
