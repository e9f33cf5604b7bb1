package aio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

const (
	bridgeGoroutines = 100
	bridgeTrips      = 6 // of each
	bridgeDepth      = 9 // functions below each other: of tasks, of calls, of callbacks
	bridgeHolders    = 256
)

// TestSoak_bridge crosses the bridge both ways under load: a hundred goroutines submit to four loops, whose tasks call on executors, whose workers submit to
// another loop, and so on to a random depth, while contexts end, deadlines pass and functions fail at random, and half way a loop and a pool are closed. Then
// it accounts for everything as TestSoak does, and for more: what the pools and loops say of themselves agrees with what was seen, and they are as good as new.
//
// It keeps to the rule of Pool: a call never waits for one of its own executor. The executors stand in layers, and a call in one of them only waits for calls in
// those behind it; on the default executor of a loop, which is that for all depths, only a limited number wait for others at all.
func TestSoak_bridge(t *testing.T) { soakSeeds(t, func(s *soak) { newBridge(s).run() }) }

// bridge is one seed's world, on top of what the soak keeps records of.
type bridge struct {
	*soak
	random   *rand.Rand
	layers   [soakDepth + 1][]*place
	wrapped  *place // the default executor of a loop, as an executor that aio does not know
	direct   *place // the same, as the pool itself
	runs     sync.WaitGroup
	holders  atomic.Int64  // calls on the roomy default executors that may wait for others
	departed atomic.Int64  // trips
	early    *soakLoop     // is closed half way
	closed   chan struct{} // when it is
	seen     [bridgeDepth + 1]atomic.Int64
	aside    map[*soakLoop]int // tasks that the soak does not know of

	promisesMu sync.Mutex
	promises   []*soakPromise // guarded by promisesMu
}

func newBridge(s *soak) *bridge {
	s.things.init()
	b := &bridge{soak: s, random: rand.New(rand.NewPCG(s.seed, 0)), closed: make(chan struct{}), aside: make(map[*soakLoop]int)}
	for i := range b.layers {
		b.layers[i] = []*place{
			b.newPlace(aio.PoolConfig{Workers: 4, Queue: 2}),
			b.newPlace(aio.PoolConfig{Workers: 6, FailIfFull: true, IdleAfter: time.Millisecond}),
			b.newPlace(aio.PoolConfig{Workers: 1, Queue: 1, FailIfFull: true}),
			b.newPlace(aio.PoolConfig{Workers: 3, IdleAfter: 100 * time.Microsecond}),
			b.newPlace(aio.PoolConfig{Workers: 5, Queue: -1}),
			b.newThread(),
		}
		for _, p := range b.layers[i] {
			s.places[i] = append(s.places[i], p)
		}
	}
	s.shared = aio.NewPool(aio.PoolConfig{})
	b.wrapped, b.direct = b.newPlace(aio.PoolConfig{Workers: 8, Queue: 4}), b.newPlace(aio.PoolConfig{Workers: 4, Queue: 8})
	s.places[0] = append(s.places[0], s.shared, b.wrapped, b.direct)
	s.loops[0].Store(s.startLoop(soakPlain, b.random, aio.Start))
	s.loops[1].Store(s.startLoop(soakOnThread, b.random, b.startWith(b.wrapped)))
	s.loops[2].Store(s.startLoop(soakHooked, b.random, b.startWith(b.direct.ex)))
	s.loops[3].Store(s.startLoop(soakPlain, b.random, b.startByRun))
	b.aside[s.loops[3].Load()] = 1 // the main task
	return b
}

func (b *bridge) startWith(ex aio.Executor) func(...aio.Option) *aio.Loop {
	return func(opts ...aio.Option) *aio.Loop { return aio.Start(append(opts, aio.WithExecutor(ex))...) }
}

// startByRun runs a loop on an ordinary goroutine, until it is closed.
func (b *bridge) startByRun(opts ...aio.Option) *aio.Loop {
	started := make(chan *aio.Loop, 1)
	b.runs.Go(func() {
		_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error { // does not return if a callback has gone by Goexit
			l, _ := aio.LoopOf(ctx)
			started <- l
			return new(aio.Event).Wait(ctx)
		}), opts...)
		if !errors.Is(err, aio.ErrCancelled) || !errors.Is(err, aio.ErrClosed) {
			b.t.Errorf("Run of a loop that was closed: %v", err)
		}
	})
	return <-started
}

func (b *bridge) run() {
	b.dog.soak.Store(b.soak)
	defer b.dog.soak.Store(nil)
	var goroutines sync.WaitGroup
	for g := range bridgeGoroutines {
		a := actor{soak: b.soak, random: rand.New(rand.NewPCG(b.seed, uint64(g)+1))}
		goroutines.Go(func() {
			for i := range bridgeTrips {
				if i == bridgeTrips-1 && g%8 == 0 {
					<-b.closed // there is always somebody who comes too late
				}
				if b.departed.Add(1) == bridgeGoroutines*bridgeTrips/2 {
					goroutines.Go(b.closeLoop)
					goroutines.Go(b.closeExecutor)
				}
				b.trip(a)
			}
		})
	}
	goroutines.Wait()
	b.calm()
	b.probe()
	for _, p := range b.allPlaces() {
		p.closeFull()
	}
	for i := range b.loops {
		l := b.loops[i].Load()
		over := b.sit(l)
		l.closes()
		if i != 3 && b.random.IntN(2) == 0 { // that one has a main task, which does not end before
			l.checkClosed(l.Shutdown(context.Background()))
		}
		l.close()
		over()
	}
	b.finish(b.random)
	b.runs.Wait()
	b.settle()
	b.auditBridge()
	b.audit()
}

// closeLoop closes one that is in use.
func (b *bridge) closeLoop() {
	b.early = b.loops[b.seed%uint64(len(b.loops))].Load()
	over := b.sit(b.early)
	b.early.close()
	over()
	close(b.closed)
}

// sit has calls wait for the end of l whose task is over: nobody else ends them. When l has closed, over checks that it has waited for them.
func (b *bridge) sit(l *soakLoop) (over func()) {
	var calls []*soakCall
	a := actor{soak: b.soak, random: rand.New(rand.NewPCG(b.seed, 1<<32)), ctx: context.Background()}
	w, task := a.start(l, func(a *actor) {
		for _, ctx := range []context.Context{a.ctx, context.WithoutCancel(a.ctx), l.Context()} {
			c := *a
			c.ctx = ctx
			call := c.newCall()
			call.do = func(a *actor) {
				<-a.ctx.Done()
				if cause := context.Cause(a.ctx); cause != aio.ErrClosed {
					b.t.Errorf("a call of a loop that closes ends because of %v", cause)
				}
				_ = aio.Sleep(context.Background(), a.moment())
			}
			call.future = aio.InExecutor(ctx, b.shared, call.fn(&c))
			calls = append(calls, call)
		}
	})
	w.await(&a, context.Background(), &task.Future)
	return func() {
		for _, c := range calls {
			if c.returned.Load() != 1 {
				b.t.Errorf("a loop of kind %d has closed and did not wait for call %d", l.kind, c.id)
			}
		}
	}
}

// closeExecutor closes one that is in use.
func (b *bridge) closeExecutor() {
	layer := b.layers[b.random.IntN(len(b.layers)-1)] // elsewhere needs one of the last
	if err := layer[b.random.IntN(len(layer))].Close(); err != nil {
		b.t.Errorf("closing an executor: %v", err)
	}
}

// trip is one thing that a goroutine asks for, with all that this leads to.
type trip struct{ _ int } // so that there are two

type tripKey struct{}

// trip makes one. What is still on its way in the end goes on, or its context ends.
func (b *bridge) trip(a actor) {
	tr := new(trip)
	ctx := context.WithValue(context.Background(), tripKey{}, tr)
	d := time.Duration(a.random.IntN(200)) * time.Duration(a.random.IntN(200)) * time.Microsecond // 10 ms, up to 40
	var end context.CancelFunc
	brief := true
	switch a.random.IntN(6) {
	case 0:
		ctx, end = context.WithTimeout(ctx, d)
	case 1:
		ctx, end = aio.WithTimeout(ctx, d)
	case 2:
		ctx, end = aio.WithTimeout(context.WithValue(a.loop().Context(), tripKey{}, tr), d)
	case 3:
		cancelled, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(d, func() { cancel(errSoakCause) })
		ctx, end = cancelled, func() { cancel(nil) }
	default: // it has all the time it takes
		ctx, end = context.WithCancel(ctx)
		brief = false
	}
	a.ctx = ctx
	t := &traveller{actor: a, b: b, trip: tr, loyal: brief}
	for range 1 + a.random.IntN(2) {
		t.crossToLoop()
	}
	if a.random.IntN(2) == 0 {
		end()
	} else {
		time.AfterFunc(d, end)
	}
}

// calm waits until nothing is on its way: an outcome, or a worker, that is lost would keep it from coming.
func (b *bridge) calm() {
	if b.bubble {
		letPass(time.Hour)
	}
	busy := ""
	if !b.eventually(func() bool { busy = b.busy(); return busy == "" }) {
		b.t.Errorf("after the last trip %s", busy)
	}
}

// busy says who is.
func (b *bridge) busy() string {
	for _, p := range b.allPlaces() {
		if s := p.stats(); s.Busy+s.Waiting > 0 || p.running.Load() > 0 {
			return fmt.Sprintf("%s has %+v", p, s)
		}
	}
	for i := range b.loops {
		l := b.loops[i].Load()
		want := aio.Stats{Iterations: l.Stats().Iterations}
		if i == 3 && l != b.early {
			want.Tasks = 1 // the main one
		}
		if s := l.Stats(); s != want {
			return fmt.Sprintf("loop %d has %+v", i, s)
		}
	}
	return ""
}

func (b *bridge) allPlaces() []*place {
	all := []*place{b.wrapped, b.direct}
	for _, layer := range b.layers {
		all = append(all, layer...)
	}
	return all
}

// probe uses everything once more, to the limit.
func (b *bridge) probe() {
	for _, p := range b.allPlaces() {
		p.probe()
	}
	for i := range b.loops {
		l := b.loops[i].Load()
		task := aio.Submit(context.Background(), l.Loop, func(ctx context.Context) (int, error) {
			return aio.Blocking(ctx, func(context.Context) (int, error) {
				if i == 2 {
					defer b.direct.enter()()
				}
				return i, nil
			})
		})
		v, err := task.Await(context.Background())
		if l == b.early {
			if err != aio.ErrClosed {
				b.t.Errorf("a task of a closed loop: %v", err)
			}
			continue
		}
		if v != i || err != nil {
			b.t.Errorf("a task that blocks, in the end: %d, %v", v, err)
		}
		b.aside[l]++
		if number := strings.TrimPrefix(task.Name(), "task-"); number != fmt.Sprint(b.started(l)) {
			b.t.Errorf("loop %d counts %s tasks, %d were started on it", i, number, b.started(l))
		}
	}
}

// started is how many tasks were, on a loop that took all.
func (b *bridge) started(l *soakLoop) int {
	n := b.aside[l]
	for _, w := range b.tasks {
		if w.loop == l && !w.refused {
			n++
		}
	}
	return n
}

// soakPromise is a promise that is settled once, come what may.
type soakPromise struct {
	aio.Promise[int]
	settled atomic.Int32
	v       int // as settled
	err     error
}

func (b *bridge) newPromise() *soakPromise {
	p := new(soakPromise)
	b.promisesMu.Lock()
	b.promises = append(b.promises, p)
	b.promisesMu.Unlock()
	return p
}

func (p *soakPromise) settle(v int, err error) {
	if err == nil && p.Resolve(v) || err != nil && p.Reject(err) {
		p.v, p.err = v, err
		p.settled.Add(1)
	}
}

// await is an await of its outcome, which is the same for all.
func (p *soakPromise) await(t *testing.T) func(context.Context) bool {
	return func(ctx context.Context) bool {
		v, err := p.Await(ctx)
		if p.State() == aio.Pending {
			return false
		}
		if again, outcome := p.Result(); err == nil && v != again || err != outcome && !isWaitError(err) {
			t.Errorf("a promise gave %d, %v and then %d, %v", v, err, again, outcome)
		}
		return true
	}
}

// auditBridge checks what the soak does not know of.
func (b *bridge) auditBridge() {
	for _, p := range b.promises {
		if v, err := p.Result(); p.settled.Load() != 1 || v != p.v || p.State() == aio.Finished && err != p.err {
			b.t.Errorf("a promise was settled %d times, with %d, %v; it has %d, %v", p.settled.Load(), p.v, p.err, v, err)
		}
	}
	var ran, full int64
	for _, p := range b.allPlaces() {
		p.audit()
		ran += p.ran.Load()
		full += p.full.Load()
	}
	var depths [bridgeDepth + 1]int64
	for i := range b.seen {
		depths[i] = b.seen[i].Load()
		if depths[i] == 0 && 0 < i && i < 7 { // loop, pool, loop, pool, loop, pool
			b.t.Errorf("nothing has come %d deep: this mixes too little", i)
		}
	}
	hooked := b.loops[2].Load()
	if n := b.started(hooked); len(hooked.started) != n {
		b.t.Errorf("the hooks were told of %d tasks, %d were accepted", len(hooked.started), n)
	}
	if full == 0 {
		b.t.Error("no pool was full: this mixes too little")
	}
	b.t.Logf("%d calls ran on executors, %d found one full; by depth %v ran; %d promises", ran, full, depths, len(b.promises))
}
