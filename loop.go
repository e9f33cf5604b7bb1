package aio

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio/internal/goid"
	"github.com/seed8b1f0744/aio/internal/timerq"
)

// Loop is one event loop: it runs tasks and callbacks, one at a time, on one goroutine. Make one
// with [Run] or [Start]. All methods may be called from any goroutine.
type Loop struct {
	// Immutable.
	root     scope // what Context returns
	hooks    Hooks
	logger   *slog.Logger
	grace    time.Duration
	onThread bool
	moves    bool       // a callback that ends the loop's goroutine has it go on with another
	bubbled  bool       // on virtual time: in a testing/synctest bubble, or with a clock
	start0   time.Time  // zero of the loop's int64 times
	debug    *debugging // nil: not in debug mode

	// Loop only: touched by whoever holds the baton, the loop's goroutine or the task it has
	// resumed.
	ready       ring
	timers      timerq.Queue[*slot]
	slots       slotPool
	idle        []*worker // coroutines without a task
	last        *worker   // mirror of current
	parkTime    *time.Timer
	closing     closing
	iterations  uint64
	left        uint     // of this iteration, at the head of ready
	depth       int      // of the chain of those that drive, see drive
	mayDrive    bool     // immutable after newLoop
	interrupted runnable // what a hook that goes by Goexit would keep from running
	moving      bool     // see own

	g         atomic.Uintptr         // the loop's goroutine
	current   atomic.Pointer[worker] // the last that was resumed
	watch     watchdog               // looked at in every step
	cancelled atomic.Int64           // timers that were cancelled and are still in the queue
	calls     atomic.Int64           // on executors, not yet back
	winds     atomic.Bool            // the loop is closing: a call that comes back must wake it, and what others start is cancelled
	callsOut  callList
	fds       fds
	signals   signals
	tasks     taskList
	failures  failures

	inbox   inbox
	settled core // done when the loop has closed; Close waits for it

	executorMu  sync.Mutex
	executor    Executor // guarded by executorMu; made when first used
	ownExecutor bool     // guarded by executorMu; made by us, closed by us

	clock   Clock // immutable; nil: the machine's. What follows is for a clock only
	outside outside
	callers *caller  // immutable; whose calls this loop is run in
	foreign *foreign // immutable
}

// runnable is what stands in the ready queue: a task's step, a callback, a timer, a watcher of a
// future.
type runnable interface{ run() }

// inbox takes what other goroutines hand to the loop. It is unbounded: a bounded one deadlocks when
// the loop posts to itself, and whoever needs back-pressure has Queue and Pool.
type inbox struct {
	mu     sync.Mutex
	posts  []runnable    // guarded by mu
	spare  []runnable    // guarded by mu; the slice that posts swaps with
	parked bool          // guarded by mu; the loop sleeps, or is about to: whoever clears it must send to wake
	closed bool          // guarded by mu
	some   atomic.Bool   // posts is not empty
	wake   chan struct{} // room for one
	bell   chan struct{} // guarded by mu; with a clock: instead of wake, closed
	fds    *descriptors  // guarded by mu; while the loop sleeps there: instead of wake, interrupted
	slots  slotPool      // guarded by mu; for handles made by other goroutines

	seen      glance // guarded by mu; how the loop stood when it last noted it
	withdrawn int    // guarded by mu; questions that the loop did not answer in time and still has
}

func newLoop(opts []Option) *Loop {
	l := &Loop{grace: 5 * time.Second, start0: time.Now(), bubbled: inBubble()}
	l.inbox.wake = make(chan struct{}, 1)
	l.settled.of = ofLoopClose
	for _, o := range opts {
		o.option(l)
	}
	if l.clock != nil {
		l.useClock()
	}
	l.watch.init(l)
	l.root.parent, l.root.loop = context.Background(), l
	l.mayDrive = l.hooks.TaskStarted == nil && l.hooks.TaskFinished == nil
	return l
}

// LoopOf returns the loop that ctx belongs to: asyncio.get_running_loop. From any goroutine; it
// does not suspend.
func LoopOf(ctx context.Context) (*Loop, bool) {
	if s := scopeOf(ctx); s != nil {
		return s.loop, true
	}
	return nil, false
}

// Now is the time on the clock of ctx's loop; without a loop it is time.Now. From any goroutine; it
// does not suspend.
func Now(ctx context.Context) time.Time {
	if l, ok := LoopOf(ctx); ok {
		return l.Now()
	}
	return time.Now()
}

// Now is the time on the loop's clock: asyncio's loop.time. From any goroutine; it does not
// suspend.
func (l *Loop) Now() time.Time {
	if l.clock != nil {
		return l.clock.Now()
	}
	return time.Now()
}

// now is Now as timers count it: nanoseconds since the loop was made.
func (l *Loop) now() int64 {
	if l.clock != nil {
		return int64(l.clock.Now().Sub(l.start0))
	}
	return int64(time.Since(l.start0))
}

// Context carries the loop and ends when the loop begins to close: for code that starts tasks and
// has no task's context. From any goroutine; it does not suspend.
func (l *Loop) Context() context.Context { return &l.root }

// after is the time d from now; never, if that is too far.
func (l *Loop) after(d time.Duration) int64 {
	now := l.now()
	if int64(d) > never-now {
		return never
	}
	return now + int64(d)
}

// onLoop reports whether the calling goroutine holds the baton: whether it may touch what is marked
// loop only.
func (l *Loop) onLoop() bool {
	g := goid.Get()
	if w := l.current.Load(); w != nil && w.co.G() == g {
		return true
	}
	return l.g.Load() == g
}

// schedule puts r in the ready queue, from any goroutine; it reports false on a closed loop.
func (l *Loop) schedule(r runnable) bool {
	if l.onLoop() {
		l.ready.push(r)
		return true
	}
	return l.post(r)
}

// post hands r to the loop from another goroutine.
func (l *Loop) post(r runnable) bool {
	b := &l.inbox
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.add(r)
	return true
}

// add appends r, wakes the loop if it sleeps, and unlocks mu.
func (b *inbox) add(r runnable) {
	b.posts = append(b.posts, r)
	if len(b.posts) == 1 {
		b.some.Store(true)
	}
	wake, bell, fds := b.parked, b.bell, b.fds
	b.parked = false
	b.mu.Unlock()
	switch {
	case !wake:
	case bell != nil:
		close(bell)
	case fds != nil:
		fds.sel.Interrupt()
	default:
		b.wake <- struct{}{}
	}
}

// collect moves what other goroutines posted to the ready queue.
func (l *Loop) collect() {
	b := &l.inbox
	if !b.some.Load() {
		if l.iterations%noteEvery == 0 {
			b.mu.Lock()
			l.note()
			b.mu.Unlock()
		}
		return
	}
	b.mu.Lock()
	l.note()
	posts := b.posts
	b.seen.ready += len(posts)
	b.posts, b.spare = b.spare[:0], nil
	b.some.Store(false)
	b.slots.takeBack(&l.slots)
	b.mu.Unlock()
	for i, r := range posts {
		l.ready.push(r)
		posts[i] = nil
	}
	if cap(posts) <= maxSpare {
		b.mu.Lock()
		b.spare = posts
		b.mu.Unlock()
	}
}

// maxSpare bounds what an idle inbox keeps of a burst.
const maxSpare = 1 << 16

// protect calls a user's function on the loop's goroutine; a panic goes to Hooks.Unhandled.
func (l *Loop) protect(fn func()) {
	defer l.recovered()
	fn()
}
