package aio

import (
	"context"
	"sync"
)

// Queue passes items between tasks and goroutines, in any mixture, first in, first out. The zero
// value has no limit; NewQueue sets one. A Queue may not be copied.
//
// Waiters are woken in the order they came. As in asyncio, one that was woken competes with what
// runs before it: if the item (or the room) is gone when it runs, it queues anew.
type Queue[T any] struct {
	mu      sync.Mutex
	items   fifo[T]  // guarded by mu
	max     int      // immutable; 0: no limit
	getters nodeList // guarded by mu
	putters nodeList // guarded by mu
}

// NewQueue makes a queue that holds at most max items; 0 means no limit. It panics if max is
// negative. From any goroutine; it does not suspend.
func NewQueue[T any](max int) *Queue[T] {
	if max < 0 {
		panic("aio: NewQueue with a negative limit")
	}
	return &Queue[T]{max: max}
}

// Put adds v. It suspends a task and blocks any other goroutine while the queue is full; with room
// it returns at once. When ctx ends first, Put returns its error and v is not in the queue. In a
// callback it is ErrWouldDeadlock, unless there is room.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := ended(ctx); err != nil {
		return err
	}
	for {
		q.mu.Lock()
		if !q.full() {
			q.put(v)
			q.mu.Unlock()
			return nil
		}
		if err := q.wait(ctx, onQueuePut, &q.putters, q.full); err != nil {
			return err
		}
	}
}

// Get takes the oldest item. It suspends a task and blocks any other goroutine while the queue is
// empty; otherwise it returns at once. When ctx ends first, Get returns its error and has taken
// nothing. In a callback it is ErrWouldDeadlock, unless there is an item.
func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	if err := ended(ctx); err != nil {
		var none T
		return none, err
	}
	for {
		q.mu.Lock()
		if q.items.n > 0 {
			v := q.get()
			q.mu.Unlock()
			return v, nil
		}
		w := taskWaiter(ctx)
		if w == nil {
			if err := q.wait(ctx, onQueueGet, &q.getters, q.empty); err != nil {
				var none T
				return none, err
			}
			continue
		}
		w.begin(ctx, onQueueGet)
		q.getters.push(&w.node)
		q.mu.Unlock()
		if err := w.park(ctx); err != nil {
			q.leave(w, &q.getters, q.empty)
			var none T
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

// TryPut adds v if there is room, and otherwise returns ErrFull. From any goroutine; it does not
// suspend.
func (q *Queue[T]) TryPut(v T) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.full() {
		return ErrFull
	}
	q.put(v)
	return nil
}

// TryGet takes the oldest item if there is one, and otherwise returns ErrEmpty. From any goroutine;
// it does not suspend.
func (q *Queue[T]) TryGet() (T, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.items.n == 0 {
		var none T
		return none, ErrEmpty
	}
	return q.get(), nil
}

// Len is the number of items. From any goroutine; it does not suspend.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.items.n
}

// These are called with mu held.

func (q *Queue[T]) full() bool  { return q.max > 0 && q.items.n >= q.max }
func (q *Queue[T]) empty() bool { return q.items.n == 0 }

func (q *Queue[T]) put(v T) {
	q.items.push(v)
	q.getters.notifyFirst()
}

func (q *Queue[T]) get() T {
	v := q.items.pop()
	q.putters.notifyFirst()
	return v
}

// fifo is a growing ring of items. The zero value is empty.
type fifo[T any] struct {
	buf  []T
	head int
	n    int
}

func (f *fifo[T]) push(v T) {
	if f.n == len(f.buf) {
		f.resize(max(8, 2*f.n))
	}
	i := f.head + f.n
	if i >= len(f.buf) {
		i -= len(f.buf)
	}
	f.buf[i] = v
	f.n++
}

func (f *fifo[T]) pop() T {
	var none T
	v := f.buf[f.head]
	f.buf[f.head] = none
	f.head++
	if f.head == len(f.buf) {
		f.head = 0
	}
	f.n--
	if len(f.buf) > 1024 && f.n < len(f.buf)/4 {
		f.resize(len(f.buf) / 2)
	}
	return v
}

func (f *fifo[T]) resize(size int) {
	buf := make([]T, size)
	n := copy(buf, f.buf[f.head:min(f.head+f.n, len(f.buf))])
	copy(buf[n:], f.buf[:f.n-n])
	f.buf, f.head = buf, 0
}
