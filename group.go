package aio

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/seed8b1f0744/aio/internal/invariant"
)

// group is a WithGroup.
//
//	open -> closed, when the body has returned and no member is left
//
// A member counts from its start until its end has had its turn on the loop.
type group struct {
	scope     scope
	room      *Semaphore // immutable; may be nil
	mu        sync.Mutex
	members   int      // guarded by mu; not done
	closed    bool     // guarded by mu
	errs      []error  // guarded by mu; the first one first
	waiting   nodeList // guarded by mu; WithGroup itself, for members to be zero
	abandoned bool     // guarded by mu; nobody will read errs
}

// WithGroup calls body and waits for the tasks that are started under body's context: asyncio's
// TaskGroup. Such a task belongs to the group wherever it is started, as long as the context it is
// started under comes from body's; what a member starts under its own context does not.
//
// WithGroup returns when body has returned and all members have ended. The first failure, of body
// or of a member, ends body's context and so cancels the rest; the result is the failures joined,
// the first one first; a single one is returned as it is. Members that were cancelled add nothing.
// If ctx itself ended, its error comes first. Body's context ends when WithGroup returns: Go under
// it then gives a Cancelled task. If body panics, so does WithGroup, after the members have ended.
//
// It may be called in a task, which it suspends while members run, and in any other goroutine,
// which it blocks; ctx must carry a loop (ErrNoLoop; body is not called then). The end of ctx
// cancels the members; they are still waited for.
func WithGroup(ctx context.Context, body func(ctx context.Context) error) error {
	return withGroup(ctx, nil, body)
}

// withGroup is WithGroup. Each member that ends gives a permit to room, if that is given.
func withGroup(ctx context.Context, room *Semaphore, body func(ctx context.Context) error) error {
	s := scopeOf(ctx)
	if s == nil {
		return ErrNoLoop
	}
	if _, err := running(ctx); err != nil {
		return err // before anything is started that could not be waited for
	}
	g := &group{room: room}
	g.scope.parent, g.scope.group = ctx, g
	g.scope.loop = s.loop
	g.scope.link()
	finished := false
	defer func() {
		if !finished { // body panicked or went, or Close gave up on this task: the members must not outlive it
			defer g.abandon()
			g.scope.end(endedCancelled, nil)
			_ = g.wait()
		}
	}()
	err := body(&g.scope)
	g.bodyDone(err)
	err = g.wait()
	finished = true
	if err != nil {
		g.abandon()
		return err
	}
	outer := ended(ctx)
	g.scope.endAndRelease(endedCancelled, nil)
	return g.result(outer)
}

// join makes t a member; it reports false if the group is over.
func (g *group) join() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.members++
	return true
}

// bodyDone takes body's error. One that only says that the body's context ended is no failure of
// its own.
func (g *group) bodyDone(err error) {
	if err == nil {
		return
	}
	if how := g.scope.state(); isOver(how) && errors.Is(err, g.scope.Err()) && !hidesFailure(err, g.scope.Err(), g.scope.cause()) {
		return
	}
	g.fail(err)
}

// fail notes a failure and cancels what runs.
func (g *group) fail(err error) {
	g.mu.Lock()
	abandoned := g.abandoned
	if !abandoned {
		g.errs = append(g.errs, err)
	}
	g.mu.Unlock()
	if abandoned {
		g.scope.loop.late(err)
	}
	if g.scope.end(endedCancelled, err) {
		// asyncio cancels the task that waits here, which so looks a turn earlier than the last
		// member would have it look.
		g.mu.Lock()
		g.waiting.notifyAll()
		g.mu.Unlock()
	}
}

// wait waits for the members, whatever ends meanwhile, and closes the group.
func (g *group) wait() error {
	ctx := context.Background()
	for {
		g.mu.Lock()
		if g.members == 0 {
			g.closed = true
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		w, err := waiterFor(ctx)
		if err != nil {
			return err
		}
		g.mu.Lock()
		if g.members > 0 {
			w.begin(ctx, onGroup)
			g.waiting.push(&w.node)
			g.mu.Unlock()
			if err := w.park(ctx); err != nil { // Close gave up on this task
				g.mu.Lock()
				g.waiting.remove(&w.node)
				g.mu.Unlock()
				return err
			}
			continue
		}
		g.mu.Unlock()
	}
}

// abandon ends a group whose failures WithGroup can't return: they are reported.
func (g *group) abandon() {
	g.scope.endAndRelease(endedCancelled, nil)
	g.mu.Lock()
	errs := g.errs
	g.errs, g.abandoned = nil, true
	g.mu.Unlock()
	for _, err := range errs {
		g.scope.loop.late(err)
	}
}

// result is what WithGroup returns, if the outer context has ended so.
func (g *group) result(outer error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	errs := g.errs
	if outer != nil {
		errs = append([]error{outer}, errs...)
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// memberDone is the turn that the end of a group's member has: the first of its done callbacks, as
// in asyncio.
type memberDone task

func (m *memberDone) run() {
	t := (*task)(m)
	g, f := t.ctx.group, t.core
	if f.hasFailed() {
		f.take()
		g.fail(f.failedWith())
	}
	g.leave()
}

// leave counts a member out.
func (g *group) leave() {
	g.mu.Lock()
	invariant.Check(g.members > 0 && !g.closed, "a group is closed after its last member")
	g.members--
	if g.members == 0 {
		g.waiting.notifyAll()
	}
	g.mu.Unlock()
	if g.room != nil {
		g.room.Release()
	}
}

// ForEach calls fn for each item in a task of its own, at most limit at a time. It takes an item
// only when it may start its task, stops taking at the first error or when ctx ends, waits for the
// tasks that run, and returns as [WithGroup] does. items is pulled by the caller, so it may await;
// the end of ctx ends such a wait, but an error of fn does not: it is seen when the next item comes.
//
// It may be called in a task, which it suspends, and in any other goroutine, which it blocks; ctx
// must carry a loop (ErrNoLoop). limit must be at least 1.
func ForEach[T any](ctx context.Context, limit int, items iter.Seq[T], fn func(context.Context, T) error) error {
	if limit < 1 {
		return fmt.Errorf("aio: ForEach: limit is %d, must be at least 1", limit)
	}
	room := NewSemaphore(limit)
	var started, done int64
	err := withGroup(ctx, room, func(ctx context.Context) error {
		if err := room.Acquire(ctx); err != nil {
			return err
		}
		for item := range items {
			started++
			Go(ctx, func(ctx context.Context) (struct{}, error) {
				err := fn(ctx, item)
				if err == nil {
					atomic.AddInt64(&done, 1)
				}
				return struct{}{}, err
			})
			if err := room.Acquire(ctx); err != nil {
				return err
			}
		}
		return ended(ctx)
	})
	if err == nil && atomic.LoadInt64(&done) < started {
		err = newCancelledError(context.Canceled, ErrClosed) // by the loop, while ctx goes on
	}
	return err
}
