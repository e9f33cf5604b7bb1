package aio

import (
	"context"
	"sync"
)

// countdown waits until a number of futures are done, or one of them is reason enough to stop: what
// Gather and Wait share.
//
// For a task, each completion has a turn of its own on the loop, and the last one wakes the task
// for the next: two turns, as in asyncio. For another goroutine they count where they happen.
type countdown struct {
	loop   *Loop // of the waiting task; nil for a goroutine
	waiter *waiter
	enough func(*core) bool // called with mu held, for each that is done
	claims bool             // the outcomes will be taken
	on     reason           // for people

	mu    sync.Mutex
	left  int       // guarded by mu
	over  bool      // guarded by mu; the waiting is, or is about to be
	marks []watcher // immutable after the last watch: never grown, the lists hold addresses
}

// watcher is the countdown's place in one future.
type watcher struct {
	node
	count  *countdown
	future *core
}

// newCountdown prepares the caller's wait for n futures. Each must then be given to watch, or
// counted. With claims, the caller takes their outcomes if all goes well.
func newCountdown(ctx context.Context, n int, on reason, claims bool, enough func(*core) bool) (*countdown, error) {
	w, err := waiterFor(ctx)
	if err != nil {
		return nil, err
	}
	c := &countdown{waiter: w, enough: enough, claims: claims, on: on, left: n, marks: make([]watcher, 0, n)}
	if w.task != nil {
		c.loop = w.task.ctx.loop
	}
	w.begin(ctx, on)
	return c, nil
}

// watch has f counted when it is done; it reports false if f is done already.
func (c *countdown) watch(f *core) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state.Load() != int32(Pending) {
		return false
	}
	c.watchLocked(f)
	return true
}

func (c *countdown) watchLocked(f *core) *watcher {
	c.marks = append(c.marks, watcher{count: c, future: f})
	m := &c.marks[len(c.marks)-1]
	m.owner = m
	f.watchers.push(&m.node)
	if c.claims {
		f.claims++
	}
	return m
}

// notify implements notifiable: m's future is done.
func (m *watcher) notify() bool {
	if m.count.loop == nil || !m.count.loop.schedule(m) {
		m.run()
	}
	return true
}

func (m *watcher) run() { m.count.count(m.future) }

// count takes f, which is done, off what is left.
func (c *countdown) count(f *core) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.left--
	if c.enough(f) || c.left <= 0 {
		c.over = true
		c.waiter.notify()
	}
}

// wait waits for the end of the count, and returns ctx's error if that ended first.
func (c *countdown) wait(ctx context.Context) error {
	err := c.waiter.park(ctx)
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	return err
}

// giveBack takes the countdown out of its futures, after the outcomes that were wanted have been
// taken.
func (c *countdown) giveBack() {
	for i := range c.marks {
		m := &c.marks[i]
		m.future.forget(&m.node, c.claims)
	}
}
