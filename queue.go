package aio

import (
	"context"
	"fmt"
	"iter"
	"sync"
)

// Queue passes items between tasks and goroutines, in any mixture. The zero value is first in,
// first out, without limit; NewQueue sets a limit, NewPriorityQueue and NewLIFOQueue another order.
// All methods may be called from any goroutine. A Queue may not be copied.
//
// Waiters are woken in the order they came. As in asyncio, one that was woken competes with what
// runs before it: if the item (or the room) is gone when it runs, it queues anew.
type Queue[T any] struct {
	mu         sync.Mutex
	items      fifo[T]  // guarded by mu
	ranked     *heap[T] // instead of items, in a priority queue; itself immutable, what it holds guarded by mu
	max        int      // immutable; 0: no limit
	newest     bool     // immutable; the newest item goes first
	closed     bool     // guarded by mu
	unfinished int      // guarded by mu; items that were put, less calls of TaskDone
	getters    nodeList // guarded by mu
	putters    nodeList // guarded by mu
	joiners    nodeList // guarded by mu
}

// NewQueue makes a queue that holds at most max items; 0 means no limit. It panics if max is
// negative. From any goroutine; it does not suspend.
func NewQueue[T any](max int) *Queue[T] {
	mustLimit("NewQueue", max)
	return &Queue[T]{max: max}
}

// NewPriorityQueue makes a queue whose Get takes the item that less puts before all others, and of
// equal ones the oldest. It holds at most max items; 0 means no limit. It panics if max is negative
// or less nil. From any goroutine; it does not suspend.
//
// less is called while the queue is locked: it must only compare, and neither wait nor use the
// queue. If it panics, so does the call that asked it, and the queue is as it was before.
func NewPriorityQueue[T any](max int, less func(a, b T) bool) *Queue[T] {
	mustLimit("NewPriorityQueue", max)
	if less == nil {
		panic("aio: NewPriorityQueue needs a function that compares, got nil")
	}
	return &Queue[T]{max: max, ranked: &heap[T]{less: less}}
}

// NewLIFOQueue makes a queue whose Get takes the newest item: a stack. It holds at most max items;
// 0 means no limit. It panics if max is negative. From any goroutine; it does not suspend.
func NewLIFOQueue[T any](max int) *Queue[T] {
	mustLimit("NewLIFOQueue", max)
	return &Queue[T]{max: max, newest: true}
}

func mustLimit(what string, max int) {
	if max < 0 {
		panic(fmt.Sprintf("aio: %s with a negative limit: %d", what, max))
	}
}

// Put adds v. It suspends a task and blocks any other goroutine while the queue is full; with room
// it returns at once. When ctx ends first, Put returns its error and v is not in the queue. If the
// queue is closed, before or while Put waits, that is ErrQueueClosed. In a callback it is
// ErrWouldDeadlock, unless there is nothing to wait for.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := ended(ctx); err != nil {
		return err
	}
	for {
		q.mu.Lock()
		if !q.noRoom() {
			err := q.put(v)
			q.mu.Unlock()
			return err
		}
		if err := q.wait(ctx, onQueuePut, &q.putters, q.noRoom); err != nil {
			return err
		}
	}
}

// Get takes the next item. It suspends a task and blocks any other goroutine while the queue is
// empty; otherwise it returns at once. When ctx ends first, Get returns its error and has taken
// nothing. Of a closed queue it takes what is left, and then is ErrQueueClosed. In a callback it is
// ErrWouldDeadlock, unless there is nothing to wait for.
func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	var none T
	if err := ended(ctx); err != nil {
		return none, err
	}
	for {
		q.mu.Lock()
		if !q.nothing() {
			v, err := q.get()
			q.mu.Unlock()
			return v, err
		}
		w := taskWaiter(ctx)
		if w == nil {
			if err := q.wait(ctx, onQueueGet, &q.getters, q.nothing); err != nil {
				return none, err
			}
			continue
		}
		w.begin(ctx, onQueueGet)
		q.getters.push(&w.node)
		q.mu.Unlock()
		if err := w.park(ctx); err != nil {
			q.leave(w, &q.getters, q.nothing)
			return none, err
		}
	}
}

// wait waits in list until woken, while blocked still holds. Called with mu held, it returns
// without.
func (q *Queue[T]) wait(ctx context.Context, on reason, list *nodeList, blocked func() bool) error {
	w := taskWaiter(ctx)
	if w == nil {
		q.mu.Unlock()
		var err error
		if w, err = waiterFor(ctx); err != nil {
			return err
		}
		q.mu.Lock()
		if !blocked() {
			q.mu.Unlock()
			return nil
		}
	}
	w.begin(ctx, on)
	list.push(&w.node)
	q.mu.Unlock()
	err := w.park(ctx)
	if err != nil {
		q.leave(w, list, blocked)
	}
	return err
}

// leave takes w, whose context has ended, out of the list.
func (q *Queue[T]) leave(w *waiter, list *nodeList, blocked func() bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	list.remove(&w.node)
	if w.notified() && !blocked() {
		list.notifyFirst() // what was meant for this one goes to the next
	}
}

// TryPut adds v if there is room, and otherwise returns ErrFull; of a closed queue it is
// ErrQueueClosed. From any goroutine; it does not suspend.
func (q *Queue[T]) TryPut(v T) error {
	q.mu.Lock()
	if q.noRoom() {
		q.mu.Unlock()
		return ErrFull
	}
	err := q.put(v)
	q.mu.Unlock()
	return err
}

// TryGet takes the next item if there is one, and otherwise returns ErrEmpty, or ErrQueueClosed if
// none will come. From any goroutine; it does not suspend.
func (q *Queue[T]) TryGet() (T, error) {
	q.mu.Lock()
	if q.nothing() {
		q.mu.Unlock()
		var none T
		return none, ErrEmpty
	}
	v, err := q.get()
	q.mu.Unlock()
	return v, err
}

// All takes items until the queue is closed and empty, or ctx ends; ctx.Err() tells which. The loop
// over it suspends a task and blocks any other goroutine while the queue is empty. An item that was
// given to the loop's body is out of the queue, also if the body breaks off. Several may range over
// one queue: each item goes to one of them. It fits [ForEach].
//
// It may be used in a task and in any other goroutine. Where waiting is ErrWouldDeadlock (in a
// callback, or in an iter.Pull of a task) it panics with that, unless there is nothing to wait for:
// an iterator has no error to return, and to end would say that all was taken.
func (q *Queue[T]) All(ctx context.Context) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := q.Get(ctx)
			if err == ErrWouldDeadlock {
				panic(fmt.Errorf("aio: Queue.All: waiting here: %w", err))
			}
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// Len is the number of items. From any goroutine; it does not suspend.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size()
}

// Close ends the queue: asyncio's shutdown. It takes no more items, and a Put that waits returns
// ErrQueueClosed; Get takes what is left, and then returns ErrQueueClosed, as one that waits does.
// What Join waits for does not change. It is idempotent. From any goroutine; it does not suspend.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.getters.notifyAll()
	q.putters.notifyAll()
}

// TaskDone says that the work on an item that was taken is done; see Join. It panics if called more
// often than items were put. From any goroutine; it does not suspend.
func (q *Queue[T]) TaskDone() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.unfinished == 0 {
		panic("aio: TaskDone of a Queue called more often than items were put")
	}
	q.unfinished--
	if q.unfinished == 0 {
		q.joiners.notifyAll()
	}
}

// Join waits until TaskDone has been called for each item that was put. It suspends a task and
// blocks any other goroutine; if nothing is unfinished, it returns at once. Closing the queue does
// not end it: what is left must still be taken and done. Its error is ctx's, if that ended first.
// In a callback it is ErrWouldDeadlock, unless there is nothing to wait for.
func (q *Queue[T]) Join(ctx context.Context) error {
	if err := ended(ctx); err != nil {
		return err
	}
	q.mu.Lock()
	if q.unfinished == 0 {
		q.mu.Unlock()
		return nil
	}
	return q.wait(ctx, onQueueJoin, &q.joiners, func() bool { return q.unfinished > 0 })
}

// These are called with mu held.

func (q *Queue[T]) size() int {
	if q.ranked != nil {
		return len(q.ranked.items)
	}
	return q.items.n
}

// noRoom reports whether a Put has to wait, nothing whether a Get has to.
func (q *Queue[T]) noRoom() bool  { return q.max > 0 && q.size() >= q.max && !q.closed }
func (q *Queue[T]) nothing() bool { return q.size() == 0 && !q.closed }

// put adds v, or get takes an item, to or from a queue that noRoom or nothing found fit for it. If
// the user's less panics, mu is not held any more.
func (q *Queue[T]) put(v T) error {
	if q.closed {
		return ErrQueueClosed
	}
	if q.ranked == nil {
		q.items.push(v)
	} else {
		q.pushRanked(v)
	}
	q.unfinished++
	q.getters.notifyFirst()
	return nil
}

func (q *Queue[T]) get() (v T, err error) {
	switch {
	case q.size() == 0:
		return v, ErrQueueClosed
	case q.ranked != nil:
		v = q.popRanked()
	case q.newest:
		v = q.items.popLast()
	default:
		v = q.items.pop()
	}
	q.putters.notifyFirst()
	return v, nil
}

func (q *Queue[T]) pushRanked(v T) {
	done := false
	defer q.unlockUnless(&done)
	q.ranked.push(v)
	done = true
}

func (q *Queue[T]) popRanked() (v T) {
	done := false
	defer q.unlockUnless(&done)
	v = q.ranked.pop()
	done = true
	return v
}

// unlockUnless is deferred around what calls the user's less. If that panics or goes, what this
// call was woken for goes to the next one.
func (q *Queue[T]) unlockUnless(done *bool) {
	if *done {
		return
	}
	if !q.nothing() {
		q.getters.notifyFirst()
	}
	if !q.noRoom() {
		q.putters.notifyFirst()
	}
	q.mu.Unlock()
}
