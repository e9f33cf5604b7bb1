package aio_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed8b1f0744/aio"
)

// What the actors of the soak share, and whether it is all there in the end.

type soakThings struct {
	lock    aio.Mutex
	guarded int // guarded by lock
	locked  atomic.Int64

	permits *aio.Semaphore
	inside  atomic.Int64

	condLock aio.Mutex
	cond     *aio.Cond
	wares    int // guarded by condLock; each is taken by who made one before
	made     atomic.Int64
	taken    atomic.Int64

	queues []*aio.Queue[*soakItem] // with a limit, of each kind
	own    *aio.Queue[*soakItem]   // without: who gets one has put one before, so nobody waits in vain
	mu     sync.Mutex
	items  []*soakItem // guarded by mu
}

const soakPermits = 3

type soakItem struct {
	id  int64
	put atomic.Int32
	got atomic.Int32
}

func (th *soakThings) init() {
	th.permits = aio.NewBoundedSemaphore(soakPermits)
	th.cond = aio.NewCond(&th.condLock)
	th.queues = []*aio.Queue[*soakItem]{
		aio.NewQueue[*soakItem](4),
		aio.NewLIFOQueue[*soakItem](4),
		aio.NewPriorityQueue(4, func(a, b *soakItem) bool { return a.id%7 < b.id%7 }),
	}
	th.own = new(aio.Queue[*soakItem])
}

func (a *actor) mutex() {
	ctx, cancel := a.sure(), func() {}
	if a.random.IntN(2) == 0 {
		ctx, cancel = a.patience()
	}
	defer cancel()
	if a.things.lock.Lock(ctx) != nil {
		return
	}
	defer a.things.lock.Unlock()
	n := a.things.guarded
	defer func() {
		a.things.guarded = n + 1
		a.things.locked.Add(1)
	}()
	_ = aio.Yield(a.ctx)
}

func (a *actor) semaphore() {
	ctx, cancel := a.sure(), func() {}
	if a.random.IntN(2) == 0 {
		ctx, cancel = a.patience()
	}
	defer cancel()
	if a.things.permits.Acquire(ctx) != nil {
		return
	}
	defer a.things.permits.Release()
	if n := a.things.inside.Add(1); n > soakPermits {
		a.t.Errorf("%d have one of %d permits", n, soakPermits)
	}
	defer a.things.inside.Add(-1)
	_ = aio.Sleep(a.ctx, a.moment()/20)
}

// cond makes a ware and takes one.
func (a *actor) cond() {
	th := &a.things
	if th.condLock.Lock(a.sure()) != nil {
		return
	}
	defer th.condLock.Unlock()
	th.wares++
	th.made.Add(1)
	if a.random.IntN(2) == 0 {
		th.cond.Signal()
	} else {
		th.cond.Broadcast()
	}
	if a.random.IntN(2) == 0 {
		ctx, cancel := aio.WithTimeout(a.ctx, a.moment()) // for nothing, it may be
		defer cancel()
		_ = th.cond.Wait(ctx)
	}
	if th.cond.WaitFor(a.sure(), func() bool { return th.wares > 0 }) == nil {
		th.wares--
		th.taken.Add(1)
	}
}

// event waits for what somebody else is sure to do.
func (a *actor) event() {
	e := new(aio.Event)
	a.elsewhere(e.Set)
	if err := e.Wait(a.sure()); err == nil && !e.IsSet() {
		a.t.Error("Wait of an event that is not set")
	}
	e.Clear()
}

// barrier has three wait for each other; each gives up in the end.
func (a *actor) barrier() {
	if a.depth == soakDepth {
		return
	}
	const parties = 3
	b := aio.NewBarrier(parties)
	var mu sync.Mutex
	var got []int
	for range parties {
		c := *a
		c.ctx, c.group, c.mayClose = context.WithoutCancel(a.ctx), nil, false
		c.start(a.loop(), func(a *actor) {
			passed := false
			defer func() {
				if !passed {
					b.Abort()
				}
			}()
			ctx, cancel := aio.WithTimeout(a.ctx, a.moment()+a.moment())
			defer cancel()
			i, err := b.Wait(ctx)
			passed = err == nil
			if err != nil && err != aio.ErrBroken && !isWaitError(err) {
				a.t.Errorf("Barrier.Wait: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil && slices.Contains(got, i) {
				a.t.Errorf("index %d of a barrier is given twice", i)
			}
			if err == nil {
				got = append(got, i)
			}
		})
	}
}

func (a *actor) newItem() *soakItem {
	i := &soakItem{id: a.ids.Add(1)}
	a.things.mu.Lock()
	a.things.items = append(a.things.items, i)
	a.things.mu.Unlock()
	return i
}

// queue puts into or takes from one of those with a limit, for a while.
func (a *actor) queue() {
	q, _ := pick(a.random, a.things.queues)
	ctx, cancel := aio.WithTimeout(a.ctx, a.moment()) // there may be nobody for it
	defer cancel()
	switch a.random.IntN(6) {
	case 0:
		a.get(q.TryGet())
	case 1:
		i := a.newItem()
		i.note(q.TryPut(i))
	case 2, 3:
		a.get(q.Get(ctx))
	default:
		i := a.newItem()
		i.note(q.Put(ctx, i))
	}
	if q.Len() > 4 {
		a.t.Errorf("a queue of 4 holds %d", q.Len())
	}
}

func (i *soakItem) note(err error) {
	if err == nil {
		i.put.Add(1)
	}
}

func (a *actor) get(i *soakItem, err error) {
	if err == nil {
		i.got.Add(1)
	}
}

// pass puts into the queue without a limit, and takes one.
func (a *actor) pass() {
	i := a.newItem()
	err := a.things.own.Put(a.sure(), i)
	i.note(err)
	if err == nil {
		a.get(a.things.own.Get(a.sure()))
	}
}

func (s *soak) auditThings() {
	th := &s.things
	if !th.lock.TryLock() || int64(th.guarded) != th.locked.Load() {
		s.t.Errorf("the mutex is not free, or let two in: counted %d of %d", th.guarded, th.locked.Load())
	}
	for i := range soakPermits + 1 {
		if got := th.permits.TryAcquire(); got != (i < soakPermits) {
			s.t.Errorf("permit %d of %d: %t", i+1, soakPermits, got)
		}
	}
	if !th.condLock.TryLock() || int64(th.wares) != th.made.Load()-th.taken.Load() {
		s.t.Errorf("the mutex of the condition is not free, or %d wares were made, %d taken, %d are there", th.made.Load(), th.taken.Load(), th.wares)
	}
	for _, q := range append(th.queues, th.own) {
		q.Close()
		for i := range q.All(context.Background()) {
			i.got.Add(1)
		}
		if _, err := q.TryGet(); !errors.Is(err, aio.ErrQueueClosed) {
			s.t.Errorf("a closed queue that was emptied gives %v", err)
		}
	}
	for _, i := range th.items {
		if put, got := i.put.Load(), i.got.Load(); put != got || put > 1 {
			s.t.Errorf("item %d was put %d times and got %d times", i.id, put, got)
		}
	}
}
