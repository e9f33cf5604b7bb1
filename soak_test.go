package aio_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

var (
	soakFor  = flag.Duration("soak", 0, "how long each TestSoak goes on, with one seed after the other; 0: for two seeds")
	soakSeed = flag.Uint64("soak.seed", 1, "the first seed of each TestSoak")
)

const (
	soakActors = 50
	soakActs   = 150 // of each actor; what it starts acts as well
	soakDepth  = 3   // of what is started by what is started
)

// TestSoak mixes everything at random, from fifty goroutines over four loops that are closed and replaced meanwhile, and then accounts for every outcome:
// what was started has succeeded, failed, was cancelled or refused, once; each failure was taken or reported, once; no item, permit, lock, goroutine,
// descriptor or memory is left or lost.
//
// Each seed runs twice: on real time, and in a bubble, where a wake-up that gets lost is a deadlock at once. The goroutines run in parallel, so a seed gives the
// same work, not the same interleaving.
func TestSoak(t *testing.T) { soakSeeds(t, (*soak).run) }

// soakSeeds runs one kind of soak with one seed after the other.
func soakSeeds(t *testing.T, run func(*soak)) {
	dog := newWatchdog(t)
	catchLogs(t, dog)
	began, descriptors := time.Now(), 0
	var memory uint64
	for n := uint64(0); *soakFor == 0 && n < 2 || time.Since(began) < *soakFor; n++ {
		seed := *soakSeed + n
		dog.seed.Store(seed)
		soakBubble(t, seed, dog, run)
		run(newSoak(t, seed, dog))
		now := liveBytes()
		if n == 0 {
			descriptors, memory = openDescriptors(), now
		}
		if left := openDescriptors(); left > descriptors {
			t.Errorf("%d descriptors are open, %d were after the first seed", left, descriptors)
		}
		if now > memory+1<<20 {
			t.Errorf("%d bytes are in use, %d were after the first seed", now, memory)
		}
		if t.Failed() {
			t.Log(dog.rerun())
			return
		}
	}
}

func soakBubble(t *testing.T, seed uint64, dog *watchdog, run func(*soak)) {
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintln(os.Stderr, dog.rerun())
			panic(v)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		s := newSoak(t, seed, dog)
		s.bubble = true
		run(s)
	})
}

// soak is one seed's world. Records of what was started are only read after all is over.
type soak struct {
	t       *testing.T
	dog     *watchdog
	seed    uint64
	epoch   time.Time
	bubble  bool
	ids     atomic.Int64 // of all that is started, and of its failure
	clock   atomic.Int64 // gives events an order
	loops   [4]atomic.Pointer[soakLoop]
	byLoop  sync.Map                      // *aio.Loop to *soakLoop
	goexits atomic.Int64                  // logged, where there is no loop
	closer  sync.Mutex                    // of those who are waited for themselves, one at a time may wait for a Close
	places  [soakDepth + 1][]aio.Executor // for calls of each depth, so that none waits for a worker that waits for it
	shared  aio.Executor                  // of some loops; it never runs out of workers
	things  soakThings

	mu        sync.Mutex // guards what follows
	all       []*soakLoop
	tasks     []*soakTask
	calls     []*soakCall
	callbacks []*soakCallback
	groups    []*soakGroup
	gathers   []soakGather
	contexts  []context.Context // of tasks, for others to use
	reports   map[int64][]soakReport
	owed      []*soakWork // failures that are to be reported yet
}

func newSoak(t *testing.T, seed uint64, dog *watchdog) *soak {
	return &soak{t: t, dog: dog, seed: seed, epoch: time.Now(), reports: make(map[int64][]soakReport)}
}

// now is the time since the beginning, by the monotonic clock: the other one is put right while a soak
// goes on. It is never 0.
func (s *soak) now() int64 { return 1 + int64(time.Since(s.epoch)) }

func (s *soak) run() {
	random := rand.New(rand.NewPCG(s.seed, 0))
	s.things.init()
	for d := range s.places {
		s.places[d] = []aio.Executor{
			aio.NewPool(aio.PoolConfig{Workers: 4, Queue: 2}),
			aio.NewPool(aio.PoolConfig{Workers: 6, FailIfFull: true, IdleAfter: time.Millisecond}),
			aio.NewThread(),
		}
	}
	s.shared = aio.NewPool(aio.PoolConfig{})
	s.places[0] = append(s.places[0], s.shared)
	for i := range s.loops {
		s.loops[i].Store(s.newLoop(soakKind(i), random))
	}
	s.dog.soak.Store(s)
	defer s.dog.soak.Store(nil)
	var actors sync.WaitGroup
	for g := range soakActors {
		a := &actor{soak: s, ctx: context.Background(), mayClose: true, random: rand.New(rand.NewPCG(s.seed, uint64(g)+1))}
		actors.Go(func() {
			for range soakActs {
				a.act()
			}
		})
	}
	actors.Wait()
	s.finish(random)
	s.settle()
	s.audit()
}

// finish closes everything; tasks that still run may start loops meanwhile.
func (s *soak) finish(random *rand.Rand) {
	for i := 0; ; i++ {
		s.mu.Lock()
		if i == len(s.all) {
			s.mu.Unlock()
			break
		}
		l := s.all[i]
		s.mu.Unlock()
		l.closes()
		if random.IntN(2) == 0 && !l.killable {
			l.checkClosed(l.Shutdown(context.Background()))
		}
		l.close()
		<-l.Done()
	}
	for _, places := range s.places {
		for _, ex := range places {
			if err := ex.Close(); err != nil {
				s.t.Errorf("closing a %T: %v", ex, err)
			}
			if p, ok := ex.(*aio.Pool); ok && p.Stats().Workers+p.Stats().Waiting != 0 {
				s.t.Errorf("a closed pool has %+v", p.Stats())
			}
		}
	}
}

// settle waits until nothing runs any more: calls that were abandoned, refusals on their way. What remains is a leak.
func (s *soak) settle() {
	if s.bubble {
		letPass(time.Hour)
		synctest.Wait()
		return // what is left is a deadlock of the bubble
	}
	if !s.eventually(func() bool { return len(leftGoroutines()) == 0 }) {
		s.t.Errorf("goroutines are left:\n\n%s", bytes.Join(leftGoroutines(), []byte("\n\n")))
	}
}

// eventually waits for what the garbage collector or a goroutine that nobody knows is about to do.
func (s *soak) eventually(ok func() bool) bool {
	if s.bubble {
		synctest.Wait()
		return ok()
	}
	for began := time.Now(); time.Since(began) < 10*time.Second; runtime.GC() {
		if ok() {
			return true
		}
		s.dog.moves.Add(1)
	}
	return false
}

// watchdog ends the program if nothing moves for half a minute.
type watchdog struct {
	test  string // its name
	moves atomic.Int64
	seed  atomic.Uint64
	soak  atomic.Pointer[soak] // that runs
	over  atomic.Bool
	seen  int64 // the timer's, as what follows
	still int
	timer *time.Timer
}

func newWatchdog(t *testing.T) *watchdog {
	d := &watchdog{test: t.Name()}
	armed := make(chan struct{})
	d.timer = time.AfterFunc(5*time.Second, func() { <-armed; d.look() })
	close(armed)
	t.Cleanup(func() {
		d.over.Store(true)
		d.timer.Stop()
	})
	return d
}

func (d *watchdog) look() {
	if d.over.Load() {
		return
	}
	if now := d.moves.Load(); now != d.seen {
		d.seen, d.still = now, 0
	} else if d.still++; d.still == 6 {
		buf := make([]byte, 64<<20)
		fmt.Fprintf(os.Stderr, "%s\n\nnothing has moved for 30 s; %s\n", buf[:runtime.Stack(buf, true)], d.rerun())
		os.Exit(2)
	}
	d.timer.Reset(5 * time.Second)
}

func (d *watchdog) rerun() string {
	return fmt.Sprintf("again with: go test -run '%s$' . -soak 30s -soak.seed %d", d.test, d.seed.Load())
}

// liveBytes is what the heap holds when all that can go has gone.
func liveBytes() uint64 {
	for range 3 {
		runtime.GC()
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// openDescriptors is 0 where the system does not tell.
func openDescriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// soakLog takes what is logged because there is no loop to report to.
type soakLog struct {
	slog.Handler
	dog *watchdog
}

// catchLogs makes it the default for this test.
func catchLogs(t *testing.T, dog *watchdog) {
	old := slog.Default()
	slog.SetDefault(slog.New(soakLog{Handler: slog.NewTextHandler(os.Stderr, nil), dog: dog}))
	t.Cleanup(func() { slog.SetDefault(old) })
}

func (h soakLog) Handle(ctx context.Context, r slog.Record) error {
	told := false
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			if s := h.dog.soak.Load(); s != nil {
				told = s.report(nil, aio.Failure{Err: err})
			}
		}
		return true
	})
	if told {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func pick[T any](random *rand.Rand, from []T) (v T, ok bool) {
	if len(from) == 0 {
		return v, false
	}
	return from[random.IntN(len(from))], true
}
