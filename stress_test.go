package aio_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

var stressSeed = flag.Uint64("stress.seed", 0, "run TestStress with this seed only")

// TestStress mixes everything at random, from eight goroutines over two loops, and then counts: every task ended in one way, every item, permit and lock is where
// it must be, and TestMain sees that no goroutine is left. The goroutines run in parallel, so a seed gives the same work, not the same interleaving.
func TestStress(t *testing.T) {
	seeds := []uint64{1, 2, 3}
	if *stressSeed != 0 {
		seeds = []uint64{*stressSeed}
	}
	for _, seed := range seeds {
		s := newStress(t)
		var all sync.WaitGroup
		for g := range 8 {
			random := rand.New(rand.NewPCG(seed, uint64(g)))
			all.Go(func() {
				for range 300 {
					s.act(context.Background(), random, 0)
				}
			})
		}
		all.Wait()
		s.finish()
		if t.Failed() {
			t.Logf("again with: go test -run 'TestStress$' . -args -stress.seed=%d", seed)
			return
		}
	}
}

type stress struct {
	t     *testing.T
	loops [2]*aio.Loop
	pool  *aio.Pool
	queue *aio.Queue[int]
	mutex aio.Mutex
	sem   *aio.Semaphore
	event aio.Event

	started, succeeded, failed, cancelled atomic.Int64
	put, got                              atomic.Int64
	guarded                               int // guarded by mutex
	locked                                atomic.Int64

	mu    sync.Mutex
	tasks []*aio.Task[int] // guarded by mu
}

func newStress(t *testing.T) *stress {
	s := &stress{t: t, pool: aio.NewPool(aio.PoolConfig{Workers: 4, Queue: 2}), queue: aio.NewQueue[int](4), sem: aio.NewSemaphore(3)}
	quiet := aio.WithHooks(aio.Hooks{Unhandled: func(f aio.Failure) {
		if !errors.Is(f.Err, errStress) {
			t.Errorf("unhandled: %v", f.Err)
		}
	}})
	for i := range s.loops {
		s.loops[i] = aio.Start(quiet)
	}
	return s
}

var errStress = errors.New("a failure that is meant")

// act does one thing at random; in a task or a goroutine.
func (s *stress) act(ctx context.Context, random *rand.Rand, depth int) {
	ctx, cancel := aio.WithTimeout(ctx, time.Duration(random.IntN(3000))*time.Microsecond) // some end at once, some in the middle
	defer cancel()
	switch random.IntN(12) {
	case 0, 1, 2:
		s.spawn(ctx, random, depth)
	case 3:
		s.cancelOne(random)
	case 4:
		if s.queue.Put(ctx, 1) == nil {
			s.put.Add(1)
		}
	case 5:
		if _, err := s.queue.Get(ctx); err == nil {
			s.got.Add(1)
		}
	case 6:
		if s.mutex.Lock(ctx) == nil {
			n := s.guarded
			_ = aio.Yield(ctx)
			s.guarded = n + 1
			s.locked.Add(1)
			s.mutex.Unlock()
		}
	case 7:
		if s.sem.Acquire(ctx) == nil {
			_ = aio.Sleep(ctx, time.Microsecond)
			s.sem.Release()
		}
	case 8:
		p := aio.NewPromise[int]()
		s.loops[random.IntN(2)].CallSoon(func() { p.Resolve(1) })
		if v, err := p.Await(ctx); v != 1 && err == nil {
			s.t.Errorf("a promise gave %d", v)
		}
	case 9:
		_, _ = aio.InExecutor(ctx, s.pool, func(ctx context.Context) (int, error) { return 1, ctx.Err() }).Await(ctx)
	case 10:
		s.event.Set()
		_ = s.event.Wait(ctx)
		s.event.Clear()
	case 11:
		s.group(ctx, random, depth)
	}
}

// spawn starts a task on either loop, under ctx, and sometimes waits for it.
func (s *stress) spawn(ctx context.Context, random *rand.Rand, depth int) {
	if depth > 3 {
		return
	}
	under := ctx
	if random.IntN(2) == 0 {
		under = context.WithoutCancel(ctx)
	}
	inner := rand.New(rand.NewPCG(random.Uint64(), 0))
	end := random.IntN(5)
	s.started.Add(1)
	task := aio.Submit(under, s.loops[random.IntN(2)], func(ctx context.Context) (int, error) {
		for range inner.IntN(4) {
			s.act(ctx, inner, depth+1)
		}
		switch end {
		case 0:
			panic(errStress)
		case 1:
			return 0, errStress
		case 2:
			return 0, ctx.Err()
		}
		return 1, nil
	})
	task.OnDone(context.Background(), func(v int, err error) {
		switch {
		case err == nil:
			s.succeeded.Add(1)
		case task.State() == aio.Cancelled:
			s.cancelled.Add(1)
		case errors.Is(err, errStress), errors.Is(err, aio.ErrClosed): // one loop closes while tasks of the other still submit to it
			s.failed.Add(1)
		default:
			s.failed.Add(1) // or finish would wait for it
			s.t.Errorf("a task ended with %v", err)
		}
	})
	s.mu.Lock()
	s.tasks = append(s.tasks, task)
	s.mu.Unlock()
	switch random.IntN(3) {
	case 0:
		_, _ = task.Await(ctx)
	case 1:
		_, _, _ = aio.Wait(ctx, aio.FirstDone, task)
	}
}

func (s *stress) cancelOne(random *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.tasks); n > 0 {
		s.tasks[random.IntN(n)].Cancel(errStress)
	}
}

// group starts members that must all have ended when it returns.
func (s *stress) group(ctx context.Context, random *rand.Rand, depth int) {
	if depth > 2 {
		return
	}
	var running atomic.Int64
	steps := random.IntN(3)
	fails := random.IntN(3) == 0
	ctx = context.WithValue(ctx, key{}, depth)
	if _, ok := aio.LoopOf(ctx); !ok {
		ctx = s.loops[random.IntN(2)].Context()
	}
	_ = aio.WithGroup(ctx, func(ctx context.Context) error {
		for i := range 3 {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				running.Add(1)
				defer running.Add(-1)
				for range steps {
					_ = aio.Yield(ctx)
				}
				if fails && i == 1 {
					return errStress
				}
				return nil
			}))
		}
		return nil
	})
	if n := running.Load(); n != 0 {
		s.t.Errorf("WithGroup returned while %d members ran", n)
	}
}

func (s *stress) finish() {
	for _, l := range s.loops {
		if err := l.Close(); err != nil {
			s.t.Errorf("Close: %v", err)
		}
	}
	if err := s.pool.Close(); err != nil {
		s.t.Errorf("Close: %v", err)
	}
	for s.succeeded.Load()+s.failed.Load()+s.cancelled.Load() < s.started.Load() {
		runtime.Gosched() // the callbacks have goroutines of their own
	}
	ok, failed, cancelled, started := s.succeeded.Load(), s.failed.Load(), s.cancelled.Load(), s.started.Load()
	if ok+failed+cancelled != started {
		s.t.Errorf("%d tasks: %d succeeded, %d failed, %d were cancelled", started, ok, failed, cancelled)
	}
	if ok == 0 || failed == 0 || cancelled == 0 {
		s.t.Errorf("of %d tasks %d succeeded, %d failed, %d were cancelled: this mixes nothing", started, ok, failed, cancelled)
	}
	if left := s.put.Load() - s.got.Load(); int(left) != s.queue.Len() {
		s.t.Errorf("put %d, got %d, %d are left", s.put.Load(), s.got.Load(), s.queue.Len())
	}
	if !s.mutex.TryLock() || int64(s.guarded) != s.locked.Load() {
		s.t.Errorf("the mutex is not free, or let two in: counted %d of %d", s.guarded, s.locked.Load())
	}
	for i := range 4 {
		if got := s.sem.TryAcquire(); got != (i < 3) {
			s.t.Errorf("permit %d of 3: %v", i+1, got)
		}
	}
}
