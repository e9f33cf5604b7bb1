package aio

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"sync"
)

// AsCompleted yields each of ws as it gets done, those that are done already first: asyncio's
// as_completed. It takes no error: what has failed must still be awaited. An argument that is there
// twice (==) is yielded once, as in asyncio; values that Go can't compare are each their own.
//
// It ends early when ctx ends; ctx.Err tells. It may be ranged over in a task, which it suspends
// while none is done (and once at the start, as asyncio does, even if some are), and in any other
// goroutine, which it blocks. A Waiter that is not ours costs a goroutine while it is waited for; a
// context does not. Leaving the loop early leaves nothing behind. In a callback, and in an iterator
// that a task pulls, it yields what is done, and panics with an error that Is ErrWouldDeadlock if
// something is not.
func AsCompleted[W Waiter](ctx context.Context, ws ...W) iter.Seq[W] {
	return func(yield func(W) bool) {
		ws := distinct(ws)
		if len(ws) == 0 || ended(ctx) != nil {
			return
		}
		if w, err := waiterFor(ctx); err != nil {
			yieldDone(ws, yield)
		} else {
			yieldCompleted(ctx, w, ws, yield)
		}
	}
}

func yieldCompleted[W Waiter](ctx context.Context, w *waiter, ws []W, yield func(W) bool) {
	c := &completions{waiter: w, marks: make([]completion, len(ws))}
	if w.task != nil {
		c.loop = w.task.ctx.loop
	}
	defer c.stop()
	for i, w := range ws {
		f, stop := coreOf(w)
		if stop != nil {
			c.stops = append(c.stops, stop)
		}
		c.watch(i, f)
	}
	for range ws {
		i, err := c.next(ctx)
		if err != nil || !yield(ws[i]) {
			return
		}
	}
}

// yieldDone is AsCompleted where nothing can be waited for.
func yieldDone[W Waiter](ws []W, yield func(W) bool) {
	pending := 0
	for _, w := range ws {
		if !isDone(w, nil) {
			pending++
		} else if !yield(w) {
			return
		}
	}
	if pending > 0 {
		panic(fmt.Errorf("aio: AsCompleted in a callback, %d of %d not done, use it in a task (Go starts one): %w", pending, len(ws), ErrWouldDeadlock))
	}
}

// distinct is ws without repetitions.
func distinct[W Waiter](ws []W) []W {
	seen := make(map[any]bool, len(ws))
	all := make([]W, 0, len(ws))
	for _, w := range ws {
		if reflect.ValueOf(w).Comparable() {
			if seen[w] {
				continue
			}
			seen[w] = true
		}
		all = append(all, w)
	}
	return all
}

// completions waits for several futures, one after the other as they get done: asyncio's
// _AsCompletedIterator, which is a queue that the done callbacks fill.
//
// As with a countdown, each completion has a turn of its own on the loop of a waiting task, and for
// another goroutine it counts where it happens.
type completions struct {
	loop   *Loop // of the waiting task; nil for a goroutine
	waiter *waiter
	stops  []func() // end what coreOf started

	mu      sync.Mutex
	done    []int        // guarded by mu; places of those that are not yet yielded
	waiting bool         // guarded by mu; the waiter's wait is this one
	marks   []completion // never grown: the lists hold addresses
}

// completion is the place of completions in one future.
type completion struct {
	node
	of     *completions
	place  int
	future *core
}

// watch has the future f reported when it is done; if it is, in the turn that its done callback
// would have.
func (c *completions) watch(i int, f *core) {
	m := &c.marks[i]
	m.of, m.place, m.future = c, i, f
	m.owner = m
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state.Load() == int32(Pending) {
		f.watchers.push(&m.node)
	} else {
		m.notify()
	}
}

// notify implements notifiable: m's future is done.
func (m *completion) notify() bool {
	if m.of.loop == nil || !m.of.loop.schedule(m) {
		m.run()
	}
	return true
}

// run implements runnable.
func (m *completion) run() {
	c := m.of
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = append(c.done, m.place)
	if c.waiting {
		c.waiting = false
		c.waiter.notify()
	}
}

// next waits for the next one, and returns ctx's error if that has ended.
func (c *completions) next(ctx context.Context) (int, error) {
	if err := ended(ctx); err != nil {
		return 0, err
	}
	c.mu.Lock()
	if len(c.done) == 0 {
		if t := c.waiter.task; t != nil && t.killed {
			c.mu.Unlock()
			t.checkpoint()
		}
		c.waiter.begin(ctx, onCompleted)
		c.waiting = true
		c.mu.Unlock()
		err := c.waiter.park(ctx)
		c.mu.Lock()
		c.waiting = false
		if err != nil {
			c.mu.Unlock()
			return 0, err
		}
	}
	i := c.done[0]
	c.done = c.done[1:]
	c.mu.Unlock()
	return i, nil
}

// stop takes the completions out of their futures.
func (c *completions) stop() {
	for i := range c.marks {
		if m := &c.marks[i]; m.future != nil {
			m.future.forget(&m.node, false)
		}
	}
	for _, stop := range c.stops {
		stop()
	}
}
