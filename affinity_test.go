package aio_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// Affinity: what OnThread and Thread run, they run on one OS thread, where it finds the state that libraries bind to that. What the state
// is here, is a bond's business; what runs, a scenario's (scenario_test.go); who owns the loop, a host's.

// bond is a state of one OS thread.
type bond struct {
	tie  func() error // gives it to the calling thread; an error: this process may not
	held func() bool  // whether the calling thread has it
	left func() bool  // whether any thread of the process still has it; nil: nobody can tell
}

type bondKind struct {
	name string
	make func(t testing.TB) bond
}

// bondKinds has one that is to be had nearly everywhere; see those of Linux.
var bondKinds = []bondKind{{"thread id", func(testing.TB) bond {
	var mine atomic.Uint64
	return bond{
		tie: func() error {
			if mine.Store(osThread()); mine.Load() == 0 {
				return errors.New("no thread ids on " + runtime.GOOS)
			}
			return nil
		},
		held: func() bool { return osThread() == mine.Load() },
	}
}}}

// affinity is what one thread runs.
type affinity struct {
	testing.TB
	bond
	tied   atomic.Bool
	refuse atomic.Pointer[error] // why tie did not work
	mu     sync.Mutex
	seen   map[string]int // guarded by mu
}

func newAffinity(t testing.TB, k bondKind) *affinity {
	return &affinity{TB: t, bond: k.make(t), seen: map[string]int{}}
}

// bind ties the calling thread. It reports false if that cannot be.
func (a *affinity) bind() bool {
	if err := a.tie(); err != nil {
		a.refuse.Store(&err)
		return false
	}
	a.tied.Store(true)
	return true
}

// here is called where the thread should be.
func (a *affinity) here(place string) {
	a.at(place, true)
}

// away is called where it should not be.
func (a *affinity) away(place string) {
	a.at(place, false)
}

func (a *affinity) at(place string, want bool) {
	if !a.tied.Load() {
		return // before the first task
	}
	held := a.held()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[place]++
	if held != want {
		a.Errorf("%s: on the thread: %v, want %v", place, held, want)
	}
}

// sawAll fails if there is a place where nothing came by, or one that the scenario does not name.
func (a *affinity) sawAll(places ...string) {
	a.Helper()
	if err := a.refuse.Load(); err != nil {
		a.Skip(*err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range places {
		if a.seen[p] == 0 {
			a.Errorf("%s: was never there", p)
		}
		delete(a.seen, p)
	}
	for p := range a.seen {
		a.Errorf("%s: came by, and the scenario does not say so", p)
	}
}

// elsewhere looks from so many other threads at once: a goroutine that is locked to one keeps it for itself.
func (a *affinity) elsewhere(place string) {
	const n = 20
	var all, looked sync.WaitGroup
	looked.Add(n)
	for range n {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			a.away(place)
			looked.Done()
			looked.Wait()
		})
	}
	all.Wait()
}

// host owns a loop with OnThread, in a bubble or not, and runs main on it.
type host struct {
	name   string
	run    func(a *affinity, main func(ctx context.Context) error)
	places []string // that it adds
	drives bool     // tasks that wait run the loop there
	real   bool     // not in a bubble
}

var hosts = []host{
	{name: "Start", drives: true, run: func(a *affinity, main func(context.Context) error) { hostStart(a, main) }},
	{name: "Run", drives: true, run: hostRun},
	{name: "with hooks", places: []string{"TaskStarted", "TaskFinished"}, run: func(a *affinity, main func(context.Context) error) {
		hostStart(a, main, aio.WithHooks(aio.Hooks{
			TaskStarted:  func(aio.TaskInfo) { a.here("TaskStarted") },
			TaskFinished: func(aio.TaskInfo, error) { a.here("TaskFinished") },
			Unhandled:    func(aio.Failure) { a.here("Unhandled") },
		}))
	}},
	{name: "in debug mode", drives: true, run: func(a *affinity, main func(context.Context) error) {
		hostStart(a, main, aio.WithDebug(), quiet())
	}},
	{name: "on a clock", places: []string{"Clock.Wait"}, drives: true, real: true, run: func(a *affinity, main func(context.Context) error) {
		hostStart(a, main, aio.WithClock(placedClock{aiotest.NewClock(aiotest.Epoch), a}))
	}},
}

// placedClock is a clock of the user's own.
type placedClock struct {
	*aiotest.Clock
	a *affinity
}

func (c placedClock) Wait(wake <-chan struct{}, until time.Time) {
	c.a.here("Clock.Wait")
	c.Clock.Wait(wake, until)
}

// reported is how a host without hooks for tasks hears of what the scenarios drop.
func reported(a *affinity) aio.Option {
	return aio.WithHooks(aio.Hooks{Unhandled: func(aio.Failure) { a.here("Unhandled") }})
}

func hostStart(a *affinity, main func(ctx context.Context) error, opts ...aio.Option) {
	l := aio.Start(append([]aio.Option{aio.OnThread(), aio.WithGrace(time.Second), quiet(), reported(a)}, opts...)...)
	if _, err := aio.Submit(context.Background(), l, aio.Do(main)).Await(context.Background()); err != nil {
		a.Errorf("main: %v", err)
	}
	if err := l.Close(); err != nil {
		a.Errorf("Close: %v", err)
	}
}

// hostRun runs on a thread of the caller's own, which is no good for anybody after that: it ends with a goroutine that has not unlocked it.
func hostRun(a *affinity, main func(ctx context.Context) error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if _, err := aio.Run(context.Background(), aio.Do(main), aio.OnThread(), aio.WithGrace(time.Second), quiet(), reported(a)); err != nil {
			a.Errorf("Run: %v", err)
		}
		a.here("after Run") // it is the caller's still
	}()
	<-done
	a.mu.Lock()
	delete(a.seen, "after Run")
	a.mu.Unlock()
}

// Everything that a loop with OnThread runs finds the state of its thread, whatever happens in between.
func TestOnThread_affinity(t *testing.T) {
	for _, k := range bondKinds {
		for _, h := range hosts {
			for _, s := range scenarios {
				t.Run(strings.Join([]string{k.name, h.name, s.name}, "/"), func(t *testing.T) {
					play := func(t *testing.T) {
						a := newAffinity(t, k)
						h.run(a, func(ctx context.Context) error {
							if !a.bind() {
								return nil
							}
							return errors.Join(s.play(a, h, ctx), aio.Sleep(ctx, time.Millisecond)) // so that it parks
						})
						a.sawAll(slices.Concat(s.places, h.places)...)
					}
					if h.real {
						play(t)
					} else {
						synctest.Test(t, play)
					}
				})
			}
		}
	}
}

// While the loop lives nothing else runs on its thread, and no other thread gets what was done to it, also one that is made
// meanwhile; when it has ended, so has the thread, and with it the state.
func TestOnThread_stateEndsWithTheLoop(t *testing.T) {
	for _, k := range bondKinds {
		t.Run(k.name, func(t *testing.T) {
			a := newAffinity(t, k)
			hostStart(a, func(ctx context.Context) error {
				if !a.bind() {
					return nil
				}
				return fromTheLoop(a, ctx)
			})
			checkLeft(a)
			a.sawAll("goroutines", "goroutines of a goroutine", "Blocking", "afterwards")
		})
	}
}

// Run gives the thread back to its goroutine, with what was done to it: if that has locked it and does not unlock, it ends with it.
func TestOnThread_stateStaysAfterRun(t *testing.T) {
	for _, k := range bondKinds {
		t.Run(k.name, func(t *testing.T) {
			a := newAffinity(t, k)
			hostRun(a, func(ctx context.Context) error {
				if !a.bind() {
					return nil
				}
				return fromTheLoop(a, ctx)
			})
			checkLeft(a)
			a.sawAll("goroutines", "goroutines of a goroutine", "Blocking", "afterwards")
		})
	}
}

// fromTheLoop starts other goroutines from the thread, and enough of them that there must be new threads.
func fromTheLoop(a *affinity, ctx context.Context) error {
	started := make(chan struct{})
	go func() { a.elsewhere("goroutines of a goroutine"); close(started) }()
	a.elsewhere("goroutines") // which holds the loop up: nobody else needs it
	<-started
	return aio.WithGroup(ctx, func(ctx context.Context) error {
		for range 10 {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				_, err := aio.Blocking(ctx, aio.Do(func(context.Context) error { a.away("Blocking"); return nil }))
				return err
			}))
		}
		return nil
	})
}

// checkLeft looks for the state when its owner has ended.
func checkLeft(a *affinity) {
	switch {
	case !a.tied.Load():
	case a.left == nil: // an id may be another thread's by now
		a.mu.Lock()
		a.seen["afterwards"]++
		a.mu.Unlock()
	default:
		a.elsewhere("afterwards")
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_, err := aio.Poll(ctx, time.Millisecond, func() (struct{}, bool, error) { return struct{}{}, !a.left(), nil })
		if err != nil {
			a.Error("20 seconds after its owner has ended a thread is still there, with what was done to it")
		}
	}
}
