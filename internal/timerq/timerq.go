// Package timerq is the queue of a loop's timers: a four-ary heap by deadline, first in first out
// among equals.
//
// Four children to a node halve the depth of a binary heap and sit in one or two cache lines; Go's
// runtime keeps its timers the same way (runtime/time.go). Cancelled timers stay where they are
// until they come up or Compact drops them: a removal needs no index in the timer.
package timerq

// Queue holds values by deadline. The zero value is empty and ready. It is not safe for concurrent
// use.
type Queue[T any] struct {
	heap []item[T]
	seq  uint64
}

type item[T any] struct {
	when  int64
	seq   uint64
	value T
}

func (a *item[T]) before(b *item[T]) bool {
	return a.when < b.when || a.when == b.when && a.seq < b.seq
}

// Len is the number of values.
func (q *Queue[T]) Len() int { return len(q.heap) }

// Next is the earliest deadline; ok is false when the queue is empty.
func (q *Queue[T]) Next() (when int64, ok bool) {
	if len(q.heap) == 0 {
		return 0, false
	}
	return q.heap[0].when, true
}

// Each calls fn for each value, in no particular order.
func (q *Queue[T]) Each(fn func(when int64, value T)) {
	for _, it := range q.heap {
		fn(it.when, it.value)
	}
}

// Push adds a value.
func (q *Queue[T]) Push(when int64, value T) {
	q.seq++
	q.heap = append(q.heap, item[T]{when, q.seq, value})
	q.up(len(q.heap) - 1)
}

// Pop takes the value with the earliest deadline, of equal ones the one pushed first. The queue
// must not be empty.
func (q *Queue[T]) Pop() T {
	top := q.heap[0].value
	last := len(q.heap) - 1
	moved := q.heap[last]
	q.heap[last] = item[T]{}
	q.heap = q.heap[:last]
	if last > 0 {
		q.sink(moved)
	}
	if cap(q.heap) > 1024 && last < cap(q.heap)/4 {
		q.heap = append(make([]item[T], 0, cap(q.heap)/2), q.heap...)
	}
	return top
}

// Compact drops the values for which drop reports true, each of which it asks once.
func (q *Queue[T]) Compact(drop func(T) bool) {
	kept := q.heap[:0]
	for _, it := range q.heap {
		if !drop(it.value) {
			kept = append(kept, it)
		}
	}
	clear(q.heap[len(kept):])
	q.heap = kept
	for i := (len(kept) - 2) / 4; i >= 0 && len(kept) > 1; i-- {
		q.down(i, kept[i])
	}
}

func (q *Queue[T]) up(i int) {
	it := q.heap[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !it.before(&q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = it
}

// sink fills the hole at the root with it, a former last item. Such an item nearly always belongs
// near the bottom, so the hole goes all the way down first and the item comes up from there: fewer
// comparisons than testing it at every level.
func (q *Queue[T]) sink(it item[T]) {
	i, n := 0, len(q.heap)
	for {
		least := q.leastChild(i, n)
		if least < 0 {
			break
		}
		q.heap[i] = q.heap[least]
		i = least
	}
	q.heap[i] = it
	q.up(i)
}

func (q *Queue[T]) down(i int, it item[T]) {
	for n := len(q.heap); ; {
		least := q.leastChild(i, n)
		if least < 0 || !q.heap[least].before(&it) {
			break
		}
		q.heap[i] = q.heap[least]
		i = least
	}
	q.heap[i] = it
}

// leastChild is the index of the child of i that is due first, or -1.
func (q *Queue[T]) leastChild(i, n int) int {
	first := 4*i + 1
	if first >= n {
		return -1
	}
	least := first
	for c := first + 1; c < min(first+4, n); c++ {
		if q.heap[c].before(&q.heap[least]) {
			least = c
		}
	}
	return least
}
