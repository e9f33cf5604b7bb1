package aio

import "slices"

// heap gives out the item first that less puts first, and equal ones in the order they came: what a
// priority queue holds. less is the user's. It may panic: then nothing has changed, because each
// operation compares first and moves afterwards.
type heap[T any] struct {
	less  func(a, b T) bool // immutable
	items []ranked[T]       // each is before the two behind it, at 2i+1 and 2i+2
	count uint64            // of items that ever came
}

// ranked is an item that knows when it came.
type ranked[T any] struct {
	value T
	came  uint64
}

func (h *heap[T]) before(a, b *ranked[T]) bool {
	return h.less(a.value, b.value) || a.came < b.came && !h.less(b.value, a.value)
}

func (h *heap[T]) push(v T) {
	var path [64]int // from the new place up
	at, depth := len(h.items), 0
	for at > 0 {
		up := (at - 1) / 2
		if !h.less(v, h.items[up].value) { // of equal ones this is the newest
			break
		}
		path[depth] = at
		at, depth = up, depth+1
	}
	h.items = append(h.items, ranked[T]{})
	for _, i := range path[:depth] {
		h.items[i] = h.items[(i-1)/2]
	}
	h.items[at] = ranked[T]{v, h.count}
	h.count++
}

// pop takes the first; the heap must not be empty.
func (h *heap[T]) pop() T {
	n := len(h.items) - 1
	last := h.items[n] // goes down from the top until it is before what is below
	var path [64]int
	depth := 0
	for at := 0; 2*at+1 < n; {
		down := 2*at + 1
		if down+1 < n && h.before(&h.items[down+1], &h.items[down]) {
			down++
		}
		if h.before(&last, &h.items[down]) {
			break
		}
		path[depth] = down
		at, depth = down, depth+1
	}
	v := h.items[0].value
	at := 0
	for _, down := range path[:depth] {
		h.items[at] = h.items[down]
		at = down
	}
	h.items[at] = last
	h.items[n] = ranked[T]{}
	h.items = h.items[:n]
	if c := cap(h.items); c > 1024 && n < c/4 { // gives back what a burst left
		h.items = slices.Grow(slices.Clip(slices.Clone(h.items)), c/2-n)
	}
	return v
}
